"""Notices over REST: staff see that there are letters, patrons see what is in theirs."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.lending.policy import Rule
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
    for params, count in (({"state": "failed"}, 1), ({"kind": "fee"}, 0), ({"channel": "email"}, 2)):
        assert len(client.get(URL, params=params, headers=staff).json()["notices"]) == count
    assert client.get(URL, params={"state": "nonsense"}, headers=staff).status_code == 422


def test_what_has_failed_can_be_sent_again(
    client: TestClient, staff: dict[str, str], sent: Library, mail_server: MailServer
) -> None:
    done, failed = client.get(URL, headers=staff).json()["notices"]
    assert client.post(f"{URL}/{done['id']}/retry", headers=staff).json()["code"] == "notice_not_failed"
    assert client.post(f"{URL}/999999/retry", headers=staff).json()["code"] == "unknown_notice"
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
    assert (real["example"], real["language"]) == (False, "zh-CN")
    assert "《Book 2》" in real["text"]
    made_up = look("hold_ready", ALICE)
    assert (made_up["example"], made_up["subject"]) == (True, "Ready for you at Library")
    unknown = client.get(f"{URL}/preview", params={"kind": "fee", "card": "98989898"}, headers=staff)
    assert unknown.json()["code"] == "unknown_card"
