"""config.toml and the names given on the page, as the gateway uses them."""

from pathlib import Path

import pytest

from carrel.config import load
from gateway.control.roster import Roster
from gateway.household import house_of, with_roster
from gateway.settings import GatewaySettings, read_settings
from tests.support.sim import ROOT
from tests.support.zigbee_site import named


@pytest.fixture
def shipped() -> GatewaySettings:
    return read_settings(load(ROOT / "config.toml", environ={}))


def test_without_changes_everything_is_as_shipped(shipped: GatewaySettings) -> None:
    assert with_roster(shipped, Roster()) == shipped


def test_the_actuator_of_a_removed_device_waits_for_another_of_its_name(shipped: GatewaySettings) -> None:
    broken = next(device for device in shipped.zigbee.device if device.id == "reading-curtain")
    gone = with_roster(shipped, Roster().without(broken.ieee))
    assert broken not in gone.zigbee.device
    assert [device.id for device in gone.controlled].count("reading-curtain") == 1
    replaced = broken.model_copy(update={"ieee": "02:ca:77:e1:00:00:00:77"})
    again = with_roster(shipped, Roster().without(broken.ieee).named(replaced))
    assert [device.id for device in again.controlled].count("reading-curtain") == 1
    assert replaced in again.zigbee.device


def test_plugs_carry_out_orders_and_detectors_sirens_and_sensors_do_not(shipped: GatewaySettings) -> None:
    roster = Roster().named(named("dehumidifier")).named(named("smoke-1")).named(named("siren-1"))
    found = {device.id: device.kind for device in with_roster(shipped, roster).controlled}
    assert found["dehumidifier"] == "other"
    assert not {"smoke-1", "siren-1", "reading-th"} & found.keys()


def test_names_that_config_has_outgrown_leave_its_rules_alone(
    shipped: GatewaySettings, caplog: pytest.LogCaptureFixture
) -> None:
    moved = next(d for d in shipped.zigbee.device if d.id == "reading-th").model_copy(update={"zone": "stacks"})
    assert with_roster(shipped, Roster().named(moved)).environment is shipped.environment
    assert "do not count" in caplog.text


def test_the_house_knows_what_config_uses(shipped: GatewaySettings) -> None:
    house = house_of(shipped)
    assert {"reading-th", "reading-curtain", "stacks-ac"} <= house.used
    assert house.taken == {"io-1", "kiosk-1"}
    assert house.detectors == frozenset()


def _with(tmp_path: Path, before: str, after: str) -> GatewaySettings:
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    assert before in text
    (tmp_path / "config.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    return read_settings(load(tmp_path / "config.toml", environ={}))


DETECTOR = """[[zigbee.device]]
id = "smoke-1"
ieee = "02:ca:77:e1:00:00:00:10"
zone = "stacks"
kind = "smoke"

[[modbus]]
"""


def test_a_zigbee_detector_without_a_fire_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"no \[\[security.fire_zone\]\] has detector"):
        _with(tmp_path, "[[modbus]]\n", DETECTOR)


def test_a_fire_zone_may_name_a_zigbee_detector_and_its_outputs_a_siren(tmp_path: Path) -> None:
    zone = '[[security.fire_zone]]\nid = "stacks-smoke"\narea = "building"\ndetector = "smoke-1"\n\n[security.outputs]'
    siren = DETECTOR.replace("smoke-1", "siren-1").replace('"smoke"', '"siren"').replace(":10", ":12")
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    text = text.replace("[[modbus]]\n", DETECTOR, 1).replace("[[modbus]]\n", siren, 1)
    text = text.replace("[security.outputs]", zone, 1).replace(
        'siren = ["io-1.siren"]', 'siren = ["io-1.siren", "siren-1.siren"]'
    )
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    settings = read_settings(load(tmp_path / "config.toml", environ={}))
    house = house_of(settings)
    assert (house.detectors, "siren-1" in house.used) == ({"smoke-1"}, True)


def test_a_real_library_forms_its_network_by_hand(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="form = true is for the simulated library"):
        _with(tmp_path, "simulated = true", "simulated = false")
