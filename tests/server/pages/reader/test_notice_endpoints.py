from server.notices.models import NoticeRow
from server.patrons import service as patrons
from tests.support.library import ALICE, BO, NOW


def write(database, card, state, subject, body):
    with database.writing() as session:
        session.add(
            NoticeRow(
                token=subject or "t", kind="hold_ready", channel="email", patron_id=patrons.find(session, card).id,
                state=state, code="", created_at=NOW, next_at=NOW, attempts=1, claimed_by="", claimed_until=None,
                settled_at=NOW if state == "sent" else None, subject=subject, body=body,
            )
        )  # fmt: skip


def test_a_reader_reads_what_the_library_has_written_to_them_and_to_nobody_else(alice, database):
    assert "No notices" in alice.get("/my/notices").text
    write(database, ALICE, "sent", "Your book is here", "Please fetch it.")
    write(database, ALICE, "waiting", "", "")
    write(database, BO, "sent", "For Bo", "Secret")
    page = alice.get("/my/notices").text
    assert "Please fetch it." in page
    assert "Will be sent soon" in page
    assert "Ready to fetch" in page
    assert "For Bo" not in page
