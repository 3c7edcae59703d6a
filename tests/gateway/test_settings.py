"""config.toml as the gateway reads it: the shipped one, and what is refused with key, line and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.config import ConfigError, load
from gateway.control.orders import ControlledDevice
from gateway.settings import GatewaySettings, read_settings
from tests.support.tree import ROOT

SHIPPED = (ROOT / "config.toml").read_text(encoding="utf-8")


def settings_of(folder: Path, text: str = SHIPPED) -> GatewaySettings:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return read_settings(load(folder / "config.toml", {}))


def test_the_shipped_file_is_read_whole(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert settings.store == tmp_path / "var/gateway.db"
    assert settings.token_file == tmp_path / "var/run/machine-token"
    assert settings.zigbee.path == str(tmp_path / "var/run/zigbee")
    assert settings.zigbee.database == tmp_path / "var/zigbee.db"
    assert settings.modbus[0].url == "rtu+tcp://127.0.0.1:18702"
    assert [(reader.id, reader.path, reader.owner) for reader in settings.readers] == [
        ("kiosk-1", str(tmp_path / "var/run/kiosk-1"), "CN-000001-DEMO")
    ]
    assert ControlledDevice("reading-ac", "ac", 24.0) in settings.controlled
    assert not [device for device in settings.controlled if device.id.endswith("-th")]


def test_an_empty_file_is_a_gateway_without_wires(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "")
    assert (settings.modbus, settings.readers, settings.gateway.kiosk, settings.zigbee.path) == ((), (), (), "")


def test_a_reader_may_name_an_owner_of_its_own(tmp_path: Path) -> None:
    text = SHIPPED.replace('block_bytes = "direct"', 'owner = "DE-1"\nblock_bytes = "direct"')
    assert settings_of(tmp_path, text).readers[0].owner == "DE-1"


WRONG_NAMES = [
    ('zone = "stacks"\nkind = "sensor"', 'zone = "cellar"\nkind = "sensor"', 'zone = "cellar"', "stacks"),
    ('place = "stacks"', 'place = "cellar"', 'place = "cellar"', "stacks"),
    ('pad = "kiosk-1"', 'pad = "kiosk-9"', 'pad = "kiosk-9"', "there are: kiosk-1"),
    ('metric = "lux"\ndevice = "reading-lux"', 'metric = "lux"\ndevice = "no-lux"', 'device = "no-lux"', "reading-lux"),
    ('zone = "stacks"\ndevice = "stacks-vent"', 'zone = "attic"\ndevice = "stacks-vent"', 'zone = "attic"', "stacks"),
    ('device = "stacks-curtain"', 'device = "stacks-th"', 'device = "stacks-th"', "stacks-curtain"),
    ('input = "flame"', 'input = "heat"', 'input = "heat"', "io-1.flame"),
    ('siren = ["io-1.siren"]', 'siren = ["io-1.horn"]', 'siren = ["io-1.horn"]', "io-1.siren"),
    ('stop = ["reading-vent",', 'stop = ["reading-fan",', 'ventilation_stop = ["reading-fan"', "reading-vent"),
]


@pytest.mark.parametrize(("before", "after", "found", "known"), WRONG_NAMES, ids=[row[1][-24:] for row in WRONG_NAMES])
def test_a_name_that_nobody_defines_is_refused_with_its_line_and_what_exists(
    tmp_path: Path, before: str, after: str, found: str, known: str
) -> None:
    assert before in SHIPPED
    text = SHIPPED.replace(before, after, 1)
    with pytest.raises(ConfigError) as refusal:
        settings_of(tmp_path, text)
    said = str(refusal.value)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith(found)]
    assert any(said.startswith(f"config.toml line {n}: ") for n in lines), said
    assert "does not exist; there are: " in said
    assert known in said


KIOSK_2 = '\n[[gateway.kiosk]]\nid = "kiosk-2"\nport = 8082\npad = "kiosk-1"\n'
READER_IO = '\n[[reader]]\nid = "io-1"\nkind = "feig"\npath = "/dev/x"\n'
RADIO_MODULE = '\n[[modbus]]\nid = "zigbee"\nurl = "tcp://127.0.0.1:502"\nmap = "adam-4150"\n'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (KIOSK_2, "'gateway.kiosk.1.pad' = 'kiosk-1' is taken by another entry"),
        (KIOSK_2.replace("kiosk-2", "kiosk-1"), "'kiosk-1' is the id of two entries of [[gateway.kiosk]]"),
        (READER_IO, "'reader.1.id' = 'io-1' is taken by another entry"),
        (RADIO_MODULE, "'modbus.1.id' = 'zigbee' is taken by another entry"),
        ('\n[[room]]\nid = "stacks"\nname = "Again"\n', "'stacks' is the id of two entries of [[room]]"),
    ],
)
def test_what_may_be_used_only_once_is_refused_the_second_time(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        settings_of(tmp_path, SHIPPED + more)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("config.toml line ")


def test_two_kiosks_on_one_port_are_refused(tmp_path: Path) -> None:
    reader = '\n[[reader]]\nid = "kiosk-2"\nkind = "feig"\npath = "/dev/x"\n'
    more = KIOSK_2.replace('pad = "kiosk-1"', 'pad = "kiosk-2"').replace("8082", "8081") + reader
    with pytest.raises(ConfigError, match=r"'gateway\.kiosk\.1\.port' = '8081' is taken"):
        settings_of(tmp_path, SHIPPED + more)


def test_an_actuator_must_be_of_the_type_that_its_device_understands(tmp_path: Path) -> None:
    text = SHIPPED.replace('kind = "vent"', 'kind = "ac"', 1)
    with pytest.raises(ConfigError, match=r"line \d+: 'reading-vent' moves reading-vent \(ac\): its type is switch"):
        settings_of(tmp_path, text)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('server_url = "http://127.0.0.1:8080"', 'server_url = "localhost"', "'gateway.server_url' = 'localhost'"),
        ("port = 8081", "port = 0", "'gateway.kiosk.0.port' = 0"),
        ('id = "kiosk-1"\nhost', f'id = "{"k" * 40}"\nhost', "'gateway.kiosk.0.id'"),
        ("[[reader]]", "[reader]", "'reader'"),
        ('token_file = "var/run/machine-token"', "token_file = 3", "'server.token_file' = 3"),
        ('id = "smoke"', f'id = "{"s" * 64}"', "is longer than 63 characters"),
    ],
)
def test_a_wrong_value_is_refused_and_never_a_traceback(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in SHIPPED
    text = SHIPPED.replace(before, after, 1)
    with pytest.raises(ConfigError) as refusal:
        settings_of(tmp_path, text)
    assert said in str(refusal.value)


def test_the_environment_wins_and_is_named_when_it_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(SHIPPED, encoding="utf-8")
    doc = load(tmp_path / "config.toml", {"CARREL_MODBUS__0__URL": "rtu:/dev/ttyUSB0"})
    assert read_settings(doc).modbus[0].url == "rtu:/dev/ttyUSB0"
    doc = load(tmp_path / "config.toml", {"CARREL_MODBUS__0__URL": "somewhere"})
    with pytest.raises(ConfigError, match=r"^environment variable CARREL_MODBUS__0__URL: .*use rtu:/dev/"):
        read_settings(doc)
