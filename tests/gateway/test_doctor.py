"""What the doctor says of wires and of the gateway's clock."""

import os
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from carrel.config import load
from gateway import doctor
from gateway.settings import read_settings
from tests.support.library import NOW
from tests.support.ports import free_port
from tests.support.tree import ROOT


def test_a_serial_port_that_is_there_is_well() -> None:
    near, far = os.openpty()
    try:
        assert doctor.serial("zigbee", Path(os.ttyname(far))).verdict == "ok"
    finally:
        os.close(near)
        os.close(far)


def test_one_that_is_missing_is_bad_but_not_the_virtual_buildings(tmp_path: Path) -> None:
    assert doctor.serial("zigbee", tmp_path / "zigbee").verdict == "bad"
    assert doctor.serial("zigbee", tmp_path / "zigbee", run=tmp_path / "other").verdict == "bad"
    assert doctor.serial("zigbee", tmp_path / "zigbee", run=tmp_path).verdict == "ok"


def test_a_name_that_changes_with_plugging_in_warns_with_the_one_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BY_ID", tmp_path / "by-id")
    (tmp_path / "by-id").mkdir()
    device = tmp_path / "ttyUSB0"
    device.touch()
    (tmp_path / "by-id" / "usb-Sonoff").symlink_to(device)
    found = doctor.serial("zigbee", device)
    assert (found.verdict, found.mend) == ("warn", f"write {tmp_path}/by-id/usb-Sonoff")
    assert "usb-Sonoff" in doctor.serial("zigbee", tmp_path / "ttyUSB9").mend


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_port_that_may_not_be_opened_names_the_group(tmp_path: Path) -> None:
    device = tmp_path / "tty"
    device.touch(0o000)
    assert "dialout" in doctor.serial("zigbee", device).mend


def test_a_network_device_is_called_unless_the_gateway_has_it() -> None:
    away = f"rtu+tcp://127.0.0.1:{free_port()}"
    assert doctor.network("io-1", away, running=False, simulated=False).verdict == "bad"
    assert doctor.network("io-1", away, running=False, simulated=True).verdict == "ok"
    assert doctor.network("io-1", away, running=True, simulated=False).verdict == "ok"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"socket://127.0.0.1:{listening.getsockname()[1]}"
        assert doctor.network("io-1", url, running=False, simulated=False).what == f"io-1: {url} answers"


@pytest.mark.parametrize(("seconds", "verdict"), [(1, "ok"), (-30, "warn"), (90, "bad")])
def test_clocks_that_are_apart_are_told(seconds: int, verdict: str) -> None:
    assert doctor.compare(NOW, NOW + timedelta(seconds=seconds)).verdict == verdict


def test_a_server_that_is_away_tells_no_time() -> None:
    assert doctor.clocks(f"http://127.0.0.1:{free_port()}").verdict == "ok"


def test_every_wire_of_the_shipped_configuration_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes((ROOT / "config.toml").read_bytes())
    document = load(tmp_path / "config.toml", {})
    settings = read_settings(document)
    said = [finding.what.partition(":")[0] for finding in doctor.look(document) if finding.check == "devices"]
    assert said == ["zigbee", *(r.id for r in settings.readers), *(m.id for m in settings.modbus)]
