"""A child who has chosen no channel: the guardian is written to."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from server.lending.policy import Rule
from server.notices import service
from server.patrons import service as patrons
from server.patrons.models import PatronRow
from server.patrons.service import NewPatron
from tests.server.notices.conftest import Library, MailServer, Receiver
from tests.server.notices.test_sending import REMIND, deal, states, text_of
from tests.support.library import ALICE, BO, BOOKS, NOW

CHILD, CHILD_NAME = "90000077", "张小雨"
TEN, EIGHTEEN = date(2016, 1, 1), date(2008, 1, 1)


def child_of(library: Library, card: str, *, born_on: date = TEN, **more: Any) -> Library:
    """A child with something that is due in two days."""
    guardian_id = library.counter.patron_id(card)
    new = NewPatron(CHILD, CHILD_NAME, born_on=born_on, guardian_id=guardian_id, **more)
    library.counter.do(lambda session: patrons.add(session, new, NOW))
    library.counter.rule_by(Rule(days=10, renewals=2))
    library.counter.checkout(CHILD, BOOKS[0])
    library.counter.at(REMIND)
    return library


def test_the_guardian_reads_whom_it_is_about_in_their_own_language(by_mail: Library, mail_server: MailServer) -> None:
    child_of(by_mail.reach(ALICE, "email", language="en"), ALICE)
    assert deal(by_mail, REMIND) == 1
    (letter,) = mail_server.letters
    assert letter["To"] == f"{ALICE}@readers.example"
    assert CHILD_NAME not in letter["Subject"]
    text = text_of(letter)
    assert text.startswith("Dear Alice")
    assert f"\n\nThis is about {CHILD_NAME}, whose guardian you are.\n\nplease bring back" in text
    assert "Book 1" in text


def test_chinese_guardians_too(by_mail: Library, mail_server: MailServer) -> None:
    child_of(by_mail.reach(BO, "email", language="zh-CN"), BO)
    assert deal(by_mail, REMIND) == 1
    assert f"张波，您好：\n\n这封信与您监护的{CHILD_NAME}有关。\n\n以下" in text_of(mail_server.letters[0])


def test_the_letter_is_among_the_child_s(by_mail: Library) -> None:
    child_of(by_mail.reach(ALICE, "email"), ALICE)
    deal(by_mail, REMIND)
    child_id = by_mail.counter.patron_id(CHILD)
    found = by_mail.counter.ask(lambda session: service.of_patron(session, child_id))
    assert [one.state for one in found] == ["sent"]


def test_a_child_s_own_choice_comes_first(by_mail: Library, mail_server: MailServer) -> None:
    by_mail.reach(ALICE, "email")
    child_of(by_mail, ALICE, email="child@readers.example", channels=("email",))
    assert deal(by_mail, REMIND) == 1
    (letter,) = mail_server.letters
    assert letter["To"] == "child@readers.example"
    assert "guardian" not in text_of(letter)
    assert "监护" not in text_of(letter)


@pytest.mark.parametrize(("channels", "born_on"), [((), TEN), (("email",), EIGHTEEN)], ids=["silent", "of-age"])
def test_nobody_is_written_to(
    by_mail: Library, mail_server: MailServer, channels: tuple[str, ...], born_on: date
) -> None:
    child_of(by_mail.reach(ALICE, *channels), ALICE, born_on=born_on)
    assert deal(by_mail, REMIND) == 0
    assert mail_server.letters == []


def test_what_was_planned_for_a_guardian_is_not_sent_once_the_child_is_of_age(
    by_mail: Library, mail_server: MailServer
) -> None:
    birthday = date(REMIND.year - 18, REMIND.month, REMIND.day + 1)
    library = child_of(by_mail.reach(ALICE, "email"), ALICE, born_on=birthday)
    office = library.office()
    assert office.plan(REMIND) == 1
    assert library.send(office, REMIND.replace(day=REMIND.day + 1)) == 0
    assert mail_server.letters == []
    assert states(library) == [("due_soon", "dropped", "", 1)]


def test_a_webhook_gets_both(by_webhook: Library, receiver: Receiver) -> None:
    child_of(by_webhook.reach(ALICE, "webhook", phone="+86 10 1234"), ALICE)
    assert deal(by_webhook, REMIND) == 1
    (facts,) = receiver.facts()
    assert facts["patron"]["phone"] == "+86 10 1234"
    assert facts["about"] == {"id": by_webhook.counter.patron_id(CHILD), "name": CHILD_NAME}


def test_a_guardian_who_is_forgotten_hears_of_nothing(by_mail: Library, mail_server: MailServer) -> None:
    child_of(by_mail.reach(ALICE, "email"), ALICE)
    gone = update(PatronRow).where(PatronRow.id == by_mail.counter.patron_id(ALICE)).values(anonymised_at=NOW)
    by_mail.counter.do(lambda session: session.execute(gone))
    assert deal(by_mail, REMIND) == 0
    assert mail_server.letters == []
