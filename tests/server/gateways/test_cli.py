"""`carrel gateways`, beside a server that hears what comes of it."""

from __future__ import annotations

import pytest

from carrel.cli import main
from carrel.contracts import topics
from server.deps import Role
from tests.support.acting_gateway import eventually, fire
from tests.support.spine import House


def carrel(house: House, *words: str) -> int:
    return main(["gateways", *words, "--config", str(house.settings.document.file)])


@pytest.mark.parametrize("gone", [True, False], ids=["said", "never said"])
def test_a_gateway_that_is_gone_is_listed_and_retired(
    house: House, capsys: pytest.CaptureFixture[str], *, gone: bool
) -> None:
    alarm = fire(house.clock.now(), version=3)
    assert carrel(house, "list") == 0
    assert "No gateway" in capsys.readouterr().err
    house.edge.online()
    house.edge.say(topics.ALARM, alarm, alarm.id)
    eventually(house.alarms, "the alarm")
    assert carrel(house, "list") == 0
    assert capsys.readouterr().out.split()[:2] == ["gw-1", "online"]
    assert carrel(house, "retire", "gw-1") == 1
    assert carrel(house, "retire", "gw-9") == 1
    online, unknown = capsys.readouterr().err.splitlines()
    assert f"this gateway is online, since {house.clock.now():%Y-%m-%d %H:%M}" in online
    assert unknown == "carrel gateways: There is no such gateway."

    if gone:
        house.edge.online("offline")
    eventually(lambda: carrel(house, "retire", "gw-1", *(() if gone else ["--even-if-online"])) == 0)
    assert "gw-1 is forgotten." in capsys.readouterr().out
    assert house.alarms() == []
    eventually(lambda: list(house.client.app.state.rooms.gateways()) == [], "its being forgotten")  # type: ignore[attr-defined]
    (entry,) = house.client.get(
        "/api/v1/audit", params={"action": "gateway.retire"}, headers=house.staff(Role.ADMINISTRATOR)
    ).json()["entries"]
    assert (entry["actor"], entry["target"]) == ("command_line", "gateway:gw-1")
    assert carrel(house, "retire", "gw-1") == 1, "it is forgotten"


def test_mistakes_are_one_sentence(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.broker.stop()
    assert carrel(house, "list") == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"the message broker 127.0.0.1:{house.broker.port}" in told
    assert main(["gateways"]) == 2
