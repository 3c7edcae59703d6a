import pytest

from server.pages.shell import safe_next


@pytest.mark.parametrize("address", ["/", "/my/loans", "/search?q=%E7%BA%A2&page=2"])
def test_an_address_of_ours_is_followed(address):
    assert safe_next(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "//evil.test", "/\\evil.test", "https://evil.test/", "javascript:alert(1)", "/a\r\nSet-Cookie: b", "\t//x"],
)
def test_an_address_elsewhere_leads_to_the_overview(address):
    assert safe_next(address) == "/"
