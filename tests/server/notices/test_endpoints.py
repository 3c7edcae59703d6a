"""Notices over REST: staff see that there are letters, patrons see what is in theirs."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.lending.policy import Rule
from server.notices.policy import Kind
from tests.server.notices.conftest import Library, MailServer
from tests.support.library import ALICE, BO, BOOKS, NOW, ManualClock, colleague, reader

URL = "/api/v1/notices"
A, B = BOOKS[:2]


@pytest.fixture
def staff(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.LIBRARIAN)


@pytest.fixture
def sent(by_mail: Library, mail_server: MailServer) -> Library:
    """Alice's letter has failed, Bo's was sent."""
    by_mail.reach(ALICE, "email").reach(BO, "email")
    by_mail.counter.rule_by(Rule(days=10))
    by_mail.counter.checkout(ALICE, A)
    by_mail.counter.checkout(BO, B)
    office, now = by_mail.office(), NOW + timedelta(days=8)
    office.plan(now)
    mail_server.answers = ["550 no such mailbox"]
    assert by_mail.send(office, now) == 1
    return by_mail


def test_staff_see_letters_without_their_words(client: TestClient, staff: dict[str, str], sent: Library) -> None:
    told = client.get(URL, headers=staff)
    assert told.status_code == 200, told.text
    assert [(one["state"], one["code"]) for one in told.json()["notices"]] == [("sent", ""), ("failed", "mail_refused")]
    assert "Book" not in told.text
    assert told.json()["channels"] == []
    page = client.get(URL, params={"limit": 1}, headers=staff).json()
    rest = client.get(URL, params={"limit": 1, "before": page["next_before"]}, headers=staff).json()
    assert [page["notices"][0]["state"], rest["notices"][0]["state"]] == ["sent", "failed"]
    planned, other = {"day": "2026-03-10"}, {"day": "2026-03-11"}
    for params, count in (
        ({"state": "failed"}, 1),
        ({"kind": "fee"}, 0),
        ({"channel": "email"}, 2),
        (planned, 2),
        (other, 0),
    ):
        assert len(client.get(URL, params=params, headers=staff).json()["notices"]) == count
    assert client.get(URL, params={"state": "nonsense"}, headers=staff).status_code == 422


def test_what_has_failed_can_be_sent_again(
    client: TestClient, staff: dict[str, str], sent: Library, mail_server: MailServer
) -> None:
    done, failed = client.get(URL, headers=staff).json()["notices"]
    assert client.post(f"{URL}/{done['id']}/retry", headers=staff).json()["code"] == "notice_not_failed"
    assert client.post(f"{URL}/999999/retry", headers=staff).json()["code"] == "unknown_notice"
    for _ in range(2):
        again = client.post(f"{URL}/{failed['id']}/retry", headers=staff)
        assert (again.status_code, again.json()["state"]) == (200, "waiting")
    assert sent.send(sent.office(), NOW + timedelta(days=8)) == 1
    assert [letter["To"] for letter in mail_server.letters] == [f"{BO}@readers.example", f"{ALICE}@readers.example"]


def test_readers_see_their_own_letters(client: TestClient, sent: Library) -> None:
    (mine,) = client.get("/api/v1/patrons/me/notices", headers=reader(client, BO)).json()["notices"]
    assert (mine["kind"], mine["state"]) == ("due_soon", "sent")
    assert "《Book 2》" in mine["body"]
    everything = client.post("/api/v1/patrons/me/export", headers=reader(client, BO)).json()
    assert "《Book 2》" in everything["notices"][0]["text"]


@pytest.mark.usefixtures("sent")
def test_a_letter_can_be_looked_at_before(client: TestClient, clock: ManualClock) -> None:
    clock.at = NOW + timedelta(days=8)
    staff = colleague(client, Role.LIBRARIAN)

    def look(kind: str, card: str) -> dict[str, str]:
        told = client.get(f"{URL}/preview", params={"kind": kind, "card": card}, headers=staff)
        assert told.status_code == 200, told.text
        return dict(told.json())

    real = look("due_soon", BO)
    assert (real["example"], real["language"], real["fault"]) == (False, "zh-CN", "")
    assert "《Book 2》" in real["text"]
    made_up = look("hold_ready", ALICE)
    assert (made_up["example"], made_up["subject"]) == (True, "Ready for you at Library")
    unknown = client.get(f"{URL}/preview", params={"kind": "fee", "card": "98989898"}, headers=staff)
    assert unknown.json()["code"] == "unknown_card"


@pytest.mark.usefixtures("sent")
def test_the_queue_is_told_as_a_whole(client: TestClient, staff: dict[str, str]) -> None:
    told = client.get(f"{URL}/overview", headers=staff).json()
    assert told == {
        "states": {"failed": 1, "sent": 1}, "held": 0, "quiet_until": None,
        "failures": [{"channel": "email", "code": "mail_refused", "count": 1}], "channels": [],
    }  # fmt: skip


@pytest.mark.usefixtures("sent")
def test_all_that_failed_over_a_channel_is_sent_again(client: TestClient, staff: dict[str, str]) -> None:
    asked = [
        {"channel": "webhook"},
        {"channel": "email", "code": "mail_server"},
        {"channel": "email"},
        {"channel": "email"},
    ]
    told = [client.post(f"{URL}/retry", json=body, headers=staff).json()["count"] for body in asked]
    assert told == [0, 0, 1, 0]
    assert client.post(f"{URL}/retry", json={"channel": "pigeon"}, headers=staff).status_code == 422


@pytest.mark.usefixtures("sent")
def test_one_can_be_given_up(client: TestClient, staff: dict[str, str]) -> None:
    done, failed = client.get(URL, headers=staff).json()["notices"]
    for _ in range(2):
        told = client.post(f"{URL}/{failed['id']}/give-up", headers=staff).json()
        assert (told["state"], told["code"]) == ("dropped", "given_up")
    assert client.post(f"{URL}/{failed['id']}/retry", headers=staff).json()["code"] == "notice_not_failed"
    assert client.post(f"{URL}/{done['id']}/give-up", headers=staff).json()["code"] == "notice_on_its_way"
    assert client.post(f"{URL}/999999/give-up", headers=staff).json()["code"] == "unknown_notice"


def test_every_kind_can_be_read_in_both_languages(client: TestClient, staff: dict[str, str]) -> None:
    told = client.get(f"{URL}/examples", headers=staff).json()["examples"]
    assert [(one["kind"], one["language"]) for one in told] == [
        (kind, language) for kind in get_args(Kind) for language in ("zh-CN", "en")
    ]
    assert all(one["subject"] and "红楼梦" in one["text"] and not one["fault"] for one in told)


def test_administrators_try_a_channel_and_read_what_the_server_says(
    client: TestClient, by_mail: Library, mail_server: MailServer
) -> None:
    client.app.state.notices = by_mail.office()  # type: ignore[attr-defined]
    boss = colleague(client, Role.ADMINISTRATOR)

    def send(**asked: str) -> dict[str, Any]:
        return dict(client.post(f"{URL}/test", json=asked, headers=boss).json())

    mail_server.answers = ["550 5.1.1 nobody of that name"]
    refused = send(channel="email", to="who@else.example", language="zh-CN")
    assert refused == {"delivered": False, "code": "mail_refused", "said": "550 5.1.1 nobody of that name"}
    taken = send(channel="email", to=" who@else.example ", language="zh-CN")
    assert taken == {"delivered": True, "code": "", "said": ""}
    (letter,) = mail_server.letters
    assert (letter["To"], letter["Subject"]) == ("who@else.example", "市图书馆的测试通知")
    assert send(channel="webhook", to="x")["code"] == "notice_channel"
    assert send(channel="email", to="a@b, c@d")["code"] == "notice_address"
    rows = client.get("/api/v1/audit", params={"action": "notice.test"}, headers=boss).json()["entries"]
    assert [(row["target"], row["detail"]["code"]) for row in rows] == [
        ("channel:email", ""),
        ("channel:email", "mail_refused"),
    ]
    assert "who@" not in str(rows)
