from decimal import Decimal

import pytest

from server.fees import service as fees
from server.patrons import service as patrons
from tests.support.library import ALICE, NOW


@pytest.fixture
def charged(database):
    """Alice owes 5.50 of a fee of 8.00."""
    with database.writing() as session:
        patron = patrons.find(session, ALICE)
        fees.charge(session, patron.id, "damage", Decimal("8.00"), at=NOW, actor="user:librarian", reason="cover torn")
        fees.pay(session, patron.id, Decimal("2.50"), payment_id="p-1", means="cash", actor="user:librarian", at=NOW)


def test_a_reader_who_owes_nothing_is_told_so(alice):
    page = alice.get("/my/fees").text
    assert "You owe nothing" in page
    assert "Nothing was booked so far." in page


@pytest.mark.usefixtures("charged")
def test_open_fees_and_what_was_booked_are_told_and_how_to_pay(alice):
    page = alice.get("/my/fees").text
    assert "You owe CN¥5.50" in page
    assert "of CN¥8.00" in page
    assert "cover torn" in page
    assert "Pay at the desk" in page
    assert page.index("-CN¥2.50") < page.rindex("CN¥8.00")
    assert "librarian" not in page


@pytest.mark.usefixtures("charged")
def test_amounts_are_written_as_the_language_does(alice):
    assert "¥5.50" in alice.get("/my/fees?lang=zh-CN").text
