"""Letters are planned once, sent once, and tried again when they were not taken."""

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage

from sqlalchemy import update

from server.fees import service as fees
from server.lending.policy import Rule
from server.notices import policy, service
from server.notices.models import NoticeRow
from server.patrons.models import PatronRow
from tests.server.notices.conftest import SECRET, Library, MailServer, Receiver
from tests.support.counter import Counter
from tests.support.library import ALICE, BO, BOOKS, NOW

A, B, C = BOOKS[:3]
REMIND = NOW + timedelta(days=8)
"""Two days before loans of ten days are due."""


def due_soon(library: Library, card: str = ALICE, *barcodes: str) -> Counter:
    """Loans that are due in two days."""
    library.counter.rule_by(Rule(days=10, renewals=2))
    library.counter.checkout(card, *(barcodes or (A,)))
    return library.counter.at(REMIND)


def deal(library: Library, now: datetime) -> int:
    """As one process does; how many letters went out."""
    office = library.office()
    office.plan(now)
    return library.send(office, now)


def text_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\r\n", "\n")


def states(library: Library) -> list[tuple[str, str, str, int]]:
    found = library.counter.ask(lambda session: service.listed(session, service.Wanted(), limit=100))
    return [(one.kind, one.state, one.code, one.attempts) for one in reversed(found)]


def test_one_letter_tells_of_all_that_is_due_soon(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"), ALICE, A, B)
    assert deal(by_mail, REMIND) == 1
    (letter,) = mail_server.letters
    assert (letter["To"], letter["From"]) == (f"{ALICE}@readers.example", "desk@library.example")
    assert letter["Subject"] == "Due soon: 2 items from Town Library"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@library.example>")
    text = text_of(letter)
    assert "- Book 1 (30000001): due 12 March 2026\n- Book 2 (30000002): due 12 March 2026\n" in text
    assert "Book" not in letter["Subject"]


def test_letters_are_in_the_patrons_own_language(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(BO, "email"), BO)
    deal(by_mail, REMIND)
    (letter,) = mail_server.letters
    assert letter["Subject"] == "市图书馆：您有 1 件馆藏即将到期"
    assert "《Book 1》（30000001）：2026年3月12日到期" in text_of(letter)
    assert letter["Content-Language"] == "zh-CN"


def test_nothing_is_told_twice_also_not_by_a_process_that_starts_anew(
    by_mail: Library, mail_server: MailServer
) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    assert [deal(by_mail, REMIND + timedelta(hours=hours)) for hours in (0, 1, 2)] == [1, 0, 0]
    assert len(mail_server.letters) == 1


def test_several_processes_send_each_letter_once(by_mail: Library, mail_server: MailServer) -> None:
    by_mail.reach(ALICE, "email").reach(BO, "email")
    due_soon(by_mail, ALICE, A, B)
    by_mail.counter.checkout(BO, C)
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: deal(by_mail, REMIND), range(8)))
    assert sum(sent) == 2
    assert sorted(letter["To"] for letter in mail_server.letters) == [
        f"{ALICE}@readers.example",
        f"{BO}@readers.example",
    ]


def test_who_chose_no_channel_is_not_written_to(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "webhook"))
    assert deal(by_mail, REMIND) == 0
    assert (states(by_mail), mail_server.letters) == ([], [])


def test_a_book_that_came_back_meanwhile_is_not_told_of(by_mail: Library, mail_server: MailServer) -> None:
    counter = due_soon(by_mail.reach(ALICE, "email"), ALICE, A, B)
    office = by_mail.office()
    office.plan(REMIND)
    counter.checkin(A)
    assert by_mail.send(office, REMIND) == 1
    assert "Book 1 " not in text_of(mail_server.letters[0])


def test_a_letter_with_nothing_left_to_tell_is_dropped(by_mail: Library, mail_server: MailServer) -> None:
    counter = due_soon(by_mail.reach(ALICE, "email"))
    office = by_mail.office()
    office.plan(REMIND)
    counter.checkin(A)
    assert (by_mail.send(office, REMIND), mail_server.letters) == (0, [])
    assert states(by_mail) == [("due_soon", "dropped", "", 1)]


def test_a_renewed_loan_is_told_of_again_for_its_new_day(by_mail: Library, mail_server: MailServer) -> None:
    counter = due_soon(by_mail.reach(ALICE, "email"))
    deal(by_mail, REMIND)
    counter.renew(ALICE, A)
    assert [deal(by_mail, REMIND + timedelta(days=days)) for days in (1, 8, 9, 10)] == [0, 0, 1, 0]
    assert len({letter["Message-ID"] for letter in mail_server.letters}) == 2


def test_overdue_letters_come_in_steps(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    sent = [deal(by_mail, NOW + timedelta(days=10 + late)) for late in range(1, 25)]
    assert [late for late, count in enumerate(sent, 1) if count] == [1, 7, 21]
    assert "7 days ago" in text_of(mail_server.letters[1])


def test_nothing_goes_out_in_quiet_hours(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    late = REMIND.replace(hour=14, minute=0)  # 22:00 in Shanghai
    assert deal(by_mail, late) == 0
    assert states(by_mail) == [("due_soon", "waiting", "", 0)]
    assert deal(by_mail, late + timedelta(hours=9, minutes=59)) == 0
    assert deal(by_mail, late + timedelta(hours=10)) == 1
    assert len(mail_server.letters) == 1


def test_a_hold_is_told_of_when_it_is_ready_and_before_it_is_over(by_mail: Library, mail_server: MailServer) -> None:
    by_mail.reach(BO, "email")
    by_mail.counter.hold(BO, A)
    assert deal(by_mail, NOW) == 0
    by_mail.counter.checkin(A, accept_not_on_loan=True)
    sent = [deal(by_mail, NOW + timedelta(days=day)) for day in range(10)]
    assert sum(sent) == 2
    assert [letter["Subject"] for letter in mail_server.letters] == [
        "市图书馆：您预约的馆藏已到",
        "市图书馆：您预约的馆藏即将停止保留",
    ]


def test_a_fee_is_told_of_unless_it_is_paid_at_once(by_mail: Library, mail_server: MailServer) -> None:
    by_mail.reach(ALICE, "email").reach(BO, "email")
    amounts = {by_mail.counter.patron_id(ALICE): Decimal("2.50"), by_mail.counter.patron_id(BO): Decimal("0.50")}
    for patron_id, amount in amounts.items():
        by_mail.counter.do(
            lambda session, key=patron_id, owed=amount: fees.charge(
                session, key, "overdue", owed, at=NOW, actor="user:librarian"
            )
        )
    assert [deal(by_mail, NOW + timedelta(minutes=minutes)) for minutes in (0, 59, 60, 120)] == [0, 0, 1, 0]
    assert "2 March 2026: late return: CN¥2.50" in text_of(mail_server.letters[0])
    assert "you owe CN¥2.50" in text_of(mail_server.letters[0])


def test_a_mail_server_that_is_away_is_asked_again_later(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    mail_server.answers = ["451 try later", "421 busy"]
    assert deal(by_mail, REMIND) == 0
    assert states(by_mail) == [("due_soon", "waiting", "mail_refused", 1)]
    assert deal(by_mail, REMIND + timedelta(seconds=59)) == 0
    assert deal(by_mail, REMIND + timedelta(minutes=1)) == 0
    assert deal(by_mail, REMIND + timedelta(minutes=6)) == 1
    assert states(by_mail) == [("due_soon", "sent", "", 3)]
    assert len(mail_server.letters) == 1


def test_what_is_not_taken_in_the_end_is_on_the_staffs_list(by_mail: Library) -> None:
    by_mail.ask_for(mail=by_mail.config.mail.model_dump() | {"port": 1}, quiet_from="00:00", quiet_until="00:00")
    due_soon(by_mail.reach(ALICE, "email"))
    now = REMIND
    for _ in range(len(policy.PAUSES) + 1):
        deal(by_mail, now)
        now += max(policy.PAUSES)
    assert states(by_mail) == [("due_soon", "failed", "mail_server", 7)]
    (task,) = by_mail.counter.tasks("notice")
    assert (task.code, task.detail["kind"], task.patron_id) == (
        "mail_server",
        "due_soon",
        by_mail.counter.patron_id(ALICE),
    )


def test_an_address_that_is_refused_is_not_tried_again_by_itself(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    mail_server.answers = ["550 no such mailbox"]
    assert [deal(by_mail, REMIND), deal(by_mail, REMIND + timedelta(hours=1))] == [0, 0]
    assert states(by_mail) == [("due_soon", "failed", "mail_refused", 1)]
    (task,) = by_mail.counter.tasks("notice")
    assert "550 no such mailbox" in task.detail["said"]


def test_a_letter_whose_sender_died_is_sent_by_another_with_the_same_number(
    by_mail: Library, mail_server: MailServer
) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    by_mail.office().plan(REMIND)
    claimed = by_mail.counter.do(lambda session: service.claim(session, "dead", REMIND))
    assert claimed is not None
    assert deal(by_mail, REMIND + policy.LEASE - timedelta(seconds=1)) == 0
    assert deal(by_mail, REMIND + policy.LEASE) == 1
    assert mail_server.letters[0]["Message-ID"] == f"<{claimed.token}@library.example>"
    by_mail.counter.do(lambda session: service.settled(session, claimed, "dead", letter=None, now=REMIND))
    assert states(by_mail) == [("due_soon", "sent", "", 2)]


def test_a_webhook_is_signed_and_numbered(by_webhook: Library, receiver: Receiver) -> None:
    due_soon(by_webhook.reach(ALICE, "webhook", phone="+86 10 1234"))
    receiver.answers = [500]
    assert [deal(by_webhook, REMIND + timedelta(minutes=minutes)) for minutes in (0, 1)] == [0, 1]
    for headers, body in receiver.posts:
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["carrel-signature"] == f"sha256={signature}"
    first, second = receiver.facts()
    assert (
        receiver.posts[0][0]["idempotency-key"]
        == receiver.posts[1][0]["idempotency-key"]
        == first["id"]
        == second["id"]
    )
    assert (second["kind"], second["patron"]["phone"], second["language"]) == ("due_soon", "+86 10 1234", "en")
    assert second["lines"] == [{"title": "Book 1", "barcode": A, "due": "2026-03-12", "days_late": 0}]


def test_a_webhook_that_says_no_is_not_asked_again(by_webhook: Library, receiver: Receiver) -> None:
    due_soon(by_webhook.reach(ALICE, "webhook"))
    receiver.answers = [422]
    assert [deal(by_webhook, REMIND + timedelta(hours=hours)) for hours in (0, 1)] == [0, 0]
    assert states(by_webhook) == [("due_soon", "failed", "webhook_refused", 1)]


def test_both_channels_get_the_same_news_once(by_mail: Library, mail_server: MailServer, receiver: Receiver) -> None:
    by_mail.ask_for(webhook={"url": receiver.url, "secret": SECRET})
    due_soon(by_mail.reach(ALICE, "email", "webhook"))
    assert [deal(by_mail, REMIND), deal(by_mail, REMIND)] == [2, 0]
    assert (len(mail_server.letters), len(receiver.posts)) == (1, 1)


def test_texts_and_patrons_are_forgotten(by_mail: Library) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    deal(by_mail, REMIND)
    alice = by_mail.counter.patron_id(ALICE)

    def kept() -> list[str]:
        return [one.body[:4] for one in by_mail.counter.ask(lambda session: service.of_patron(session, alice))]

    def forget(days: int) -> int:
        return by_mail.counter.do(lambda session: service.forget(session, REMIND + timedelta(days=days), keep_days=30))

    assert (kept(), forget(30), kept()) == (["Dear"], 0, ["Dear"])
    assert (forget(31), kept(), forget(31)) == (1, [], 0)
    assert deal(by_mail, REMIND) == 0, "it is still known that this was told"


def test_letters_to_somebody_who_is_forgotten_stay_at_home(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    office = by_mail.office()
    office.plan(REMIND)
    alice = by_mail.counter.patron_id(ALICE)
    by_mail.counter.do(lambda session: service.forget_patron(session, alice, REMIND))
    assert (by_mail.send(office, REMIND), mail_server.letters) == (0, [])
    assert states(by_mail) == [("due_soon", "dropped", "", 0)]


def test_an_office_that_is_to_stop_stops_between_two_letters(by_mail: Library, mail_server: MailServer) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    office = by_mail.office()
    office.plan(REMIND)
    by_mail.stopping.set()
    assert (by_mail.send(office, REMIND), mail_server.letters) == (0, [])


def test_an_address_that_cannot_be_written_is_final(by_mail: Library) -> None:
    due_soon(by_mail.reach(ALICE, "email"))
    by_mail.office().plan(REMIND)
    alice = by_mail.counter.patron_id(ALICE)
    broken = update(PatronRow).where(PatronRow.id == alice).values(email="a b@c\r\nBcc: x@y.example")
    by_mail.counter.do(lambda session: session.execute(broken))
    assert by_mail.send(by_mail.office(), REMIND) == 0
    assert states(by_mail) == [("due_soon", "failed", "mail_refused", 1)]


def test_rows_keep_their_order_of_waiting(by_mail: Library, mail_server: MailServer) -> None:
    by_mail.reach(ALICE, "email").reach(BO, "email")
    due_soon(by_mail, ALICE, A)
    by_mail.counter.checkout(BO, C)
    office = by_mail.office()
    office.plan(REMIND)
    first = update(NoticeRow).where(NoticeRow.patron_id == by_mail.counter.patron_id(BO))
    by_mail.counter.do(lambda session: session.execute(first.values(next_at=REMIND - timedelta(hours=1))))
    assert by_mail.send(office, REMIND) == 2
    assert [letter["To"] for letter in mail_server.letters] == [f"{BO}@readers.example", f"{ALICE}@readers.example"]
