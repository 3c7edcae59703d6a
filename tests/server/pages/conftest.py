import pytest

from tests.support.browser import browser, page, serving
from tests.support.pages_app import build

__all__ = ["browser", "page"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages with sample values: (application, address)."""
    app = build(tmp_path_factory.mktemp("pages"))
    with serving(app) as address:
        yield app, address


@pytest.fixture
def address(site):
    return site[1]
