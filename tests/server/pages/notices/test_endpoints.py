"""The staff's page of notices over HTTP, with a real mail server behind it."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.lending.policy import Rule
from server.notices import service
from server.notices.letters.writing import Writer
from server.notices.policy import Channel, Kind, State
from server.pages.notices import words
from tests.server.notices.conftest import Library, MailServer
from tests.support.library import ALICE, BO, BOOKS, NOW, PASSWORD, PIN, ManualClock

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
A, B = BOOKS[:2]
REMIND = NOW + timedelta(days=8)


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    shown = re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])
    return re.sub(r"\s+", " ", html.unescape(shown))


def sign_in(client: TestClient, role: Role) -> TestClient:
    client.post("/sign-in", data={"user": role.value, "password": PASSWORD})
    return client


@pytest.fixture
def staff(client: TestClient, clock: ManualClock) -> TestClient:
    """A librarian's browser, on the day on which letters are written."""
    clock.at = REMIND
    return sign_in(client, Role.LIBRARIAN)


@pytest.fixture
def written(staff: TestClient, by_mail: Library, mail_server: MailServer) -> Library:
    """Alice's letter has failed, Bo's was sent."""
    by_mail.reach(ALICE, "email").reach(BO, "email")
    by_mail.counter.rule_by(Rule(days=10))
    by_mail.counter.checkout(ALICE, A)
    by_mail.counter.checkout(BO, B)
    office = by_mail.office()
    office.plan(REMIND)
    mail_server.answers = ["550 no such mailbox"]
    assert by_mail.send(office, REMIND) == 1
    staff.app.state.notices = office  # type: ignore[attr-defined]
    return by_mail


def look(client: TestClient, **choice: str) -> str:
    answer = client.get("/notices", params=choice, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return text(answer)


def press(client: TestClient, path: str, **data: str) -> str:
    answer = client.post(f"/notices/{path}", data=data, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return text(answer)


def newest_first(library: Library) -> list[service.Notice]:
    return library.counter.ask(lambda session: service.listed(session, service.Wanted(), limit=100))


def test_there_are_words_for_everything() -> None:
    assert set(words.KINDS) == set(get_args(Kind))
    assert set(words.CHANNELS) == set(words.SETTINGS) == set(get_args(Channel))
    assert set(words.TABS) - {"", "held"} == set(words.TONES) - {"held"} == set(get_args(State))


def test_only_librarians_and_administrators_see_it(client: TestClient) -> None:
    posts = ("/notices/retry", "/notices/test", "/notices/1/retry", "/notices/1/give-up")
    form = {"channel": "email", "code": "mail_server", "to": "a@b.example"}
    for path in ("/notices", "/notices/preview"):
        assert client.get(path, headers=PAGE, follow_redirects=False).status_code == 303
    for path in posts:
        assert client.post(path, data=form, headers=PAGE, follow_redirects=False).status_code == 303
    client.post("/sign-in", data={"user": ALICE, "password": PIN})
    assert client.get("/notices", headers=PAGE).status_code == 403
    sign_in(client, Role.DUTY_STAFF)
    assert client.get("/notices", headers=PAGE).status_code == 403
    assert 'href="/notices"' not in client.get("/", headers=PAGE).text
    sign_in(client, Role.LIBRARIAN)
    assert 'href="/notices"' in client.get("/", headers=PAGE).text
    assert client.post("/notices/test", data=form, headers=PAGE).status_code == 403


def test_a_library_without_a_channel_is_told_how_to_begin(staff: TestClient) -> None:
    told = look(staff)
    assert "No channel is configured" in told
    assert "[server.notices.mail]" in told
    assert "Send a test letter" not in told


def test_an_empty_queue_says_that_nothing_waits(staff: TestClient, by_mail: Library) -> None:
    staff.app.state.notices = by_mail.office()  # type: ignore[attr-defined]
    told = look(staff)
    assert "Nothing waits" in told
    assert f"E-mail {by_mail.office().channels['email'].where} Nothing was sent yet" in told
    assert "Webhook Not configured: [server.notices.webhook]" in told
    assert "Another one on the same database must." in told, "the tests' configuration does no jobs"


def test_every_notice_tells_what_became_of_it(staff: TestClient, written: Library) -> None:
    told = look(staff)
    assert "All 2 Waiting 0 Sent 1 Failed 1" in told
    assert "Last sent: 10 Mar 2026, 12:30" in told
    assert "Due soon Sent 张波 · E-mail Made 10 Mar 2026, 12:30 · Sent 10 Mar 2026, 12:30 · 1 attempt" in told
    assert "Due soon Failed Alice Wu · E-mail The mail server refused the patron's address. Correct it" in told
    assert "It said: 550 no such mailbox" in told
    assert f'href="/patrons/{written.counter.patron_id(ALICE)}"' in staff.get("/notices", headers=PAGE).text
    assert "Book" not in told, "titles are the reader's own"


@pytest.mark.usefixtures("written")
def test_the_list_is_narrowed(staff: TestClient) -> None:
    choices: list[tuple[dict[str, str], list[str]]] = [
        ({"state": "failed"}, ["Alice Wu"]),
        ({"state": "sent", "kind": "due_soon", "channel": "email", "day": "2026-03-10"}, ["张波"]),
        ({"day": "2026-03-09"}, []),
        ({"kind": "fee"}, []),
        ({"state": "", "kind": "", "day": ""}, ["Alice Wu", "张波"]),
    ]
    for choice, names in choices:
        told = look(staff, **choice)
        assert [name for name in ("Alice Wu", "张波") if f"{name} ·" in told] == names
        assert ("Nothing fits this choice" in told) == (not names)
    answer = staff.get("/notices?state=lost", headers=PAGE)
    assert answer.status_code == 422
    assert "everything is shown" in text(answer)


def test_one_is_sent_again_also_with_two_clicks(staff: TestClient, written: Library, mail_server: MailServer) -> None:
    failed = newest_first(written)[1]
    for _ in range(2):
        told = press(staff, f"{failed.id}/retry", back="state=waiting")
        assert "The notice is in the queue again." in told
        assert "Waiting 1" in told
        assert "Next attempt 10 Mar 2026, 12:30" in told
    assert written.send(written.office(), REMIND) == 1
    assert len(mail_server.letters) == 2
    refused = staff.post(f"/notices/{failed.id}/retry", headers=PAGE)
    assert refused.status_code == 409
    assert "This notice cannot be sent again." in text(refused)


@pytest.mark.usefixtures("written")
def test_all_that_failed_for_one_reason_are_sent_again(staff: TestClient) -> None:
    assert "Send 1 again" in look(staff)
    form = {"channel": "email", "code": "mail_refused", "back": "state=failed&day=2026-03-10"}
    told = press(staff, "retry", **form)
    assert "1 notice is in the queue again." in told
    assert "Nothing fits this choice" in told, "the list is the one that the form stood on"
    assert "Nothing was left to be sent again." in press(staff, "retry", **form)


def test_one_is_given_up(staff: TestClient, written: Library) -> None:
    sent, failed = newest_first(written)
    for _ in range(2):
        told = press(staff, f"{failed.id}/give-up", back="nonsense=%ff&state=what")
        assert "The notice is given up." in told
        assert "Due soon Not sent Alice Wu · E-mail Given up by staff." in told
    refused = staff.post(f"/notices/{sent.id}/give-up", headers=PAGE)
    assert refused.status_code == 409
    assert "It cannot be taken back." in text(refused)
    assert staff.post("/notices/999999/give-up", headers=PAGE).status_code == 404


def test_what_quiet_hours_hold_is_told(staff: TestClient, written: Library, clock: ManualClock) -> None:
    failed = newest_first(written)[1]
    press(staff, f"{failed.id}/retry")
    clock.advance(hours=10)
    told = look(staff, state="held")
    assert "nothing goes out before 08:00. 1 notice is held back." in told
    assert "Due soon Held by quiet hours Alice Wu" in told
    assert "Next attempt 11 Mar 2026, 08:00" in told
    clock.advance(hours=10)
    sign_in(staff, Role.LIBRARIAN)
    assert "Nothing is held back" in look(staff, state="held")


def test_an_administrator_sends_a_test_letter(staff: TestClient, written: Library, mail_server: MailServer) -> None:
    where = written.office().channels["email"].where
    sign_in(staff, Role.ADMINISTRATOR)
    assert "Send a test letter" in look(staff)
    told = press(staff, "test", channel="email", to=" me@home.example ")
    assert f"The test letter was taken by {where}." in told
    assert mail_server.letters[-1]["Subject"] == "A test from Town Library"
    mail_server.answers = ["554 5.7.1 relay access denied"]
    refused = staff.post("/notices/test", data={"channel": "email", "to": "me@home.example"}, headers=PAGE)
    assert refused.status_code == 409
    assert 'value="me@home.example"' in refused.text
    assert "The mail server refused this address. It said: 554 5.7.1 relay access denied" in text(refused)
    for form, sign in (
        ({"channel": "email", "to": "nobody"}, "This is not an e-mail address."),
        ({"channel": "webhook", "to": "123"}, "There is no such channel."),
    ):
        wrong = staff.post("/notices/test", data=form, headers=PAGE)
        assert sign in text(wrong)
        assert f'value="{form["to"]}" aria-invalid="true"' in wrong.text, "it gets the focus"


def test_every_kind_is_shown_in_both_languages_as_it_is_mailed(
    staff: TestClient, make: Callable[..., Library], tmp_path: Path
) -> None:
    page = staff.get("/notices/preview", headers=PAGE)
    assert page.status_code == 200
    assert page.text.count('<article class="card pad letter" lang="zh-CN"') == len(words.KINDS)
    writer, told = staff.app.state.notices.writer, html.unescape(page.text)  # type: ignore[attr-defined]
    for kind in get_args(Kind):
        assert f'id="{kind}"' in page.text
    assert "<pre>Dear Ming Li," in told
    assert "Ready for you at Library" in told
    assert "templates that Carrel ships" in told
    assert isinstance(writer, Writer)
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "fee.txt").write_text("Pay <b>\n\n{{ who }}\n", encoding="utf-8")
    (tmp_path / "en" / "overdue.txt").write_text("Bring <b>\n\nHi {{ name }} & co.\n", encoding="utf-8")
    staff.app.state.notices = make(templates=tmp_path).office()  # type: ignore[attr-defined]
    broken = staff.get("/notices/preview", headers=PAGE).text
    assert "en/fee.txt: UndefinedError: &#39;who&#39; is undefined" in broken
    assert '<p class="subject">Bring &lt;b&gt;</p><pre>Hi Ming Li &amp; co.' in broken


@pytest.mark.usefixtures("written")
def test_older_ones_are_a_page_further(staff: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.pages.notices.endpoints.SHOWN", 1)
    first = staff.get("/notices?channel=email", headers=PAGE)
    (older,) = re.findall(r'href="/notices\?([^"]*before=\d+)"', html.unescape(first.text))
    assert "Alice Wu" not in text(first)
    rest = staff.get(f"/notices?{older}", headers=PAGE)
    assert "Alice Wu" in text(rest)
    assert '<p class="pages">' not in rest.text


@pytest.mark.usefixtures("written")
def test_it_is_in_chinese_too(staff: TestClient) -> None:
    told = text(staff.get("/notices", headers=PAGE | {"Accept-Language": "zh-CN"}))
    assert "通知" in told
    assert "Could not be delivered" not in told
