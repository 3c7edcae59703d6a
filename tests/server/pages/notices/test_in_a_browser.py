"""The staff's page of notices in a real browser, with letters in every state."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from server.notices.config import NoticesConfig
from server.notices.models import STATES, NoticeRow
from server.notices.sending import office_of
from server.tasks import service as tasks
from tests.support.browser import (
    DESKTOP,
    PHONE,
    barriers,
    overflows,
    press_by_keyboard,
    serving,
    sign_in,
    visiting,
)
from tests.support.pages_app import build

pytestmark = pytest.mark.browser

ADMINISTRATOR = ("admin", "admin-demo")
LOOKS = [("en", "light", DESKTOP), ("zh-CN", "dark", PHONE)]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The pages of a library with a mail server that is away, and a letter in every state."""
    app = build(tmp_path_factory.mktemp("pages"))
    core, now = app.state.core, datetime.now(UTC)
    mail = {"host": "127.0.0.1", "port": 1, "tls": "none", "sender": "desk@library.example"}
    config = NoticesConfig.model_validate({"mail": mail, "quiet_from": "00:00", "quiet_until": "23:59"})
    server = core.settings.server.model_copy(update={"notices": config})
    core = app.state.core = replace(core, settings=replace(core.settings, server=server))
    app.state.notices = office_of(core, threading.Event())
    with core.database.writing() as session:
        for number, state in enumerate(STATES, 1):
            settled = None if state in ("waiting", "sending") else now
            session.add(
                NoticeRow(
                    token=str(number), kind="overdue", channel="email", patron_id=number, state=state,
                    code="mail_server" if state == "failed" else "", created_at=now - timedelta(hours=number),
                    next_at=now, attempts=number, claimed_by="", claimed_until=None, settled_at=settled,
                    subject="", body="",
                )
            )  # fmt: skip
        told = {"notice": 4, "said": "ConnectionRefusedError: [Errno 111] Connection refused"}
        tasks.add(session, "notice", "mail_server", branch="main", at=now, now=now, patron_id=4, detail=told)
    with serving(app) as served:
        yield served


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=str)
def test_there_are_no_barriers_in_two_looks(browser, address, tmp_path, language, theme, size):
    with visiting(browser) as visit:
        page = visit(language, theme, size, may_complain=True)
        sign_in(page, address, ADMINISTRATOR)
        for name, path in (("all", "/notices"), ("narrowed", "/notices?kind=fee"), ("preview", "/notices/preview")):
            page.goto(address + path)
            for summary in page.locator("main summary").all():
                summary.click()
            page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
            assert barriers(page) == [], name
            assert not overflows(page), name
        page.goto(f"{address}/notices")
        page.locator("main summary").click()
        page.locator("#to").fill("me@home.example")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("ConnectionRefusedError")
        page.screenshot(path=tmp_path / "refused.png", full_page=True)
        assert barriers(page) == []


def test_what_failed_is_sent_again_by_the_keyboard_alone_and_without_scripts(browser, address):
    with visiting(browser) as visit:
        page = visit(java_script_enabled=False)
        sign_in(page, address, ADMINISTRATOR)
        page.goto(f"{address}/notices?state=failed")
        page.get_by_role("button", name="Send 1 again").click()
        expect(page.get_by_role("status")).to_contain_text("1 notice is in the queue again.")
        expect(page.locator("main")).to_contain_text("Nothing has failed")
        page = visit()
        sign_in(page, address, ADMINISTRATOR)
        page.goto(f"{address}/notices?state=waiting")
        press_by_keyboard(page.get_by_role("button", name="Give up").first)
        expect(page.get_by_role("status")).to_contain_text("The notice is given up.")
