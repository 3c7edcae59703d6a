"""Readers' accounts over HTTP, as a browser without scripts sends its forms."""

import html
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from tests.support.library import ALICE, BLOCKED, BOOKS, PASSWORD, PIN, ManualClock

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
FORM = {"card": "90000099", "name": "Eva Stone", "patron_class": "adult", "phone": "13800000000"}


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    shown = re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1])
    return re.sub(r"\s+", " ", html.unescape(shown))


@pytest.fixture
def desk(client: TestClient) -> TestClient:
    """A librarian's browser."""
    client.post("/sign-in", data={"user": Role.LIBRARIAN.value, "password": PASSWORD})
    return client


def key(client: TestClient, card: str) -> int:
    """The patron's, as the list links it."""
    page = client.get("/patrons", params={"q": card}, headers=PAGE).text
    (found,) = re.findall(r'href="/patrons/(\d+)"', page)
    return int(found)


def post(client: TestClient, path: str, status: int = 200, **data: Any) -> str:
    answer = client.post(path, data=data, headers=PAGE)
    assert answer.status_code == status, answer.text[:800]
    return text(answer)


def test_nobody_else_sees_accounts(client: TestClient) -> None:
    calls = [("GET", "/patrons"), ("GET", "/patrons/new"), ("GET", "/patrons/1"), ("POST", "/patrons/1/pin"),
             ("POST", "/patrons/1/export"), ("POST", "/patrons/1/anonymise")]  # fmt: skip
    for method, path in calls:
        assert client.request(method, path, headers=PAGE, follow_redirects=False).status_code == 303
    for who, secret in ((ALICE, PIN), (Role.DUTY_STAFF.value, PASSWORD)):
        client.post("/sign-in", data={"user": who, "password": secret})
        assert {client.request(method, path, headers=PAGE).status_code for method, path in calls} == {403}
        client.cookies.clear()


@pytest.mark.parametrize("typed", ["alice", ALICE, "Wu"])
def test_readers_are_found_by_name_and_card(desk: TestClient, typed: str) -> None:
    assert "Alice Wu" in text(desk.get("/patrons", params={"q": typed}, headers=PAGE))


def test_finding_nobody_says_what_to_try(desk: TestClient) -> None:
    assert "Nobody found" in text(desk.get("/patrons", params={"q": "zzz"}, headers=PAGE))
    assert desk.get("/patrons/999", headers=PAGE).status_code == 404


def test_fifty_readers_are_on_a_page(desk: TestClient) -> None:
    for number in range(48):
        person = {"card": f"7{number:07}", "name": f"Reader {number}", "patron_class": "adult"}
        assert desk.post("/patrons/new", data=person, follow_redirects=False).status_code == 303
    first = desk.get("/patrons", headers=PAGE).text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = desk.get(html.unescape(following), headers=PAGE).text
    assert first.count('<tr><td><a href="/patrons/') == 50
    assert second.count('<tr><td><a href="/patrons/') == 2
    assert "First page" in second
    assert "next" not in re.findall(r'rel="(\w+)"', second.split("<main")[1])


def test_a_reader_is_registered_and_lent_to(desk: TestClient) -> None:
    answer = desk.post("/patrons/new", data=FORM | {"born_on": "1990-05-01"}, headers=PAGE)
    assert "Eva Stone" in text(answer)
    assert "The reader is registered. Next, make a PIN" in text(answer)
    assert "1 May 1990" in text(answer)
    lent = desk.post("/desk/scan", data={"code": BOOKS[0], "card": "90000099"}, headers=PAGE)
    assert "Lent until" in text(lent)


def test_registering_twice_by_a_double_click_registers_once(desk: TestClient) -> None:
    pages = {desk.post("/patrons/new", data=FORM | {"request_id": "r1"}, headers=PAGE).url.path for _ in range(2)}
    assert len(pages) == 1


def test_a_membership_that_has_run_out_is_not_called_valid(desk: TestClient) -> None:
    post(desk, "/patrons/new", **FORM | {"expires_on": "2026-03-01"})
    assert "run out" in text(desk.get("/patrons", params={"q": FORM["card"]}, headers=PAGE))


def test_somebody_alike_is_shown_before_registering(desk: TestClient) -> None:
    post(desk, "/patrons/new", **FORM)
    twice = FORM | {"card": "90000098", "name": "Eve Stone"}
    shown = post(desk, "/patrons/new", 409, **twice)
    assert "Somebody alike is registered." in shown
    assert "Eva Stone · 90000099" in shown
    assert "This may be the same person:" in post(desk, "/patrons/new", **twice, sure="1")


def test_wrong_fields_are_marked_and_keep_what_was_typed(desk: TestClient) -> None:
    answer = desk.post("/patrons/new", data=FORM | {"email": "no address", "card": "?"}, headers=PAGE)
    assert answer.status_code == 409
    assert set(re.findall(r'id="(\w+)-error"', answer.text)) == {"email", "card"}
    assert 'value="Eva Stone"' in answer.text
    assert "handed out before" in post(desk, "/patrons/new", 409, **FORM | {"card": ALICE})
    assert "A guardian must be" in post(desk, "/patrons/new", 409, **FORM | {"guardian": "777"})


def test_data_are_changed(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    changed = {"name": "Alice Wu-Berg", "patron_class": "adult", "phone": "555 1234", "keeps_history": "on"}
    shown = post(desk, f"{home}/edit", **changed)
    assert "The changes are saved." in shown
    assert "555 1234" in shown
    assert "Write digits;" in post(desk, f"{home}/edit", 422, **changed | {"phone": "x"})
    assert "fill in the e-mail address first" in post(desk, f"{home}/edit", 422, **changed | {"email_notices": "on"})
    assert "prolonged" in post(desk, f"{home}/renewal")


def test_nobody_is_born_tomorrow(desk: TestClient) -> None:
    home, tomorrow = f"/patrons/{key(desk, ALICE)}", {"born_on": "2026-03-03"}
    assert "This birthday is in the future." in post(desk, "/patrons/new", 409, **FORM | tomorrow)
    changed = {"name": "Alice Wu", "patron_class": "adult"}
    assert "This birthday is in the future." in post(desk, f"{home}/edit", 422, **changed | tomorrow)
    assert "The changes are saved." in post(desk, f"{home}/edit", **changed | {"born_on": "2026-03-02"})


def test_what_a_colleague_has_changed_meanwhile_stays(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    page = desk.get(home, headers=PAGE).text.split(f'action="{home}/edit"')[1].split("</form>")[0]
    shown = dict(re.findall(r'name="(\w+)"(?: type="\w+" maxlength="\d+")? value="([^"]*)"', page))
    shown |= {"patron_class": "adult", "language": ""}
    assert shown["name"] == "Alice Wu"
    post(desk, f"{home}/edit", **shown | {"phone": "555 1234", "note": "Rings at noon"})
    second = post(desk, f"{home}/edit", **shown | {"address": "Mill Lane 3"})
    assert "555 1234" in second
    assert "Mill Lane 3" in second
    assert "Rings at noon" in second
    answer = desk.post(f"{home}/edit", data=shown | {"phone": "555 9999", "address": "Mill Lane 3"}, headers=PAGE)
    assert answer.status_code == 409
    assert "somebody else has changed the same fields meanwhile" in text(answer)
    assert 'value="555 9999"' in answer.text, "what was typed is kept"
    assert "555 1234" in text(desk.get(home, headers=PAGE))
    fresh = {"seen": html.unescape(re.search(r'name="seen" value="([^"]*)"', answer.text)[1])}  # type: ignore[index]
    assert "555 9999" in post(desk, f"{home}/edit", **shown | fresh | {"phone": "555 9999", "note": "Rings at noon"})


def test_cards_are_lost_and_replaced(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    assert "The card is no longer valid." in post(desk, f"{home}/cards/end", reason="lost")
    assert "This card was reported lost." in text(desk.get("/desk", params={"card": ALICE}, headers=PAGE))
    assert "no active card" in post(desk, f"{home}/cards/end", 409, reason="lost")
    assert "Card 90000077 is handed out." in post(desk, f"{home}/cards", number="90000077")
    assert "without blanks" in post(desk, f"{home}/cards", 409, number="??")
    assert "handed out before" in post(desk, f"{home}/cards", 409, number=BLOCKED)
    assert "90000077" in text(desk.get(home, headers=PAGE)), "a refused card ends none"


def test_blocks_are_placed_and_lifted(desk: TestClient, clock: ManualClock) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    until = {"reason": "conduct", "note": "ate in the stacks", "until": "2026-03-04"}
    shown = post(desk, f"{home}/blocks", **until)
    assert "Conduct: ate in the stacks" in shown
    assert "This account is blocked." in shown
    (lift,) = re.findall(r'action="([^"]+/lift)"', desk.get(home, headers=PAGE).text)
    assert "The block is lifted." in post(desk, lift)
    assert "lifted before" in post(desk, lift, 409)
    assert "right form" in post(desk, f"{home}/blocks", 409, **until | {"reason": "?"})
    assert post(desk, f"{home}/blocks", 409, **until | {"until": "tomorrow"})
    post(desk, f"{home}/blocks", **until)
    clock.advance(days=2)
    desk.post("/sign-in", data={"user": Role.LIBRARIAN.value, "password": PASSWORD})
    assert "This account is blocked." in text(desk.get(home, headers=PAGE)), "to the end of that day"
    clock.advance(days=1)
    desk.post("/sign-in", data={"user": Role.LIBRARIAN.value, "password": PASSWORD})
    assert "This account is blocked." not in text(desk.get(home, headers=PAGE))


def test_a_block_to_a_day_that_is_over_is_refused(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    shown = post(desk, f"{home}/blocks", 409, reason="conduct", until="2026-03-01")
    assert "This day is over. Choose a later one, or none." in shown
    assert "The account is blocked." not in shown
    assert "/lift" not in desk.get(home, headers=PAGE).text
    assert "The account is blocked." in post(desk, f"{home}/blocks", reason="conduct", until="2026-03-02"), "today"


def test_a_new_pin_is_shown_once_and_works(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    answer = desk.post(f"{home}/pin", headers=PAGE)
    assert answer.headers["cache-control"] == "no-store"
    (pin,) = re.findall(r'class="pin">(\d{6})<', answer.text)
    assert 'class="pin"' not in desk.get(home, headers=PAGE).text
    numbers = re.findall(r'name="request_id" value="(\w+)"', answer.text)
    assert len(set(numbers)) == len(numbers) > 5, "each form has its own"
    again = numbers[-1]
    (pin,) = re.findall(r'class="pin">(\d{6})<', desk.post(f"{home}/pin", data={"request_id": again}).text)
    assert "This form was sent before: it was carried out then" in post(desk, f"{home}/pin", request_id=again)
    desk.cookies.clear()
    assert desk.post("/api/v1/session", json={"user": ALICE, "password": pin}).status_code == 200


def test_fees_are_charged_and_waived_with_a_reason(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    assert "Fees: CN¥5.00 owed" in post(desk, f"{home}/fees", kind="damage", amount="5", reason="coffee")
    assert "An amount is more than 0" in post(desk, f"{home}/fees", 409, kind="damage", amount="-1")
    (waive,) = re.findall(r'action="([^"]+/waive)"', desk.get(home, headers=PAGE).text)
    assert "Please say why." in post(desk, waive, 409, reason=" ")
    other = waive.replace(home, f"/patrons/{key(desk, BLOCKED)}")
    assert "no such open fee" in post(desk, other, 409, reason="not theirs")
    shown = post(desk, waive, reason="a\0present")
    assert "The fee is waived." in shown
    assert "Waived: a present" in shown
    for _ in range(2):
        told = post(desk, f"{home}/fees", kind="admin", amount="１．５０", request_id="f1")
    assert "Fees: CN¥1.50 owed" in told, "the same form again charges nothing more"
    assert "with something else in it" in post(desk, f"{home}/fees", 409, kind="admin", amount="2", request_id="f1")


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("fees", {"kind": "damage", "amount": "5"}, "Fees: CN¥5.00 owed"),
        ("blocks", {"reason": "conduct"}, "Lift"),
    ],
)
def test_a_form_that_is_sent_twice_does_its_work_once(desk: TestClient, path: str, form: Any, said: str) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    shown = desk.get(home, headers=PAGE).text
    (number,) = re.findall(rf'action="{home}/{path}"[^>]*><[^>]+ name="request_id" value="(\w+)"', shown)
    once = post(desk, f"{home}/{path}", **form, request_id=number)
    again = post(desk, f"{home}/{path}", **form, request_id=number)
    assert (once.count(said), again.count(said)) == (1, 1)


def test_a_reader_gets_everything_and_is_forgotten(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    held = desk.post(f"{home}/export", headers=PAGE)
    assert held.headers["content-disposition"].endswith('.json"')
    assert held.json()["patron"]["name"] == "Alice Wu"
    desk.post("/desk/scan", data={"code": BOOKS[0], "card": ALICE})
    assert "Type the card's number" in post(desk, f"{home}/anonymise", 409, card="90000002")
    assert "still has open loans" in post(desk, f"{home}/anonymise", 409, card=ALICE)
    desk.post("/desk/scan", data={"code": BOOKS[0]})
    for _ in range(2):
        assert "The reader is forgotten." in post(desk, f"{home}/anonymise", card=ALICE, request_id="once")
    assert desk.get(home, headers=PAGE).status_code == 404
    assert "There is no reader with this card." in text(desk.get("/desk", params={"card": ALICE}, headers=PAGE))


def test_an_empty_form_is_refused_and_breaks_nothing(desk: TestClient) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    for path in ("edit", "cards", "cards/end", "blocks", "fees", "fees/1/waive", "anonymise"):
        assert desk.post(f"{home}/{path}", data={}, headers=PAGE).status_code in (409, 422), path


@pytest.mark.parametrize(
    ("path", "form", "field"),
    [
        ("fees", {"kind": "damage", "amount": "2,50", "reason": "coffee"}, "fee-amount"),
        ("fees/1/waive", {"reason": "\u3000"}, "waive-1"),
        ("cards", {"number": BLOCKED}, "number"),
        ("blocks", {"reason": "conduct", "note": "<rude>", "until": "2026-03-01"}, "block-until"),
        ("blocks", {"reason": "conduct", "note": "x" * 2001, "until": ""}, "block-note"),
        ("anonymise", {"card": "90000002"}, "confirm"),
    ],
)
def test_a_form_that_is_refused_stays_open_as_it_was_sent(desk: TestClient, path: str, form: Any, field: str) -> None:
    home = f"/patrons/{key(desk, ALICE)}"
    post(desk, f"{home}/fees", kind="admin", amount="1")
    page = desk.post(f"{home}/{path}", data=form, headers=PAGE).text
    (opened,) = re.findall(r"<details[^>]* open>.*?</details>", page, re.S)
    assert f'action="{home}/{path}"' in opened
    assert all(f'value="{html.escape(value)}"' in opened for value in form.values())
    assert set(re.findall(r'value="(\w+)" selected', opened)) <= set(form.values())
    assert re.findall(r'id="([\w-]+)"[^>]* aria-invalid="true" aria-describedby="([\w-]+)"', page) == [
        (field, f"{field}-error")
    ]
    (why,) = re.findall(rf'id="{field}-error">.*?</svg>(.+?)</p>', opened)
    assert f"<p>{why}</p>" in page.split("<section")[0], "told above too"


def test_who_is_nobody_is_not_found(desk: TestClient) -> None:
    data = {"name": "x", "number": "5", "reason": "manual", "amount": "1"}
    for path in ("edit", "cards", "blocks", "pin", "fees", "export", "anonymise", "renewal"):
        assert desk.post(f"/patrons/999/{path}", data=data, headers=PAGE).status_code == 404, path
