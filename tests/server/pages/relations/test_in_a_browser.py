"""All pages in both languages and themes: no barriers, no scrolling sideways, and forms that work with scripts off."""

import pytest
from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.feedback import service as feedback
from server.lending.occasion import Occasion
from server.news import service as news
from server.patrons import service as patrons
from server.suggestions import service as suggestions
from tests.support.browser import DESKTOP, PHONE, barriers, overflows, serving, sign_in, visiting
from tests.support.pages_app import READER, STAFF, build

pytestmark = pytest.mark.browser
READERS_PAGES = ("/feedback", "/suggestions?title=A%20title", "/news")
STAFF_PAGES = (
    "/relations", "/relations/cases/{case}", "/relations/suggestions", "/relations/suggestions/1", "/relations/news",
    "/relations/news/1",
)  # fmt: skip
LOOKS = [("en", "light", DESKTOP), ("zh-CN", "dark", PHONE), ("en", "dark", PHONE), ("zh-CN", "light", DESKTOP)]
LONG = "A very long word: " + "flickering" * 20


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(address, number of a case that has been answered)."""
    app = build(tmp_path_factory.mktemp("pages"))
    core = app.state.core
    with core.database.writing() as session:
        number = furnish(session, Occasion("patron:1", core.clock.now(), core.settings.common.library.zone))
    with serving(app) as address:
        yield address, number


def furnish(session: Session, here: Occasion) -> str:
    patron = patrons.find(session, READER[0])
    assert patron is not None
    told = feedback.NewCase("fault", f"The lamp flickers.\n\n{LONG}", "table 4", patron_id=patron.id)
    first = feedback.open_case(session, told, here, days=0)
    feedback.open_case(session, feedback.NewCase("praise", "Thank you!"), here, days=5)
    done = feedback.open_case(session, told, here, days=5)
    feedback.answer(session, done.number, "It is replaced.", actor="user:librarian", at=here.now)
    assert first.number < done.number
    suggestions.suggest(
        session, suggestions.NewSuggestion("三体", "刘慈欣", reason="为孩子"), patron.id, here, a_month=9
    )
    suggestions.suggest(session, suggestions.NewSuggestion(LONG), patron.id, here, a_month=9)
    suggestions.answer(session, 1, suggestions.Reply("ordered", "Comes in May."), actor="user:librarian", at=here.now)
    new = news.NewNews("开放时间", "Hours", "一。\n\n二。", f"One.\n\n{LONG}", local_date(here.now, here.zone))
    news.write(session, new, actor="user:librarian", at=here.now)
    return done.number


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=str)
def test_pages_have_no_barriers_and_fit(browser, site, tmp_path, language, theme, size):
    address, number = site
    with visiting(browser) as visit:
        for who, paths in ((READER, READERS_PAGES), (STAFF, STAFF_PAGES)):
            page = visit(language, theme, size)
            sign_in(page, address, who)
            for path in paths:
                page.goto(address + path.format(case=number))
                for details in page.locator("main details").all():
                    details.locator("summary").click()
                name = path.strip("/").replace("/", "-").partition("?")[0].format(case="case")
                page.screenshot(path=tmp_path / f"{name}-{language}-{theme}.png", full_page=True)
                assert not overflows(page), path
                height = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": size["width"], "height": height})  # the rail covers nothing then
                assert barriers(page) == [], path
                page.set_viewport_size(size)


def test_forms_work_with_scripts_off(browser, site):
    address, _number = site
    with visiting(browser) as visit:
        page = visit("en", "light", PHONE, java_script_enabled=False)
        page.goto(f"{address}/feedback")
        page.select_option("#kind", "idea")
        page.fill("#text", "Longer hours.")
        page.get_by_role("button", name="Send").click()
        assert "Your feedback has the number" in page.locator("main").inner_text()
        sign_in(page, address, READER)
        page.goto(f"{address}/suggestions")
        page.fill("#title", "Something else")
        page.get_by_role("button", name="Suggest it").click()
        assert "Your suggestion is on the list." in page.locator("main").inner_text()
