"""Retiring a gateway, over the whole way: to the broker and back."""

from __future__ import annotations

from typing import Any

from carrel.contracts import topics
from server.deps import Role
from tests.support.acting_gateway import eventually, fire
from tests.support.ear import Ear
from tests.support.spine import House

GONE = "/api/v1/gateways/gw-1"


def retire(house: House, address: str = GONE) -> Any:
    return house.client.delete(address, headers=house.staff(Role.ADMINISTRATOR))


def named(house: House) -> list[str]:
    return [gateway.id for gateway in house.client.app.state.rooms.gateways()]  # type: ignore[attr-defined]


def test_a_gateway_that_is_gone_is_retired_and_back_when_it_speaks_again(house: House) -> None:
    edge, alarm = house.edge, fire(house.clock.now(), version=3)
    edge.online()
    edge.report("th-1", temp=21.5)
    edge.say(topics.ALARM, alarm, alarm.id)
    eventually(house.alarms, "the alarm")
    assert retire(house).json()["code"] == "gateway_online"

    announced = [f"homeassistant/device/carrel_main_gw-{n}_th-1/config" for n in (1, 10)]
    with Ear(house.broker.port) as home:
        for topic in announced:
            home.say(topic, b"{}", retain=True)
    edge.online("offline")
    eventually(lambda: "Nothing is heard from gateway gw-1." in alarms_page(house), "the notice")
    assert retire(house).status_code == 204
    eventually(lambda: named(house) == [], "its being forgotten")
    assert house.alarms() == []
    assert "Nothing is heard" not in alarms_page(house)
    (entry,) = audited(house)
    assert (entry["actor"][:5], entry["target"], entry["detail"]) == ("user:", "gateway:gw-1", {"alarms": 1})
    with Ear(house.broker.port) as newcomer:
        newcomer.say("end", b"of what is retained")
        eventually(lambda: "end" in newcomer.latest)
        assert [name for name in newcomer.latest if "/gw-1/" in name and "/config/" not in name] == []
        assert [name for name in newcomer.latest if name in announced] == announced[1:]

    edge.online()
    edge.say(topics.ALARM, alarm, alarm.id)
    eventually(lambda: named(house) == ["gw-1"] and house.alarms(), "its being back, with what stands")
    assert retire(house, GONE + "?even_if_online=true").status_code == 204
    eventually(lambda: named(house) == [], "its being forgotten, whatever the broker said last")


def test_what_was_never_heard_cannot_be_retired(house: House) -> None:
    answer = retire(house, "/api/v1/gateways/gw-9")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_gateway")


def alarms_page(house: House) -> str:
    return house.client.get("/alarms", headers={"Accept-Language": "en"}).text


def audited(house: House) -> list[Any]:
    answer = house.client.get(
        "/api/v1/audit", params={"action": "gateway.retire"}, headers=house.staff(Role.ADMINISTRATOR)
    )
    return list(answer.json()["entries"])
