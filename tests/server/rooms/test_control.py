"""How far a person's wish comes: to the gateway, to the device, and back; as people are told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from carrel.contracts.actuation import OverrideSet
from server.deps import Principal, Role
from server.rooms.control import Progress, RoomControl
from server.rooms.errors import RefusedByEdgeError
from tests.support.acting_gateway import curtain, eventually, held
from tests.support.spine import House

ANNA, BO = (Principal(f"user:{who}", who, who, frozenset({Role.LIBRARIAN})) for who in ("anna", "bo"))
PLACE = ("reading-room", "reading-curtain")


@pytest.fixture
def control(house: House) -> RoomControl:
    house.edge.table(curtain())
    eventually(lambda: house.room()["actuators"], "the table")
    found: RoomControl = house.client.app.state.room_control  # type: ignore[attr-defined]
    return found


def wish(control: RoomControl, by: Principal = ANNA, value: float = 60.0, key: str | None = None) -> str:
    return control.take(*PLACE, value=value, duration_s=600, by=by, key=key, wait=False).id


def come(control: RoomControl, stage: str) -> Progress:
    """Wait for the stage."""

    def there() -> Progress | None:
        found = control.progress().get(PLACE)
        return found if found and found.stage == stage else None

    found = eventually(there, stage)
    assert found is not None
    return found


def listed(house: House, **changes: Any) -> None:
    """The gateway lists the newest wish as in force."""
    command = eventually(lambda: house.edge.commands, "the command")[-1][1]
    assert isinstance(command, OverrideSet)
    house.edge.table(curtain(override=held(command, house.clock.now()), **changes))


def test_a_wish_is_sent_held_told_and_confirmed_by_the_devices_report(house: House, control: RoomControl) -> None:
    id_ = wish(control)
    assert come(control, "sent").wish.id == id_
    house.edge.answer(house.edge.result(eventually(lambda: house.edge.commands)[0][1]))
    listed(house, commanded=0.0, reason="min_move_interval")
    come(control, "held")
    listed(house, commanded=60.0)
    come(control, "moving")
    house.clock.advance(seconds=5)
    listed(house, commanded=60.0, reported=30.0)
    house.clock.advance(seconds=9)
    come(control, "moving")
    listed(house, commanded=60.0, reported=58.0)
    come(control, "confirmed")


def test_a_device_that_reports_nothing_else_does_not_confirm(house: House, control: RoomControl) -> None:
    wish(control)
    listed(house, commanded=60.0)
    come(control, "moving")
    house.clock.advance(seconds=11)
    come(control, "unconfirmed")


@pytest.mark.parametrize("cause", ["safety", "interlock"])
def test_what_stands_above_people_holds_a_wish_even_if_it_was_told(
    house: House, control: RoomControl, cause: str
) -> None:
    wish(control)
    listed(house, commanded=60.0, reported=60.0, cause=cause, reason="fire")
    come(control, "held")


def test_without_a_broker_it_stays_queued_and_is_not_answered(house: House, control: RoomControl) -> None:
    house.edge.stop()
    house.broker.stop()
    eventually(lambda: not house.reaches_broker(), "the lost session")
    wish(control)
    come(control, "queued")
    house.clock.advance(seconds=11)
    come(control, "queued")


def test_a_refusal_is_told_for_five_minutes_and_then_forgotten(house: House, control: RoomControl) -> None:
    house.edge.on_command = lambda command: house.edge.result(command, "rejected", "value_out_of_range")
    wish(control)
    assert come(control, "refused").wish.code == "value_out_of_range"
    house.clock.advance(minutes=5, seconds=1)
    assert control.progress() == {}


def test_a_newer_wish_takes_the_place_of_a_refused_one(house: House, control: RoomControl) -> None:
    house.edge.on_command = lambda command: house.edge.result(command, "rejected", "value_out_of_range")
    wish(control)
    come(control, "refused")
    house.edge.on_command = lambda _command: None
    house.clock.advance(seconds=1)
    second = wish(control, BO)
    assert come(control, "sent").wish.id == second


def test_a_button_pressed_twice_is_one_wish(house: House, control: RoomControl) -> None:
    assert wish(control, key="form-1") == wish(control, key="form-1") == "form-1"
    come(control, "sent")
    wish(control, BO, key="form-2")
    eventually(lambda: len(house.edge.commands) >= 2, "both commands")
    assert {command.id for _, command in house.edge.commands} == {"form-1", "form-2"}


def test_of_two_people_the_later_one_is_told(house: House, control: RoomControl) -> None:
    wish(control, ANNA, 30.0)
    house.clock.advance(seconds=1)
    wish(control, BO, 80.0)
    told = come(control, "sent").wish
    assert (told.by, told.value) == ("bo", 80.0)


def test_who_waits_is_told_of_the_refusal(house: House, control: RoomControl) -> None:
    house.edge.on_command = lambda command: house.edge.result(command, "rejected", "value_out_of_range")
    with pytest.raises(RefusedByEdgeError):
        control.take(*PLACE, value=60, duration_s=600, by=ANNA)


@pytest.mark.parametrize(
    "change",
    [
        lambda house: house.clock.advance(seconds=11),
        lambda house: house.edge.answer(house.edge.result(house.edge.commands[0][1], "rejected", "wrong_state")),
    ],
    ids=["time passes", "the gateway refuses"],
)
def test_pages_hear_when_a_wish_comes_further(
    house: House, control: RoomControl, change: Callable[[House], object]
) -> None:
    picture = house.client.app.state.rooms.picture  # type: ignore[attr-defined]
    before = picture.actuators_rev(PLACE[0])
    wish(control)
    eventually(lambda: house.edge.commands, "the command")
    sent = eventually(lambda: (rev := picture.actuators_rev(PLACE[0])) != before and rev, "the news of the wish")
    change(house)
    eventually(lambda: picture.actuators_rev(PLACE[0]) != sent, "the news of its course")


def test_an_override_that_the_gateway_ended_is_no_longer_told(house: House, control: RoomControl) -> None:
    wish(control)
    listed(house, commanded=60.0, reported=60.0)
    come(control, "confirmed")
    house.clock.advance(seconds=timedelta(minutes=11).total_seconds())
    house.edge.table(curtain())
    eventually(lambda: control.progress() == {}, "the end")
