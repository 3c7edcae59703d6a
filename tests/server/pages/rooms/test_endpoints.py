"""The rooms' pages over the whole way: what the gateway says, what people do, what the page shows."""

import re
from datetime import timedelta
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.actuation import OverrideSet, RuleLive
from carrel.contracts.telemetry import DeviceInfo, DeviceList
from tests.support.acting_gateway import curtain, eventually, held
from tests.support.library import ALICE, PASSWORD, PIN
from tests.support.spine import House

HTMX = {"HX-Request": "true", "Accept-Language": "en"}
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
OVERRIDE = "/rooms/reading-room/actuators/reading-curtain/override?on=room"
WISH = {"value": "60", "minutes": "30"}


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1]))


def decisions(house: House) -> str:
    return text(house.client.get("/fragments/rooms/reading-room/decisions", headers=HTMX))


@pytest.fixture
def told(house: House) -> House:
    """The gateway has told of the curtain; nobody is signed in."""
    house.edge.table(curtain(params={"metric": "lux", "threshold": 1000.0}))
    eventually(lambda: house.room()["actuators"], "the table")
    return house


@pytest.fixture
def staffed(told: House) -> House:
    """A librarian is signed in."""
    told.client.post("/sign-in", data={"user": "librarian", "password": PASSWORD})
    return told


def test_anybody_sees_the_room_and_no_controls(told: House) -> None:
    told.edge.report("th-1", temp=27.5)
    eventually(lambda: "27.5" in told.client.get("/rooms/reading-room", headers=PAGE).text, "the value")
    page = told.client.get("/rooms/reading-room", headers=PAGE)
    assert "1.5 °C above the target" in page.text
    assert "Sign in to control" in page.text
    assert "<form" not in page.text.split("<main")[1]


def test_the_list_has_every_room_with_its_verdict(told: House) -> None:
    told.edge.report("th-1", temp=21.0)
    eventually(lambda: "inside the target" in told.client.get("/rooms", headers=PAGE).text, "the value")
    page = told.client.get("/rooms", headers=PAGE).text
    assert 'href="/rooms/reading-room"' in page
    assert 'href="/rooms/stacks"' in page
    assert 'data-sub="room:reading-room room:stacks"' in page


def test_a_room_that_is_not_there_is_not_found(told: House) -> None:
    for path in ("/rooms/attic", "/fragments/rooms/attic/decisions", "/fragments/rooms/attic/rules"):
        assert told.client.get(path).status_code == 404


def test_a_room_before_anything_was_heard_says_so(house: House) -> None:
    page = text(house.client.get("/rooms/reading-room", headers=PAGE))
    assert "no fresh value" in page
    assert "its gateway has not reported yet" in page
    assert "No device has been given to this room yet." in page


def test_the_decision_table_tells_wanted_told_reported_and_why(told: House) -> None:
    params = {"metric": "rh", "value": 63.1, "threshold": 62.0, "side": "above"}
    told.edge.table(
        curtain(wanted=60.0, commanded=60.0, reported=55.0, cause="rule", rule="reading-purge", reason="rule",
                params=params)
    )  # fmt: skip
    eventually(lambda: "rule reading-purge" in decisions(told), "the reason")
    shown = decisions(told)
    assert "60 % closed 60 % closed 55 % closed Humidity 63.1 % is above 62 %" in shown


def test_a_protection_time_is_told_with_its_end(told: House) -> None:
    until = told.clock.now() + timedelta(minutes=2)
    told.edge.table(curtain(wanted=60.0, reason="min_move_interval", params={"until": until.isoformat()}))
    eventually(lambda: "moved a moment ago and waits" in decisions(told), "the reason")
    assert "12:32" in decisions(told)


class TestManualControl:
    @pytest.mark.parametrize("path", [OVERRIDE, "/rooms/reading-room/overrides/o-1/cancel?on=room"])
    def test_nobody_unknown_and_no_reader_may(self, told: House, path: str) -> None:
        answer = told.client.post(path, data=WISH, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/&undone=1")
        told.client.post("/sign-in", data={"user": ALICE, "password": PIN})
        assert told.client.post(path, data=WISH).status_code == 403
        assert told.edge.commands == []

    def test_it_is_shown_sent_told_and_confirmed(self, staffed: House) -> None:
        answer = staffed.client.post(OVERRIDE, data=WISH, headers=HTMX)
        assert answer.status_code == 200
        assert "By hand until 13:00" in text(answer)
        eventually(lambda: "On its way to the gateway" in decisions(staffed), "sent")
        command = eventually(lambda: staffed.edge.commands)[0][1]
        assert isinstance(command, OverrideSet)
        assert (command.value, command.duration_s, command.by) == (60.0, 1800, "librarian")
        staffed.edge.answer(staffed.edge.result(command))
        hand = held(command, staffed.clock.now())
        staffed.edge.table(curtain(override=hand, wanted=60.0, commanded=60.0))
        eventually(lambda: "The device was told and still reports: Open" in decisions(staffed), "told")
        staffed.edge.table(curtain(override=hand, wanted=60.0, commanded=60.0, reported=60.0))
        eventually(lambda: "The device reports it" in decisions(staffed), "confirmed")

    def test_without_scripts_the_page_comes_back_and_tells(self, staffed: House) -> None:
        staffed.edge.on_command = staffed.edge.result
        headers = PAGE | {"Referer": "http://testserver/rooms/reading-room"}
        answer = staffed.client.post(OVERRIDE, data=WISH, headers=headers)
        assert str(answer.url).endswith("/rooms/reading-room")
        assert "By hand until 13:00" in text(answer)

    def test_a_refusal_stays_on_the_page_for_everybody(self, staffed: House) -> None:
        staffed.edge.on_command = lambda command: staffed.edge.result(command, "rejected", "value_out_of_range")
        staffed.client.post(OVERRIDE, data=WISH, headers=HTMX)
        eventually(lambda: "Failed: The device cannot do that." in decisions(staffed), "the refusal")
        staffed.client.cookies.clear()
        assert "Failed: The device cannot do that." in decisions(staffed)
        overview = text(staffed.client.get("/fragments/rooms/reading-room/actuators", headers=HTMX))
        assert "failed: The device cannot do that." in overview

    def test_after_ten_seconds_without_an_answer_it_is_not_confirmed(self, staffed: House) -> None:
        staffed.client.post(OVERRIDE, data=WISH, headers=HTMX)
        staffed.clock.advance(seconds=11)
        assert "the gateway has not answered for 10 seconds" in decisions(staffed)

    def test_what_cannot_be_asked_is_told_at_once(self, staffed: House) -> None:
        path = OVERRIDE.replace("reading-curtain", "reading-door")
        assert "There is no such device." in text(staffed.client.post(path, data=WISH, headers=HTMX))
        answer = staffed.client.post(path, data=WISH, headers=PAGE)
        assert answer.status_code == 409
        assert "There is no such device." in text(answer)

    def test_the_form_makes_two_presses_one_wish(self, staffed: House) -> None:
        page = staffed.client.get("/rooms/reading-room", headers=PAGE).text
        (key,) = re.findall(r'name="key" value="([0-9a-f]{32})"', page)
        for _ in range(2):
            staffed.client.post(OVERRIDE, data=WISH | {"key": key}, headers=HTMX)
        assert {command.id for _, command in eventually(lambda: staffed.edge.commands)} == {key}

    def test_giving_back_ends_it(self, staffed: House) -> None:
        staffed.edge.on_command = staffed.edge.result
        staffed.client.post(OVERRIDE, data=WISH, headers=HTMX)
        command = eventually(lambda: staffed.edge.commands)[0][1]
        assert isinstance(command, OverrideSet)
        staffed.edge.table(curtain(override=held(command, staffed.clock.now()), commanded=60.0, reported=60.0))
        eventually(lambda: "Back to automatic" in decisions(staffed), "the override")
        staffed.client.post(f"/rooms/reading-room/overrides/{command.id}/cancel?on=room", headers=HTMX)
        staffed.edge.table(curtain())
        eventually(lambda: "By hand" not in decisions(staffed), "the end")


def test_what_the_fire_panel_holds_is_not_said_to_be_told_anything_else(told: House) -> None:
    told.edge.table(curtain(cause="safety", reason="fire", wanted=100.0, commanded=100.0))
    shown = eventually(lambda: (page := decisions(told)) and "held by the fire panel" in page and page, "the fire")
    assert "Curtain Closed held by the fire panel Open Held by the fire panel" in shown


def test_rules_show_what_they_compare_and_why_they_wait(told: House) -> None:
    until = told.clock.now() + timedelta(seconds=75)
    rule = RuleLive(
        id="purge", zone="reading-room", priority=40, metric="rh", side="above", value=62.3, threshold=62.0,
        latched=True, active=False, until=until, set_value=60, actuators=("reading-curtain",), acting=False,
        why_not="waiting",
    )  # fmt: skip
    told.edge.table(curtain(), rules=(rule,))
    page = "/fragments/rooms/reading-room/rules"
    eventually(lambda: "purge" in told.client.get(page, headers=HTMX).text, "the rule")
    shown = text(told.client.get(page, headers=HTMX))
    assert "purge Humidity above 62 % 62.3 % Curtain: 60 % closed waiting until 12:31" in shown


def test_devices_are_listed_with_their_values_ages_and_battery(told: House) -> None:
    told.edge.say(
        topics.DEVICES, DeviceList(devices=(DeviceInfo(id="th-1", zone="reading-room", kind="sensor", model="TH-2"),))
    )
    told.edge.report("th-1", temp=21.5, battery=12.0)
    page = "/fragments/rooms/reading-room/devices"
    eventually(lambda: "21.5" in told.client.get(page, headers=HTMX).text, "the device")
    assert "th-1 Sensor TH-2 21.5 °C" in text(told.client.get(page, headers=HTMX))
    assert "12 % ▲ low" in text(told.client.get(page, headers=HTMX))
