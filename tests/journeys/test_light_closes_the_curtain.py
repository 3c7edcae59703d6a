"""Journey (a): the sun comes out, the curtain closes, the room darkens, and the page says so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.programs import Library, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(180)]


def curtain(running: Library) -> float:
    return float(running.room("reading-room")["curtain_closed_pct"])


def on_the_page(running: Library) -> dict[str, Any]:
    """The reading room as the API shows it."""
    rooms = running.client().get("/rooms").json()["rooms"]
    found: dict[str, Any] = next(room for room in rooms if room["id"] == "reading-room")
    return found


def test_the_sun_closes_the_curtain_and_a_cloud_opens_it(running: Library) -> None:
    running.sim("set", "reading-room", "lux=200")
    wait_for("the curtain is open", lambda: curtain(running) == 0, 60)

    running.sim("set", "reading-room", "lux=3000")
    wait_for("the curtain is closed", lambda: curtain(running) == 100, 30)
    room = running.room("reading-room")
    assert room["lux"] < 1000, "a closed curtain lets 15 % of 3000 lx through, and lamps add at most 80"

    def shown() -> bool:
        tile = on_the_page(running)
        lux, position = (
            tile["values"]["lux"]["value"],
            next(a for a in tile["actuators"] if a["actuator"] == "reading-curtain"),
        )
        return lux < 1000 and position["reported"] == 100 and position["rule"] == "reading-shade"

    wait_for("the page shows the dark room, the curtain and the rule", shown, 30)

    running.sim("set", "reading-room", "lux=200")
    wait_for("the curtain opens again by itself", lambda: curtain(running) == 0, 60)
    running.sim("set", "reading-room", "lux=auto")


def test_a_librarian_closes_the_curtain_by_hand_and_hands_it_back(running: Library) -> None:
    running.sim("set", "reading-room", "lux=200")
    wait_for("the curtain is open", lambda: curtain(running) == 0, 60)
    librarian = running.client("librarian", "librarian-demo")

    wish = {"actuator": "reading-curtain", "value": 60, "duration_s": 600}
    made = librarian.post("/rooms/reading-room/overrides", json=wish)
    assert made.status_code == 201, made.text
    wait_for("the curtain is 60 % closed", lambda: curtain(running) == 60, 30)

    assert librarian.delete(f"/overrides/{made.json()['id']}").status_code == 204
    wait_for("the rules have it again", lambda: curtain(running) == 0, 30)
    running.sim("set", "reading-room", "lux=auto")


def test_history_keeps_what_the_room_was(running: Library) -> None:
    running.sim("set", "stacks", "temp=19.5")

    def kept() -> bool:
        answer = running.client().get("/rooms/stacks/history", params={"metric": "temp"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return bool(found["t"]) and found["min"][-1] <= found["mean"][-1] <= found["max"][-1]

    wait_for("the history has the temperature", kept, 30)
