"""The rules' page: who may do what, what a form does, and what is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import delete

from server.rules.book import Books
from server.rules.models import RuleBookRow
from tests.support.pages_app import READER, STAFF, build

PAGE = {"Accept": "text/html", "Accept-Language": "en"}
EDIT, SAVE, TRY = "/rules/reading-purge/edit", "/rules/save", "/rules/try"
DUTY = ("duty", "duty-demo")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return build(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Signed in as a librarian; nobody has saved rules yet."""
    with app.state.core.database.writing() as session:
        session.execute(delete(RuleBookRow))
    with_pages = TestClient(app, headers=PAGE, follow_redirects=False)
    sign_in(with_pages, STAFF)
    yield with_pages
    with_pages.close()


def sign_in(client: TestClient, who: tuple[str, str]) -> None:
    client.cookies.clear()
    assert client.post("/sign-in", data={"user": who[0], "password": who[1]}).status_code == 303


def books(client: TestClient) -> Books:
    found = client.app.state.rule_books  # type: ignore[attr-defined]  # Starlette's
    assert isinstance(found, Books)
    return found


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1]))).replace(" ,", ",")


def form(page: str) -> dict[str, Any]:
    """The fields of the form as a browser would send them."""
    area = page.split('action="/rules/save?')[1].split("</form>", maxsplit=1)[0]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", area):
        name = re.search(r' name="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and ("checkbox" not in tag or " checked" in tag):
            found.setdefault(name[1], []).append(value[1] if value else "on")
    for select in re.findall(r"<select.*?</select>", area, re.DOTALL):
        name = re.search(r' name="([^"]*)"', select)
        chosen = re.search(r'value="([^"]*)" selected', select)
        if name:
            found[name[1]] = [chosen[1] if chosen else ""]
    return found


def test_the_list_says_each_rule_in_words(client: TestClient) -> None:
    said = text(client.get("/rules"))
    assert "Humidity above 62 %, until it has fallen to 56 %" in said
    assert "Dew point minus Dew point (Outdoors) above 1.0 °C, until it has fallen to 0.5 °C" in said
    assert "Curtain (reading-curtain): Closed" in said
    assert "The rules of config.toml are in force" in said
    chinese = text(client.get("/rules?lang=zh-CN"))
    assert "湿度高于 62 %，直至降到 56 %" in chinese


def test_a_changed_limit_is_a_new_version_and_the_list_shows_it(client: TestClient) -> None:
    sent = form(client.get(EDIT).text) | {"when-limit": "58", "note": "drier"}
    answer = client.post(SAVE, data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, "/rules#rule-reading-purge")
    said = text(client.get("/rules"))
    assert "Humidity above 58 %, until it has fallen to 52 %" in said
    assert "librarian · drier" in said
    present = books(client).present()
    before = books(client).version(0).book
    assert [rule.id for rule in present.book.rule] == [rule.id for rule in before.rule]
    assert [r for r in present.book.rule if r.id != "reading-purge"] == [
        r for r in before.rule if r.id != "reading-purge"
    ]


def test_two_people_at_once_are_told_and_nothing_typed_is_lost(client: TestClient) -> None:
    mine = form(client.get(EDIT).text) | {"when-limit": "58"}
    client.post(SAVE, data=mine | {"when-limit": "50"})
    late = client.post(SAVE, data=mine)
    assert late.status_code == 409
    assert "Somebody else has changed the rules" in text(late)
    assert 'name="when-limit"' in late.text
    assert 'value="58"' in late.text


def test_a_wrong_field_is_named_and_nothing_is_saved(client: TestClient) -> None:
    sent = form(client.get(EDIT).text) | {"when-limit": "much", "hours-0-from": "25:00"}
    answer = client.post(SAVE, data=sent)
    assert answer.status_code == 422
    assert 'id="when-limit-error"' in answer.text
    assert "3 fields need another look" in text(answer)
    assert books(client).present().version == 0


def test_rules_that_cannot_work_are_explained(client: TestClient) -> None:
    answer = client.post(SAVE, data=form(client.get(EDIT).text) | {"when-limit": "162"})
    assert answer.status_code == 422
    assert "The condition of 'reading-purge' can never be true" in text(answer)
    assert books(client).present().version == 0


def test_rules_that_do_not_fit_say_what_is_missing(client: TestClient) -> None:
    answer = client.post(SAVE, data=form(client.get(EDIT).text) | {"when-metric": "co2", "when-limit": "900"})
    assert answer.status_code == 422
    assert "nothing was saved. rule reading-purge: zone 'reading-room' measures no co2" in text(answer)


def test_hints_stand_above_the_list(client: TestClient) -> None:
    client.post(SAVE, data=form(client.get(EDIT).text) | {"when-hysteresis": "0"})
    said = text(client.get("/rules"))
    assert "1 thing to look at" in said
    assert "has no hysteresis" in said


def test_a_rule_is_added_from_a_preset(client: TestClient) -> None:
    assert "Add a rule: Stacks" in text(client.get("/rules/new?room=stacks"))
    chosen = {
        "room": "stacks",
        "preset": "mixed-paper",
        "purpose": "purge",
        "actuator": "stacks-vent",
        "zone": "stacks",
    }
    page = client.get("/rules/new", params=chosen)
    assert "A starting point to edit, not a proof of anything." in text(page)
    sent = form(page.text)
    assert (sent["id"], sent["when-limit"], sent["set"]) == (["stacks-purge-2"], ["60"], ["60"])
    assert sent["guard-0-minus"] == ["out.dew_point"]
    answer = client.post(SAVE, data=sent | {"when-limit": "70"})
    assert answer.headers["location"] == "/rules#rule-stacks-purge-2"
    assert books(client).present().book.find("stacks-purge-2") is not None


@pytest.mark.parametrize("preset", ["", "en-16893", "no-such-preset"])
def test_without_figures_the_form_waits_for_ones_own(client: TestClient, preset: str) -> None:
    chosen = {"room": "stacks", "preset": preset, "purpose": "heat", "actuator": "stacks-ac"}
    sent = form(client.get("/rules/new", params=chosen).text)
    assert (sent["id"], sent["when-metric"], sent["when-side"], sent["when-limit"]) == (
        ["stacks-heat"], ["temp"], ["below"], [""]
    )  # fmt: skip
    assert (sent["actuators"], sent["set"]) == (["stacks-ac"], ["1"])


def test_a_name_that_another_rule_has_is_refused(client: TestClient) -> None:
    answer = client.post(SAVE, data=form(client.get(EDIT).text) | {"id": "reading-cool"})
    assert answer.status_code == 422
    assert "Another rule has this name" in text(answer)


def test_a_rule_is_renamed_in_its_place(client: TestClient) -> None:
    client.post(SAVE, data=form(client.get(EDIT).text) | {"id": "reading-air"})
    ids = [rule.id for rule in books(client).present().book.rule]
    assert (ids[1], "reading-purge" in ids) == ("reading-air", False)


def test_rules_are_switched_off_removed_and_brought_back(client: TestClient) -> None:
    assert client.post("/rules/reading-cool/off", data={"seen": "0"}).status_code == 303
    assert "switched off" in text(client.get("/rules"))
    client.post("/rules/reading-cool/on", data={"seen": "1"})
    client.post("/rules/reading-cool/delete", data={"seen": "2"})
    assert books(client).present().book.find("reading-cool") is None
    late = client.post("/rules/versions/1/revert", data={"seen": "2"})
    assert (late.status_code, "Somebody else has changed" in text(late)) == (409, True)
    client.post("/rules/versions/1/revert", data={"seen": "3"})
    found = books(client).present()
    assert found.version == 4
    rule = found.book.find("reading-cool")
    assert rule is not None
    assert not rule.enabled


def test_trying_saves_nothing_and_keeps_what_is_typed(client: TestClient) -> None:
    sent = form(client.get(EDIT).text) | {"when-limit": "45"}
    page = client.post(TRY, data=sent)
    said = text(page)
    assert page.status_code == 200
    assert "What these rules would have done in the last 24 hours" in said
    assert 'value="45"' in page.text
    piece = client.post(TRY, data=sent, headers={"HX-Request": "true"})
    assert piece.text.lstrip().startswith('<section id="tried"')
    assert books(client).present().version == 0
    assert "would have done" in text(client.post(TRY, data={"seen": "0"}))
    wrong = client.post(TRY, data=sent | {"when-limit": "162"})
    assert "can never be true" in text(wrong)


def test_duty_staff_see_and_try_and_change_nothing(client: TestClient) -> None:
    sent = form(client.get(EDIT).text)
    sign_in(client, DUTY)
    page = client.get("/rules")
    assert "Humidity above 62 %" in text(page)
    assert '<a href="/rooms" aria-current="page">' in page.text, "where the menu leads to the rules from"
    assert "/edit" not in page.text
    assert client.post(TRY, data={"seen": "0"}).status_code == 200
    assert client.get(EDIT).status_code == 403
    for path in (SAVE, "/rules/reading-cool/delete", "/rules/versions/0/revert"):
        assert client.post(path, data=sent).status_code == 403


def test_readers_and_strangers_are_kept_out(client: TestClient) -> None:
    client.cookies.clear()
    for path in ("/rules", EDIT, "/rules/new?room=stacks", "/fragments/rulebook"):
        assert client.get(path).headers["location"].startswith("/sign-in")
    assert client.post(SAVE, data={"seen": "0"}).headers["location"].startswith("/sign-in")
    sign_in(client, READER)
    assert client.get("/rules").status_code == 403


def test_what_is_not_there_is_not_found_and_a_form_without_its_version_is_no_form(client: TestClient) -> None:
    assert client.get("/rules/no-such/edit").status_code == 404
    assert client.get("/rules/new?room=attic").status_code == 404
    assert client.post("/rules/no-such/delete", data={"seen": "0"}).status_code == 404
    assert client.post("/rules/reading-cool/delete", data={}).status_code == 422
    assert client.post("/rules/versions/77/revert", data={"seen": "0"}).status_code == 404


def test_the_rooms_page_leads_here(client: TestClient) -> None:
    assert 'href="/rules"' in client.get("/rooms").text
    assert 'href="/rules#room-reading-room"' in client.get("/rooms/reading-room").text
    client.cookies.clear()
    assert 'href="/rules' not in client.get("/rooms/reading-room").text
