"""What arrives from the edge, good and bad, over a real broker."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.codec import encode
from carrel.contracts.telemetry import StoredAck
from server.edge.ingest import Arrived, Ingest
from tests.support.acting_gateway import eventually, fire, point
from tests.support.spine import House


def heard(house: House) -> None:
    """Everything said before has been taken."""
    house.edge.batch(9000, point(house.clock.now(), 1.0, device="marker"))
    eventually(lambda: 9000 in house.edge.acked(topics.TELEMETRY_ACK), "the marker")


def mean(house: House) -> list[float]:
    """The stored temperature of the last day."""
    query = {"metric": "temp", "to": (house.clock.now() + timedelta(minutes=1)).isoformat(), "buckets": 1}
    answer = house.client.get("/api/v1/rooms/reading-room/history", params=query)
    return list(answer.json()["mean"])


class TestTelemetry:
    def test_a_batch_is_stored_and_confirmed_up_to_its_last_row(self, house: House) -> None:
        now = house.clock.now()
        house.edge.batch(40, point(now, 20.0), point(now + timedelta(seconds=1), 22.0))
        eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK) == [41], "the confirmation")
        assert mean(house) == [21.0]

    def test_a_batch_that_comes_twice_is_stored_once_and_confirmed_twice(self, house: House) -> None:
        now = house.clock.now()
        for _ in range(2):
            house.edge.batch(1, point(now, 20.0), point(now + timedelta(seconds=1), 30.0))
        eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK) == [2, 2], "both confirmations")
        assert mean(house) == [25.0]

    def test_an_empty_batch_does_no_harm(self, house: House) -> None:
        house.edge.batch(1)
        heard(house)


class TestAlarms:
    def test_an_event_is_confirmed_after_it_is_stored(self, house: House) -> None:
        house.edge.event(fire(house.clock.now()), 7)
        eventually(lambda: house.edge.acked(topics.EVENT_ACK) == [7], "the confirmation")
        assert len(house.alarms()) == 1

    def test_an_event_that_comes_again_is_confirmed_again(self, house: House) -> None:
        for _ in range(2):
            house.edge.event(fire(house.clock.now()), 7)
        eventually(lambda: house.edge.acked(topics.EVENT_ACK) == [7, 7], "both confirmations")
        assert len(house.alarms("all")) == 1

    def test_a_retained_alarm_is_recorded_too(self, house: House) -> None:
        alarm = fire(house.clock.now())
        house.edge.say(topics.ALARM, alarm, alarm.id)
        eventually(house.alarms, "the alarm")
        assert house.edge.acked(topics.EVENT_ACK) == []

    def test_a_cleared_retained_alarm_changes_nothing(self, house: House) -> None:
        alarm = fire(house.clock.now())
        house.edge.event(alarm, 1)
        house.edge.say_raw(house.edge.name(topics.ALARM, alarm.id), b"", retain=True)
        heard(house)
        assert len(house.alarms()) == 1

    def test_a_lower_version_never_replaces_a_higher_one(self, house: House) -> None:
        now = house.clock.now()
        house.edge.event(fire(now, version=3, silenced=True), 1)
        house.edge.event(fire(now, version=2), 2)
        eventually(lambda: house.edge.acked(topics.EVENT_ACK) == [1, 2], "the confirmations")
        assert [(alarm["version"], alarm["silenced"]) for alarm in house.alarms()] == [(3, True)]

    def test_another_gateway_cannot_change_an_alarm(self, house: House) -> None:
        alarm = fire(house.clock.now())
        house.edge.event(alarm, 1)
        eventually(house.alarms)
        forged = encode(fire(house.clock.now(), version=9, state="reset"))
        house.edge.say_raw(topics.name("main", "gw-2", topics.ALARM, alarm.id), forged)
        heard(house)
        assert [a["state"] for a in house.alarms()] == ["alarm"]


BAD: list[tuple[str, bytes]] = [
    ("carrel/1/main/gw-1/telemetry", b"\xff\xfe\x00"),
    ("carrel/1/main/gw-1/telemetry", b"{"),
    ("carrel/1/main/gw-1/telemetry", b"null"),
    ("carrel/1/main/gw-1/telemetry", b'{"session":1,"first":1,"points":[{"value":"NaN"}]}'),
    ("carrel/1/main/gw-1/telemetry", b"[" * 100_000),
    ("carrel/1/main/gw-1/telemetry", b"x" * 1_200_000),
    ("carrel/1/main/gw-1/event/alarm", b'{"session":1,"seq":1}'),
    ("carrel/1/main/gw-1/dev/th-1/state", b'{"ts":"yesterday"}'),
    ("carrel/1/main/gw-1/rules/state", b'{"ts":"2026-03-02T00:00:00Z","actuators":[],"more":1}'),
    ("carrel/1/main/gw-1/nowhere", b"{}"),
    ("carrel/1/main/gw-1/dev/a/b/c/state", b"{}"),
    ("carrel/1/main/GW 1/$state", b'{"state":"online","since":"2026-03-02T00:00:00Z","session":1,"version":""}'),
    ("carrel/1/main/gw-1/ack/other", b'{"id":"x","status":"done","ts":"2026-03-02T00:00:00Z"}'),
    ("carrel/1/main/gw-1/ack/x", b'{"id":"x","status":"maybe","ts":"2026-03-02T00:00:00Z"}'),
]


class TestBadInput:
    def test_everything_bad_is_counted_and_the_good_after_it_is_heard(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "server.edge.ingest"):
            for name, payload in BAD:
                house.edge.say_raw(name, payload)
            heard(house)
        told = [record.getMessage() for record in caplog.records if record.name == "server.edge.ingest"]
        assert len(told) == 1, "at most one line a minute"
        assert all(len(line) < 600 for line in told)
        house.clock.advance(seconds=61)
        with caplog.at_level(logging.WARNING, "server.edge.ingest"):
            house.edge.say_raw(*BAD[0])
            eventually(lambda: f"({len(BAD) - 1} more)" in caplog.text, "the count of the minute before")
        assert "Traceback" not in caplog.text

    def test_an_answer_that_nobody_asked_for_does_no_harm(self, house: House) -> None:
        house.edge.say_raw(
            house.edge.name(topics.COMMAND_ACK, "x"), b'{"id":"x","status":"done","ts":"2026-03-02T00:00:00Z"}'
        )
        heard(house)

    def test_made_up_names_cannot_fill_the_memory(self, house: House) -> None:
        online = b'{"state":"online","since":"2026-03-02T00:00:00Z","session":1,"version":""}'
        for n in range(100):
            house.edge.say_raw(f"carrel/1/main/g{n}/$state", online, qos=0)
        heard(house)
        assert len(house.client.app.state.rooms.gateways()) == 64  # type: ignore[attr-defined]


class Inbox:
    """Fails to store what it is told to fail on."""

    def __init__(self) -> None:
        self.failing: set[int] = set()

    def forget(self, gateway: str) -> None:
        raise AssertionError(gateway)

    def see(self, arrived: Arrived) -> None:
        """Alarms are live states, too."""

    def store(self, arrived: Arrived) -> None:
        if arrived.message.seq in self.failing:  # type: ignore[attr-defined]
            raise OSError("disk full")

    def tell(self, arrived: Arrived) -> None:
        raise RuntimeError("a page's fault, which must not hinder the confirmation")


class TestConfirmations:
    """A confirmation covers every event before it."""

    async def confirmed(self, clock: Clock, *rounds: tuple[set[int], list[int]]) -> list[int]:
        """Each round: which numbers cannot be stored, and the numbers that arrive."""
        sent: list[int] = []

        async def publish(_topic: str, payload: bytes) -> None:
            sent.append(StoredAck.model_validate_json(payload).seq)

        inbox = Inbox()
        ingest = Ingest(inbox, publish, clock)
        for failing, numbers in rounds:
            inbox.failing = failing
            for seq in numbers:
                alarm = fire(clock.now())
                body: dict[str, Any] = {"session": 1, "seq": seq, "ts": clock.now().isoformat()}
                event = topics.EVENT.contracts[0].model_validate({**body, "alarm": alarm})
                ingest.take("carrel/1/main/gw-1/event/alarm", encode(event))
            await ingest.drain()
        return sent

    async def test_none_is_given_past_an_event_that_could_not_be_stored(self, clock: Clock) -> None:
        assert await self.confirmed(clock, ({2}, [1, 2, 3])) == [1]

    async def test_a_repeat_closes_the_gap(self, clock: Clock) -> None:
        assert await self.confirmed(clock, ({2}, [1, 2, 3]), (set(), [2, 3])) == [1, 2, 3]

    async def test_a_repeat_that_begins_behind_the_gap_shows_that_another_server_closed_it(self, clock: Clock) -> None:
        assert await self.confirmed(clock, ({2}, [1, 2, 3]), (set(), [3, 4])) == [1, 3, 4]
