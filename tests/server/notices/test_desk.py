"""What staff see of the queue, and do with it."""

from datetime import timedelta

import pytest

from server.audit import service as audit
from server.audit.values import Wanted as AuditWanted
from server.lending.policy import Rule
from server.notices import desk, policy, service
from server.notices.errors import NoticeNotFailedError, NoticeOnItsWayError, UnknownNoticeError
from server.notices.service import Notice
from tests.server.notices.conftest import Library, MailServer
from tests.support.library import ALICE, BO, BOOKS, NOW

A, B = BOOKS[:2]
REMIND = NOW + timedelta(days=8)
NIGHT = REMIND + timedelta(hours=10)
"""Half past ten in the evening in Shanghai."""

BY = {"actor": "user:librarian", "at": REMIND}


@pytest.fixture
def failed(by_mail: Library, mail_server: MailServer) -> Library:
    """Letters to Alice and Bo have failed."""
    by_mail.reach(ALICE, "email").reach(BO, "email")
    by_mail.counter.rule_by(Rule(days=10))
    by_mail.counter.checkout(ALICE, A)
    by_mail.counter.checkout(BO, B)
    office = by_mail.office()
    office.plan(REMIND)
    mail_server.answers = ["550 no such mailbox", "552 mailbox full"]
    assert by_mail.send(office, REMIND) == 0
    return by_mail


def queue(library: Library) -> list[Notice]:
    """Oldest first."""
    return library.counter.ask(lambda session: service.listed(session, service.Wanted(), limit=100))[::-1]


def audited(library: Library, action: str) -> list[str]:
    rows = library.counter.ask(lambda session: audit.page(session, AuditWanted(action=action)))
    return sorted(row.entry.target for row in rows)


def test_the_queue_is_counted_by_state_and_by_what_went_wrong(failed: Library) -> None:
    seen = failed.counter.ask(lambda session: desk.overview(session, failed.office(), REMIND))
    assert (seen.states, seen.held, seen.quiet_until) == ({"failed": 2}, 0, None)
    assert seen.failures == (desk.Failures("email", "mail_refused", 2),)
    assert [(one.channel, one.last_sent_at) for one in seen.channels] == [("email", None)]


def test_what_quiet_hours_hold_back_is_counted_until_they_end(by_mail: Library) -> None:
    by_mail.reach(ALICE, "email").counter.rule_by(Rule(days=10))
    by_mail.counter.checkout(ALICE, A)
    office = by_mail.office()
    office.plan(NIGHT)
    assert by_mail.send(office, NIGHT) == 0
    seen = by_mail.counter.ask(lambda session: desk.overview(session, office, NIGHT))
    assert (seen.held, seen.quiet_until) == (1, NIGHT.replace(hour=0, minute=0) + timedelta(days=1))
    assert by_mail.send(office, seen.quiet_until) == 1
    seen = by_mail.counter.ask(lambda session: desk.overview(session, office, by_mail.clock.at))
    assert (seen.held, seen.quiet_until, seen.channels[0].last_sent_at) == (0, None, by_mail.clock.at)


def test_the_servers_own_words_are_known_while_they_are_on_the_list(failed: Library) -> None:
    first, second = queue(failed)
    told = failed.counter.ask(lambda session: desk.said(session, [first.id, second.id, 999]))
    assert told == {first.id: "550 no such mailbox", second.id: "552 mailbox full"}


def test_sent_again_is_off_the_list_audited_once_and_goes_out(failed: Library, mail_server: MailServer) -> None:
    first, second = queue(failed)
    for _ in range(2):
        again = failed.counter.do(lambda session: desk.retry(session, first.id, **BY))
        assert (again.state, again.code, again.attempts) == ("waiting", "", 0)
    assert [task.detail["notice"] for task in failed.counter.tasks("notice")] == [second.id]
    assert audited(failed, "notice.retry") == [f"notice:{first.id}"]
    assert failed.send(failed.office(), REMIND) == 1
    assert [letter["To"] for letter in mail_server.letters] == [f"{ALICE}@readers.example"]
    with pytest.raises(NoticeNotFailedError):
        failed.counter.do(lambda session: desk.retry(session, first.id, **BY))
    with pytest.raises(UnknownNoticeError):
        failed.counter.do(lambda session: desk.retry(session, 999, **BY))


def test_all_of_a_channel_are_sent_again_once(failed: Library, mail_server: MailServer) -> None:
    def again(channel: str, code: str | None = None) -> int:
        return failed.counter.do(lambda session: desk.retry_failed(session, channel, code, **BY))

    assert [again("webhook"), again("email", "mail_server"), again("email", "mail_refused"), again("email")] == [
        0,
        0,
        2,
        0,
    ]
    assert audited(failed, "notice.retry") == [f"notice:{one.id}" for one in queue(failed)]
    assert failed.counter.tasks("notice") == []
    assert failed.send(failed.office(), REMIND) == 2
    assert len(mail_server.letters) == 2


def test_a_letter_to_somebody_who_is_forgotten_is_not_sent_again(failed: Library) -> None:
    first, _ = queue(failed)
    failed.counter.do(lambda session: service.forget_patron(session, failed.counter.patron_id(ALICE), REMIND))
    assert failed.counter.do(lambda session: desk.retry_failed(session, "email", None, **BY)) == 1
    with pytest.raises(NoticeNotFailedError):
        failed.counter.do(lambda session: desk.retry(session, first.id, **BY))


def test_what_is_given_up_goes_to_nobody_and_is_not_planned_again(failed: Library, mail_server: MailServer) -> None:
    first, second = queue(failed)
    failed.counter.do(lambda session: desk.retry(session, second.id, **BY))
    for number in (first.id, first.id, second.id):
        told = failed.counter.do(lambda session, number=number: desk.give_up(session, number, **BY))
        assert (told.state, told.code, told.settled_at) == ("dropped", policy.GIVEN_UP, REMIND)
    assert audited(failed, "notice.give_up") == [f"notice:{first.id}", f"notice:{second.id}"]
    assert failed.counter.tasks("notice") == []
    office = failed.office()
    assert (office.plan(REMIND), failed.send(office, REMIND), mail_server.letters) == (0, 0, [])


def test_what_is_in_hand_or_sent_is_not_given_up(failed: Library) -> None:
    first, _ = queue(failed)
    failed.counter.do(lambda session: desk.retry(session, first.id, **BY))
    failed.counter.do(lambda session: service.claim(session, "somebody", REMIND))
    with pytest.raises(NoticeOnItsWayError):
        failed.counter.do(lambda session: desk.give_up(session, first.id, **BY))
    assert failed.counter.do(lambda session: desk.retry(session, first.id, **BY)).state == "sending"
