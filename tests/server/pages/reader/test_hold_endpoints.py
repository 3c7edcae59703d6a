import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from server.catalogue import service as catalogue
from server.catalogue.models import RecordRow
from server.catalogue.service import NewItem
from server.lending import service as lending
from tests.support.counter import Counter
from tests.support.library import ALICE, BLOCKED, BO, BOOKS, NOW, PIN, REFERENCE


@pytest.fixture
def counter(database):
    return Counter(database)


@pytest.fixture
def title(database):
    """Gives the address of the title that an item belongs to."""

    def of(barcode):
        with database.reading() as session:
            return f"/titles/{catalogue.items_by_barcode(session, [barcode])[barcode].record_id}"

    return of


@pytest.fixture
def allow(database):
    """Changes the library's policy."""

    def change(**values):
        with database.writing() as session:
            lending.set_policy(session, replace(lending.current(session).policy, **values), actor="tests", at=NOW)

    return change


def reserve(web, address, **fields):
    return web.post(f"{address}/holds", data={"request_id": "r-1", "pickup": "main"} | fields).text


def test_whoever_has_not_signed_in_is_led_there_and_back(web, title):
    address = title(BOOKS[0])
    assert f'href="/sign-in?next={address}"' in web.get(address).text
    answer = web.post(f"{address}/holds", data={"request_id": "r-1"}, follow_redirects=False)
    assert answer.headers["location"].startswith("/sign-in")
    for path in ("/my/holds", "/my/fees", "/my/notices", "/my/account", "/my/history"):
        assert web.get(path, follow_redirects=False).headers["location"] == f"/sign-in?next={path}"


def test_a_title_is_reserved_and_tells_the_place_in_its_queue(alice, counter, title):
    counter.checkout(BO, BOOKS[0])
    page = reserve(alice, title(BOOKS[0]))
    assert "This title is reserved for you." in page
    assert "Place 1 of 1 in the queue" in page
    assert "To be fetched at Main library." in page


def test_how_long_one_will_probably_wait_is_said_before_and_after(alice, web, counter, title):
    address = title(BOOKS[0])
    assert "probably" not in web.get(address).text.lower(), "a copy stands on the shelf"
    counter.checkout(BO, BOOKS[0])
    assert "Reserved now, it is probably ready by 1 Apr 2026." in web.get(address).text
    assert "Probably ready by 1 Apr 2026." in reserve(alice, address)
    assert "Probably ready by 1 Apr 2026." in alice.get("/my/holds").text
    (mine,) = alice.get("/api/v1/patrons/me/holds").json()["holds"]
    assert mine["expected_on"] == "2026-04-01"
    counter.change_item(BOOKS[0], for_loan=False)
    assert "When a copy will come back is not known." in alice.get("/my/holds").text
    alice.post(f"/my/holds/{mine['id']}/pause")
    assert alice.get("/api/v1/patrons/me/holds").json()["holds"][0]["expected_on"] is None


def test_a_hidden_title_keeps_its_name_but_has_no_link_for_readers(alice, counter, database, title):
    counter.checkout(ALICE, BOOKS[0])
    counter.hold(ALICE, BOOKS[1])
    pages = {"/my/loans": title(BOOKS[0]), "/my/holds": title(BOOKS[1])}
    for page, address in pages.items():
        assert f'<a href="{address}">' in alice.get(page).text
    with database.writing() as session:
        session.execute(update(RecordRow).values(suppressed=True))
    for page, address in pages.items():
        assert alice.get(address).status_code == 404
        shown = alice.get(page).text
        assert f'href="{address}"' not in shown
        assert re.search(r'class="title">[^<]+</h', shown)


def test_pressing_twice_reserves_once(alice, title):
    pages = [reserve(alice, title(BOOKS[0])) for _ in range(2)]
    assert ["Place 1 of 1 in the queue" in page for page in pages] == [True, True]


def test_the_queue_is_told_to_everybody_and_names_nobody(web, counter, title):
    counter.hold(BO, BOOKS[0])
    page = web.get(title(BOOKS[0])).text
    assert "1 reader is waiting for this title." in page
    assert "张波" not in page


def test_a_copy_on_loan_says_when_it_is_due(web, counter, title):
    (lent,) = counter.checkout(BO, BOOKS[0])
    assert f"Due {lent.due.day} {lent.due:%b %Y}" in web.get(title(BOOKS[0])).text


def test_one_copy_alone_can_be_reserved(alice, database, title):
    address = title(BOOKS[0])
    with database.writing() as session:
        catalogue.add_item(session, int(address.rpartition("/")[2]), NewItem("30000099", branch="main"))
    assert "Only 30000099" in alice.get(address).text
    reserve(alice, address, barcode="30000099")
    assert alice.get("/api/v1/patrons/me/holds").json()["holds"][0]["barcode"] == "30000099"


def test_a_copy_of_another_title_is_no_copy_of_this_one(alice, title):
    answer = alice.post(f"{title(BOOKS[0])}/holds", data={"request_id": "r-1", "barcode": BOOKS[1]})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("card", "barcode", "rules", "words"),
    [
        (ALICE, BOOKS[0], {"hold_limit": 0}, "You have reached the limit of 0 reservations."),
        (ALICE, BOOKS[0], {"hold_on_shelf_allowed": False}, "A copy stands on the shelf."),
        (ALICE, BOOKS[0], {"branches": ("east",)}, "There is no such branch."),
        (ALICE, REFERENCE, {}, "for use in the library only"),
        (BLOCKED, BOOKS[0], {}, "This account is blocked."),
    ],
)
def test_a_refusal_names_the_rule(web, title, allow, card, barcode, rules, words):
    if rules:
        allow(**rules)
    web.post("/sign-in", data={"user": card, "password": PIN})
    assert words in reserve(web, title(barcode))


def test_only_known_codes_in_the_address_become_words(alice, title):
    for path in (title(BOOKS[0]), "/my/holds", "/my/account"):
        page = alice.get(f"{path}?refused=call_555&done=call_555").text
        assert 'class="notice warn' not in page
        assert 'class="notice ok' not in page


def test_reservations_are_paused_resumed_and_cancelled(alice, counter):
    counter.checkout(BO, BOOKS[0])
    hold = counter.hold(ALICE, BOOKS[0]).hold
    over = alice.post(f"/my/holds/{hold}/pause", data={"until": "2026-01-01"}).text
    assert "This day is over. Choose a later one, or none." in over
    page = alice.post(f"/my/holds/{hold}/pause", data={"until": "2026-04-01"}).text
    assert "Paused. The reservation keeps its place" in page
    assert "Waits again from 1 Apr 2026." in page
    today = alice.post(f"/my/holds/{hold}/pause", data={"until": "2026-03-02"}).text
    assert "Place 1 of 1" in today, "a pause is over on its day"
    assert "Waits again from" not in today
    assert "Place 1 of 1" in alice.post(f"/my/holds/{hold}/resume").text
    page = alice.post(f"/my/holds/{hold}/cancel").text
    assert "The reservation is cancelled." in page
    assert "Ended in the last 30 days" in page
    assert "There is no such hold." in alice.post(f"/my/holds/{hold}/resume").text


def test_what_is_ready_stands_above_and_says_where_and_until_when(alice, counter):
    counter.checkout(BO, BOOKS[1])
    counter.hold(ALICE, BOOKS[1])
    counter.checkout(BO, BOOKS[0])
    ready = counter.hold(ALICE, BOOKS[0]).hold
    counter.checkin(BOOKS[0])
    page = alice.get("/my/holds").text
    assert page.index("Book 1<") < page.index("Book 2<")
    assert re.search(r"Fetch it at Main library by \d+ Mar 2026\.", page)
    assert "waits 7 days. If you do not fetch it, the reservation ends" in page
    assert "Something is set aside for this hold already" in alice.post(f"/my/holds/{ready}/pause").text


def test_nobody_touches_another_readers_reservation(alice, counter):
    hold = counter.hold(BO, BOOKS[0]).hold
    assert "There is no such hold." in alice.post(f"/my/holds/{hold}/cancel").text
    assert alice.post(f"/my/holds/{hold}/steal").status_code == 422
