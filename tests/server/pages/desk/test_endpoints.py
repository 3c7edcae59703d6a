"""The desk over HTTP, as a browser without scripts sends its forms; and as htmx asks."""

import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from server.db import Database
from server.deps import Role
from tests.support.library import (
    ALICE,
    BLOCKED,
    BO,
    BOOKS,
    EXPIRED,
    PASSWORD,
    PIN,
    REFERENCE,
    ManualClock,
    add_patron,
    colleague,
)

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
HTMX = PAGE | {"HX-Request": "true"}
HOLD = re.compile(r'action="/desk/holds/(\d+)/cancel"')
BOOK, OTHER = BOOKS[0], BOOKS[1]


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    assert answer.status_code == 200, answer.text[:800]
    shown = re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])
    return re.sub(r"\s+", " ", html.unescape(shown))


@pytest.fixture
def desk(client: TestClient) -> TestClient:
    """A librarian's browser."""
    sign_in(client)
    return client


def sign_in(client: TestClient) -> None:
    client.post("/sign-in", data={"user": Role.LIBRARIAN.value, "password": PASSWORD})


def later(client: TestClient, clock: ManualClock, **by: float) -> None:
    """Another day: sessions have ended meanwhile."""
    clock.advance(**by)
    sign_in(client)


def scan(client: TestClient, code: str, card: str = "", **more: Any) -> str:
    return text(client.post("/desk/scan", data={"code": code, "card": card, **more}, headers=PAGE))


def post(client: TestClient, path: str, **data: Any) -> str:
    return text(client.post(f"/desk/{path}", data=data, headers=PAGE))


def test_after_an_ended_session_one_is_back_where_one_was(client: TestClient) -> None:
    here = f"/desk?card={ALICE}"
    answer = client.get(here, headers=PAGE, follow_redirects=False)
    assert answer.headers["location"] == f"/sign-in?next={quote(here)}"
    by_script = {"HX-Request": "true", "Referer": f"http://testserver{here}"}
    answer = client.post("/desk/scan", data={"code": BOOK}, headers=PAGE | by_script)
    assert answer.headers["hx-redirect"] == f"/sign-in?next={quote(here)}&undone=1"
    assert "what you sent last was not done" in text(client.get(answer.headers["hx-redirect"], headers=PAGE))
    told = {"user": Role.LIBRARIAN.value, "next": here, "undone": "1"}
    wrong = client.post("/sign-in", data=told | {"password": "wrong"}, headers=PAGE)
    assert (wrong.status_code, "was not done" in wrong.text) == (401, True)
    answer = client.post("/sign-in", data=told | {"password": PASSWORD}, headers=PAGE)
    assert "Alice Wu" in text(answer)


@pytest.mark.parametrize("typed", ["９００００００１", " 9000 0001"])
def test_a_card_typed_wide_or_with_blanks_opens_its_reader(desk: TestClient, typed: str) -> None:
    assert "Alice Wu" in scan(desk, typed)
    assert "Alice Wu" in text(desk.get("/patrons", params={"q": typed}, headers=PAGE))


def test_nobody_else_comes_to_the_desk(client: TestClient) -> None:
    for method, path in (("GET", "/desk"), ("POST", "/desk/scan"), ("GET", "/desk/slips/1")):
        answer = client.request(method, path, headers=PAGE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"][:9]) == (303, "/sign-in?")
    for who, secret in ((ALICE, PIN), (Role.DUTY_STAFF.value, PASSWORD)):
        client.post("/sign-in", data={"user": who, "password": secret})
        assert client.get("/desk", headers=PAGE).status_code == 403
        assert client.post("/desk/scan", data={"code": BOOK}, headers=PAGE).status_code == 403
        assert 'href="/desk"' not in client.get("/", headers=PAGE).text
        client.cookies.clear()
    client.post("/sign-in", data={"user": Role.ADMINISTRATOR.value, "password": PASSWORD})
    assert 'href="/desk"' in client.get("/", headers=PAGE).text


def test_a_card_opens_its_reader_and_items_are_lent(desk: TestClient) -> None:
    assert "Alice Wu" in scan(desk, ALICE)
    shown = scan(desk, BOOK, ALICE)
    assert "Lent until 1 Apr 2026." in shown
    assert "1 on loan 5 more allowed" in shown
    assert "This reader has this item already." in scan(desk, BOOK, ALICE)
    assert "Alice Wu" in text(desk.get("/desk", params={"card": ALICE}, headers=PAGE))


def test_without_a_reader_items_are_returned_to_their_shelf(desk: TestClient) -> None:
    scan(desk, BOOK, ALICE)
    assert "Returned. To its shelf: stacks I0/1" in scan(desk, BOOK)
    assert "It was not on loan." in scan(desk, BOOK)


def test_a_set_that_lacks_a_part_is_laid_aside_until_it_is_scanned_whole(desk: TestClient) -> None:
    assert "how many are there" not in scan(desk, OTHER)
    assert desk.patch(f"/api/v1/items/{BOOK}", json={"tags": 3}).is_success
    scan(desk, BOOK, ALICE)
    shown = scan(desk, BOOK)
    assert "Returned. To its shelf" in shown
    assert "A set of 3 parts: how many are there?" in shown
    shown = post(desk, "return", item=BOOK, parts="2")
    assert "A part is missing. Lay it aside: it is on the list of incomplete items." in shown
    assert "how many are there" not in shown
    listed = text(desk.get("/worklists?list=incomplete", headers=PAGE))
    assert BOOK in listed
    assert "2 of 3 parts are here." in listed
    scan(desk, BOOK)
    assert BOOK not in text(desk.get("/worklists?list=incomplete", headers=PAGE))


def test_a_number_of_a_card_and_of_an_item_is_the_items_for_an_open_reader(
    desk: TestClient, database: Database
) -> None:
    with database.writing() as session:  # as it was possible once
        add_patron(session, BOOK, "Eve Barnes")
    seen = scan(desk, BOOK)
    assert "This is the number of a card and of an item." in seen
    assert "Eve Barnes" in seen
    assert "Lent until 1 Apr 2026." in scan(desk, BOOK, ALICE)


def test_what_cannot_be_read_or_found_is_told(desk: TestClient) -> None:
    assert "Nothing was scanned." in scan(desk, "  ")
    assert "neither a card nor a barcode" in scan(desk, "红楼梦")
    assert "Neither a copy nor a card has this number." in scan(desk, "777")
    assert "There is no reader with this card." in text(desk.get("/desk", params={"card": "777"}, headers=PAGE))


def test_a_block_names_its_rule_and_staff_may_insist_with_a_reason(desk: TestClient) -> None:
    assert "This account is blocked." in scan(desk, BLOCKED)
    answer = desk.post("/desk/scan", data={"code": REFERENCE, "card": BLOCKED}, headers=PAGE)
    assert 'name="overrides" value="patron_blocked"' in answer.text
    sent = {"card": BLOCKED, "item": REFERENCE, "overrides": ["patron_blocked"], "reason": "agreed by phone"}
    again = desk.post("/desk/lend", data=sent, headers=PAGE)
    assert "for use in the library only" in text(again)
    assert re.findall(r'name="overrides" value="(\w+)"', again.text) == ["patron_blocked", "not_for_loan"]
    without = post(desk, "lend", **sent | {"overrides": ["patron_blocked", "not_for_loan"], "reason": " "})
    assert "This account is blocked." in without
    assert "Lent until" in post(desk, "lend", **sent | {"overrides": ["patron_blocked", "not_for_loan"]})
    log = desk.get("/api/v1/audit", headers=colleague(desk, Role.ADMINISTRATOR)).text
    assert "agreed by phone" in log


def test_the_reason_for_each_of_two_rules_is_kept(desk: TestClient) -> None:
    sent = {"card": BLOCKED, "item": REFERENCE, "overrides": ["patron_blocked"], "reason": "agreed by phone"}
    again = desk.post("/desk/lend", data=sent, headers=PAGE).text
    (given,) = re.findall(r'name="given" value="([^"]+)"', again)
    both = re.findall(r'name="overrides" value="(\w+)"', again)
    post(desk, "lend", **sent | {"overrides": both, "given": given, "reason": "for an exhibition"})
    log = desk.get("/api/v1/audit", headers=colleague(desk, Role.ADMINISTRATOR)).text
    assert "agreed by phone; for an exhibition" in log


def test_what_nobody_may_override_offers_no_reason(desk: TestClient) -> None:
    answer = desk.post("/desk/lend", data={"card": ALICE, "item": "777", "overrides": ["unknown_item"], "reason": "x"})
    assert "overrides" not in answer.text


def test_an_ended_membership_tells_its_day(desk: TestClient) -> None:
    assert "The membership ended on 1 Mar 2026." in scan(desk, EXPIRED)


def test_an_item_on_anothers_loan_is_taken_back_first(desk: TestClient) -> None:
    scan(desk, BOOK, ALICE)
    assert "Take it back first, then lend it" in scan(desk, BOOK, BO)
    assert "Lent until" in post(desk, "lend", card=BO, item=BOOK, implicit_return="true")
    assert "0 on loan" in scan(desk, ALICE)


def test_loans_are_renewed_one_or_all(desk: TestClient, clock: ManualClock) -> None:
    scan(desk, BOOK, ALICE)
    scan(desk, OTHER, ALICE)
    later(desk, clock, days=3)
    assert "Book 1 30000001 Renewed until 1 May 2026." in post(desk, "renew", card=ALICE, item=BOOK)
    later(desk, clock, days=3)
    shown = post(desk, "renew", card=ALICE)
    assert "Renewed until 31 May 2026." in shown
    assert "Renewed until 1 May 2026." in shown


def test_a_renewal_that_is_refused_can_be_insisted_on(desk: TestClient, clock: ManualClock) -> None:
    scan(desk, BOOK, ALICE)
    later(desk, clock, days=40)
    answer = desk.post("/desk/renew", data={"card": ALICE, "item": BOOK}, headers=PAGE)
    assert "Renew all the same" in text(answer)
    insisted = {"card": ALICE, "item": BOOK, "overrides": ["overdue"], "reason": "was ill"}
    assert "Renewed until" in post(desk, "renew", **insisted)


def test_a_reserved_item_goes_to_the_hold_shelf_with_a_slip(desk: TestClient) -> None:
    scan(desk, BOOK, ALICE)
    assert "Book 1 is reserved." in post(desk, "hold", card=BO, item=BOOK)
    assert "waiting" in post(desk, "hold", card=BO, item=BOOK)
    answer = desk.post("/desk/scan", data={"code": BOOK}, headers=PAGE)
    shown = text(answer)
    assert "To the hold shelf, until 9 Mar 2026." in shown
    assert "For 张*, card ending in 0002." in shown
    assert "张波" not in shown
    (address,) = re.findall(r'href="(/desk/slips/\d+)"', answer.text)
    slip = text(desk.get(address, headers=PAGE))
    assert "张* …0002" in slip
    assert BOOK in slip
    assert "1 to be fetched" in scan(desk, BO)
    assert "reserved for another reader" in scan(desk, BOOK, ALICE)
    (hold,) = HOLD.findall(desk.get("/desk", params={"card": BO}).text)
    assert "unknown" not in post(desk, f"holds/{hold}/cancel", card=BO)
    assert "0 to be fetched" in scan(desk, BO)
    assert desk.get(address, headers=PAGE).status_code == 404


def test_a_hold_that_is_refused_can_be_insisted_on(desk: TestClient) -> None:
    sent: dict[str, Any] = {"card": BLOCKED, "item": BOOK}
    answer = desk.post("/desk/hold", data=sent, headers=PAGE)
    assert "This account is blocked." in text(answer)
    assert "Reserve all the same" in text(answer)
    assert re.findall(r'name="overrides" value="(\w+)"', answer.text) == ["patron_blocked"]
    assert "This account is blocked." in post(desk, "hold", **sent | {"overrides": ["patron_blocked"], "reason": " "})
    assert "Book 1 is reserved." in post(
        desk, "hold", **sent | {"overrides": ["patron_blocked"], "reason": "so agreed"}
    )
    again = desk.post("/desk/hold", data=sent | {"overrides": ["patron_blocked"], "reason": "again"}, headers=PAGE)
    assert "waiting for this title already" in text(again)
    assert "Reserve all the same" not in again.text
    told = "Settle this when the reader comes: This account is blocked."
    assert told in text(desk.get("/worklists", params={"list": "pull_list"}, headers=PAGE))
    assert told in text(desk.post("/desk/scan", data={"code": BOOK}, headers=PAGE))
    assert "so agreed" in desk.get("/api/v1/audit", headers=colleague(desk, Role.ADMINISTRATOR)).text


def test_a_hold_is_cancelled_by_its_own_reader_only(desk: TestClient) -> None:
    scan(desk, BOOK, ALICE)
    post(desk, "hold", card=BO, item=BOOK)
    (hold,) = HOLD.findall(desk.get("/desk", params={"card": BO}).text)
    assert "There is no such hold." in post(desk, f"holds/{hold}/cancel", card=ALICE)


def test_the_last_step_is_undone_for_half_a_minute(desk: TestClient, clock: ManualClock) -> None:
    answer = desk.post("/desk/scan", data={"code": BOOK, "card": ALICE}, headers=PAGE)
    assert 'data-undo="30"' in answer.text
    assert "Undone: it was never lent." in post(desk, "undo", item=BOOK, card=ALICE)
    scan(desk, BOOK, ALICE)
    clock.advance(minutes=5)
    scan(desk, BOOK)
    assert "Undone: on loan until 1 Apr 2026." in post(desk, "undo", item=BOOK)
    desk.post("/api/v1/circulation/losses", json={"request_id": "l1", "items": [{"barcode": BOOK}]})
    clock.advance(seconds=31)
    scan(desk, BOOK)
    assert "Undone: it is lost, as before" in post(desk, "undo", item=BOOK)
    scan(desk, BOOK)
    clock.advance(seconds=31)
    assert "too long ago" in post(desk, "undo", item=BOOK)


def test_a_renewal_is_undone_too(desk: TestClient, clock: ManualClock) -> None:
    scan(desk, BOOK, ALICE)
    later(desk, clock, days=3)
    answer = desk.post("/desk/renew", data={"card": ALICE, "item": BOOK}, headers=PAGE)
    assert 'data-undo="30"' in answer.text
    assert "Undone: on loan until 1 Apr 2026." in post(desk, "undo", item=BOOK, card=ALICE)


@pytest.fixture
def owing(desk: TestClient, clock: ManualClock) -> TestClient:
    """Alice owes for a book that came back late."""
    policy = desk.get("/api/v1/lending", headers=colleague(desk, Role.ADMINISTRATOR)).json()
    rules = [rule | {"fee_per_open_day": "0.50", "grace_open_days": 0} for rule in policy["rules"]]
    changed = desk.put("/api/v1/lending/rules", json={"rules": rules}, headers=colleague(desk, Role.ADMINISTRATOR))
    assert changed.status_code < 300, changed.text
    sign_in(desk)
    scan(desk, BOOK, ALICE)
    later(desk, clock, days=34)
    return desk


def test_a_late_return_tells_its_fee_and_whose_it_is(owing: TestClient) -> None:
    answer = owing.post("/desk/scan", data={"code": BOOK}, headers=PAGE)
    assert "Overdue fee: CN¥2.00." in text(answer)
    assert f'href="/desk?card={ALICE}"' in answer.text
    assert "CN¥2.00 owed" in scan(owing, ALICE)
    assert "An amount is more than 0" in post(owing, "pay", card=ALICE, amount="x")
    assert "more than is owed" in post(owing, "pay", card=ALICE, amount="9")
    once = {"card": ALICE, "amount": "0.50", "means": "card", "request_id": "pay-1"}
    assert "Paid: CN¥0.50. Still owed: CN¥1.50." in post(owing, "pay", **once)
    post(owing, "pay", **once)
    assert "CN¥1.50 owed" in scan(owing, ALICE)


def test_a_late_renewal_costs_what_a_late_return_would(owing: TestClient) -> None:
    shown = post(owing, "renew", card=ALICE, item=BOOK, overrides=["overdue"], reason="was ill")
    assert "Overdue fee: CN¥2.00." in shown
    assert "CN¥2.00 owed" in scan(owing, ALICE)
    post(owing, "undo", item=BOOK, card=ALICE)
    assert "CN¥0.00 owed" in scan(owing, ALICE)


def test_a_payment_is_undone_for_half_a_minute(owing: TestClient, clock: ManualClock) -> None:
    scan(owing, BOOK)
    answer = owing.post("/desk/pay", data={"card": ALICE, "amount": "0.50", "request_id": "pay-1"}, headers=PAGE)
    assert re.findall(r'name="payment" value="([^"]+)"', answer.text) == ["pay-1"]
    undoing = {"card": ALICE, "payment": "pay-1", "request_id": "undo-1"}
    for _ in range(2):
        assert "Undone: the payment of CN¥0.50. Owed: CN¥2.00." in post(owing, "pay/undo", **undoing)
    assert "This payment was undone." in post(owing, "pay/undo", **undoing | {"request_id": "undo-2"})
    post(owing, "pay", card=ALICE, amount="0.50", request_id="pay-2")
    clock.advance(seconds=31)
    assert "too long ago" in post(owing, "pay/undo", card=ALICE, payment="pay-2")


def test_a_payment_that_is_refused_stays_as_it_was_typed(owing: TestClient) -> None:
    scan(owing, BOOK)
    page = owing.post("/desk/pay", data={"card": ALICE, "amount": "2,50", "means": "mobile"}, headers=PAGE).text
    assert re.findall(r'name="amount"[^>]* value="([^"]+)" aria-invalid="true"', page) == ["2,50"]
    assert re.findall(r'value="(\w+)" selected', page) == ["mobile"]
    assert page.count("An amount is more than 0 and has at most 2 places, such as 3.50.") == 2


def test_a_form_that_is_sent_twice_works_once(desk: TestClient) -> None:
    first = scan(desk, BOOK, ALICE, request_id="once")
    assert "Lent until" in first
    assert "Lent until" in scan(desk, BOOK, ALICE, request_id="once")


def test_what_was_done_before_stays_to_be_read(desk: TestClient) -> None:
    answer = desk.post("/desk/scan", data={"code": BOOK}, headers=PAGE)
    trail = [html.unescape(line) for line in re.findall(r'form="scan" name="trail" value="([^"]+)"', answer.text)]
    assert trail == ["Book 1: It was not on loan. To its shelf: stacks I0/1"]
    assert "Before Book 1: It was not on loan." in scan(desk, OTHER, trail=trail)
    assert "Before" not in scan(desk, ALICE, trail=trail)


def test_htmx_gets_the_part_that_changes_and_the_address(desk: TestClient) -> None:
    answer = desk.post("/desk/scan", data={"code": ALICE}, headers=HTMX)
    assert "<html" not in answer.text
    assert answer.headers["HX-Replace-Url"] == f"/desk?card={ALICE}"
    assert desk.post("/desk/scan", data={"code": BOOK}, headers=HTMX).headers["HX-Replace-Url"] == "/desk"


def test_a_form_that_names_nothing_is_refused_and_breaks_nothing(desk: TestClient) -> None:
    for path in ("lend", "return", "renew", "undo", "pay", "pay/undo", "hold", "holds/1/cancel"):
        assert desk.post(f"/desk/{path}", data={"trail": "x"}, headers=PAGE).status_code == 422, path
        assert desk.post(f"/desk/{path}", data={"card": "?"}, headers=PAGE).status_code == 422, path
