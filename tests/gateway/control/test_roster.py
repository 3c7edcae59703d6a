"""Names above config.toml: which devices there are, and what the rules then measure by."""

import pytest

from carrel.config import load
from carrel.contracts.telemetry import Quantity
from devices.config import ZigbeeConfig
from environment.config import EnvironmentConfig
from gateway.control.roster import Roster, from_json, restored, to_json
from tests.support.sim import ROOT
from tests.support.zigbee_site import named

DOCUMENT = load(ROOT / "config.toml", environ={})
SHIPPED = DOCUMENT.section("zigbee", ZigbeeConfig).device
RULES = DOCUMENT.section("environment", EnvironmentConfig)
CO2 = named("reading-co2", id="desk-co2")


def test_a_fresh_site_has_what_config_says() -> None:
    assert Roster().devices(SHIPPED) == SHIPPED
    assert Roster().environment(RULES) is RULES


def test_a_change_stands_above_config_and_a_newcomer_comes_last() -> None:
    moved = next(device for device in SHIPPED if device.id == "out-lux").model_copy(update={"zone": "stacks"})
    devices = Roster().named(moved).named(CO2).devices(SHIPPED)
    assert [device.id for device in devices] == [*(device.id for device in SHIPPED), "desk-co2"]
    assert devices[-2].zone == "stacks"


def test_a_device_that_was_removed_stays_away_until_it_is_named_again() -> None:
    gone = Roster().without(SHIPPED[0].ieee)
    assert gone.devices(SHIPPED) == SHIPPED[1:]
    assert gone.named(SHIPPED[0]).devices(SHIPPED) == SHIPPED


def test_a_named_sensor_counts_for_its_zone_once_it_is_known_what_it_measures() -> None:
    roster = Roster().named(CO2)
    assert roster.environment(RULES) is RULES
    learnt = roster.learnt("desk-co2", [Quantity.CO2, Quantity.BATTERY])
    added = learnt.environment(RULES).sensor[-1]
    assert (added.id, added.zone, added.metric, added.device) == ("desk-co2-co2", "reading-room", "co2", "desk-co2")
    assert learnt.learnt("desk-co2", [Quantity.CO2]) is learnt
    assert learnt.learnt("reading-th", [Quantity.TEMP]) is learnt  # config.toml's own sensors are as it says


def test_actuators_and_devices_that_config_measures_by_add_no_sensors() -> None:
    plug = named("dehumidifier")
    moved = SHIPPED[0].model_copy(update={"zone": "stacks"})
    roster = Roster().named(plug).learnt(plug.id, [Quantity.TEMP]).named(moved).learnt(moved.id, [Quantity.TEMP])
    assert len(roster.environment(EnvironmentConfig.model_validate({"sensor": []})).sensor) == 1
    assert [s.id for s in roster.named(moved).environment(EnvironmentConfig()).sensor] == [f"{moved.id}-temp"]


def test_a_sensor_of_config_follows_its_device_unless_a_rule_needs_it_where_it_is() -> None:
    outdoor = next(device for device in SHIPPED if device.id == "out-lux")
    roster = Roster().named(outdoor.model_copy(update={"zone": "stacks"}))
    assert next(s for s in roster.environment(RULES).sensor if s.id == "out-light").zone == "stacks"
    reading = next(device for device in SHIPPED if device.id == "reading-th")
    with pytest.raises(ValueError, match="measures no"):
        Roster().named(reading.model_copy(update={"zone": "stacks"})).environment(RULES)


def test_what_was_written_is_read_again_and_anything_else_refused() -> None:
    roster = Roster().named(CO2).learnt(CO2.id, [Quantity.CO2]).without(SHIPPED[3].ieee)
    assert from_json(to_json(roster)) == roster
    assert from_json(None) == Roster()
    for broken in ({"version": 9}, {"version": 1, "devices": {"x": {}}}, [], {"version": 1}):
        with pytest.raises(ValueError, match=r"\w"):
            from_json(broken)


def test_a_backups_devices_are_brought_back_as_they_were() -> None:
    wanted = (*SHIPPED[1:], CO2)
    assert restored(SHIPPED, wanted).devices(SHIPPED) == wanted
