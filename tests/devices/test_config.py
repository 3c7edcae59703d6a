from pathlib import Path

import pytest

from carrel.config import ConfigError, Document, load
from devices.config import ModbusConfig, ZigbeeConfig, resolve_port
from tests.support.sim import ROOT

MODULE = {"id": "io-1", "url": "tcp://10.0.0.9:502", "map": "adam-4150", "inputs": {"smoke": 0}}
DEVICE = {"id": "lux", "ieee": "02:CA:77:e1:00:00:00:04", "zone": "stacks", "kind": "sensor"}


def document(**data: object) -> Document:
    return Document(Path("/srv/carrel/config.toml"), dict(data), "")


def modbus(**changes: object) -> ModbusConfig:
    return document(modbus=[MODULE | changes]).entries("modbus", ModbusConfig)[0]


def test_the_shipped_file_describes_twelve_devices_and_one_module() -> None:
    doc = load(ROOT / "config.toml", environ={})
    assert len(doc.section("zigbee", ZigbeeConfig).device) == 12
    (module,) = doc.entries("modbus", ModbusConfig)
    assert (module.map, module.inputs["flame"], module.outputs["door-release"]) == ("adam-4150", 1, 2)


def test_a_library_without_a_radio_needs_no_section() -> None:
    assert document().section("zigbee", ZigbeeConfig).path == ""


def test_an_address_may_be_written_in_capitals() -> None:
    config = document(zigbee={"device": [DEVICE]}).section("zigbee", ZigbeeConfig)
    assert config.device[0].ieee == "02:ca:77:e1:00:00:00:04"


@pytest.mark.parametrize("key", ["id", "ieee"])
def test_two_devices_may_not_share_a_name_or_an_address(key: str) -> None:
    other = {"id": "other", "ieee": "02:ca:77:e1:00:00:00:05", "zone": "stacks", "kind": "sensor"}
    other[key] = DEVICE[key]
    with pytest.raises(ConfigError, match="occurs twice"):
        document(zigbee={"device": [DEVICE, other]}).section("zigbee", ZigbeeConfig)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"map": "adam-9"}, "no such register map; there are: adam-4150"),
        ({"url": "/dev/ttyUSB0"}, "use rtu:/dev/"),
        ({"url": "tcp://10.0.0.9"}, "the port is missing"),
        ({"inputs": {"smoke": 7}}, "adam-4150 has inputs 0 to 6"),
        ({"outputs": {"lamp": 8}}, "adam-4150 has outputs 0 to 7"),
        ({"inputs": {"smoke": 1, "flame": 1}}, "input number 1 occurs twice"),
        ({"unit": 0}, "greater than or equal to 1"),
        ({"speed": 9}, "unknown key"),
    ],
)
def test_a_wrong_module_is_refused_with_the_mend(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        modbus(**changes)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ""),
        ("var/run/zigbee", "/srv/carrel/var/run/zigbee"),
        ("/dev/ttyACM0", "/dev/ttyACM0"),
        ("rtu:var/run/io-1", "rtu:/srv/carrel/var/run/io-1"),
        ("rtu:/dev/ttyUSB0", "rtu:/dev/ttyUSB0"),
        ("socket://10.0.0.1:6638", "socket://10.0.0.1:6638"),
        ("tcp://10.0.0.1:502", "tcp://10.0.0.1:502"),
        ("rtu+tcp://127.0.0.1:18702", "rtu+tcp://127.0.0.1:18702"),
    ],
)
def test_paths_are_taken_from_the_files_folder_and_addresses_left_alone(written: str, meant: str) -> None:
    assert resolve_port(document(), written) == meant
