from datetime import date, timedelta

import pytest

from server.patrons import desk
from server.patrons import service as patrons
from tests.support.counter import Counter
from tests.support.library import ALICE, BO, BOOKS, NOW, add_patron

CHILD = "90000050"


@pytest.fixture
def family(database):
    """Alice and her child, who has borrowed a book."""
    with database.writing() as session:
        guardian = patrons.find(session, ALICE)
        add_patron(session, CHILD, "Little Wu", born_on=date(2018, 5, 1), guardian_id=guardian.id)
    Counter(database).at(NOW - timedelta(days=10)).checkout(CHILD, BOOKS[0])


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(("path", "more"), [("/my/renewals", {"item": BOOKS[0]}), ("/my/renewals/all", {})])
def test_a_guardian_chooses_the_child_and_renews_for_it(alice, path, more):
    assert f'href="/my/loans?card={CHILD}"' in alice.get("/my/loans").text
    assert "Book 1" in alice.get(f"/my/loans?card={CHILD}").text
    page = alice.post(path, data={"request_id": "r-1", "card": CHILD} | more).text
    assert "renewed until" in page
    assert f'name="card" value="{CHILD}"' in page


@pytest.mark.usefixtures("family")
def test_nobody_sees_or_renews_what_a_stranger_has(alice):
    assert "Whose loans" in alice.get("/my/loans").text
    assert alice.get(f"/my/loans?card={BO}").status_code == 403
    assert alice.post("/my/renewals/all", data={"request_id": "r-1", "card": BO}).status_code == 403


def test_the_history_lists_what_was_given_back_for_whom_wanted_it(alice, database):
    counter = Counter(database)
    counter.checkout(ALICE, BOOKS[0])
    counter.checkin(BOOKS[0])
    assert "Book 1" not in alice.get("/my/history").text
    with database.writing() as session:
        patron = patrons.find(session, ALICE)
        desk.edit(session, patron.id, {"keeps_history": True}, actor="tests", at=NOW, today=NOW.date())
    assert "From 2 Mar 2026 to 2 Mar 2026" in alice.get("/my/history").text
