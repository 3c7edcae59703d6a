"""The database has no room: alarms are seen all the same, the trouble is told; with room again all is recorded."""

from __future__ import annotations

from typing import Any

from carrel.contracts import topics
from carrel.contracts.alarms import AlarmCause
from server.deps import Core
from tests.support.acting_gateway import eventually, fire
from tests.support.full_disk import full_disk
from tests.support.spine import House

MANY = tuple(AlarmCause(zone=f"smoke-{n}", kind="smoke", active=True) for n in range(200))
"""More than the rest of a page holds."""


def test_an_alarm_is_seen_although_the_database_cannot_be_written(house: House) -> None:
    core: Core = house.client.app.state.core  # type: ignore[attr-defined]
    now = house.clock.now()
    house.edge.online()
    with full_disk(core.database):
        house.edge.say(topics.ALARM, alarm := fire(now, causes=MANY), alarm.id)
        house.edge.event(alarm, 1)
        eventually(house.alarms, "the alarm")
        told = house.client.get("/api/v1/alarms").json()
        assert ([found["id"] for found in told["alarms"]], told["unrecorded"]) == ([alarm.id], [alarm.id])
        eventually(lambda: written(house) != "ok", "the trouble's being told")
        ready = house.client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)

        page = house.client.get("/", headers={"Accept-Language": "en"}).text
        assert "Fire alarm: Whole building" in page
        assert "not recorded yet" in page
        assert "database cannot be written." in page
        answer = house.client.post(f"/api/v1/alarms/{alarm.id}/silence", headers=house.staff())
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        house.edge.event(fire(now, causes=MANY, version=2, silenced=True), 2)
        eventually(lambda: house.alarms()[0]["silenced"], "the newer state")
    eventually(lambda: recorded(house) == [(alarm.id, 2)], "its being recorded", 30)
    assert written(house) == "ok"
    assert "not recorded yet" not in house.client.get("/alarms", headers={"Accept-Language": "en"}).text


def written(house: House) -> str:
    return str(house.client.get("/readyz").json()["checks"]["database_writes"])


def recorded(house: House) -> list[Any]:
    told = house.client.get("/api/v1/alarms").json()
    return [(alarm["id"], alarm["version"]) for alarm in told["alarms"] if alarm["id"] not in told["unrecorded"]]
