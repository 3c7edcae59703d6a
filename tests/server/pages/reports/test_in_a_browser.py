import pytest

from tests.support.browser import DESKTOP, PHONE, barriers, overflows, serving, sign_in
from tests.support.pages_app import STAFF, build

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving(build(tmp_path_factory.mktemp("pages"))) as address:
        yield address


@pytest.mark.parametrize(
    ("language", "theme", "size"), [("en", "light", DESKTOP), ("zh-CN", "dark", PHONE), ("en", "dark", PHONE)], ids=str
)
def test_a_report_has_no_barriers_and_fits_screen_and_paper(browser, address, language, theme, size):
    context = browser.new_context(locale=language, color_scheme=theme, viewport=size, timezone_id="Asia/Shanghai")
    complaints = []
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    sign_in(page, address, STAFF)
    page.goto(f"{address}/reports?room=reading-room")
    assert barriers(page) == []
    assert not overflows(page)
    page.get_by_role("button", name="显示" if language == "zh-CN" else "Show").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/reports?month=*&room=reading-room")
    page.emulate_media(media="print")
    assert not page.locator(".choose").is_visible()
    assert page.locator("table.figures").first.is_visible()
    context.close()
    assert complaints == []
