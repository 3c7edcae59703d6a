"""The virtual building as a program: start, the line it prints, its end, and what may go wrong."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_sim.control import NoBuildingError
from firmware_sim.serve import read_bench
from firmware_sim.settings import SettingsError
from tests.support.sim import sim_environment, virtual_building

pytestmark = pytest.mark.process


def _sim(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "firmware_sim", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=cwd, env=sim_environment(), check=False
    )


def test_it_prints_its_ports_and_leaves_nothing_behind(tmp_path: Path) -> None:
    links = tmp_path / "links"
    with virtual_building("--links", str(links), cwd=tmp_path) as sim:
        assert sim.ports["zigbee"] == str(links / "zigbee")
        assert sim.ports["readers"] == {"kiosk-1": str(links / "kiosk-1")}
        assert sim.ports["io"]["io-1"]["pty"] == str(links / "io-1")
        host, _, port = sim.ports["io"]["io-1"]["rtu_tcp"].rpartition(":")
        socket.create_connection((host, int(port)), timeout=5).close()
        assert os.path.realpath(sim.ports["zigbee"]).startswith("/dev/pts/")
        assert sim.observe()["rooms"]["out"]["lux"] > 0
        ended = sim
    assert [path.name for path in links.iterdir() if path.is_symlink()] == []
    with pytest.raises(NoBuildingError):
        ended.observe()


def test_without_folders_its_links_live_in_a_temporary_one(tmp_path: Path) -> None:
    with virtual_building(cwd=tmp_path) as sim:
        folder = Path(sim.ports["zigbee"]).parent
        assert folder.is_absolute()
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_state_survives_a_restart_and_even_a_kill_leaves_a_usable_folder(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    with virtual_building(*state, cwd=tmp_path) as sim:
        sim.command("place", pad="kiosk-1", names=["30000001"])
        link = Path(sim.ports["zigbee"])
    with virtual_building(*state, cwd=tmp_path) as sim:
        assert sim.observe()["tags"]["30000001"]["pad"] == "kiosk-1"
        sim.process.kill()
        sim.process.wait(10)
        assert link.is_symlink()
        with virtual_building(*state, cwd=tmp_path) as again:
            assert again.observe()["tags"]["30000001"]["pad"] == "kiosk-1"
            assert Path(again.ports["zigbee"]) == link
        sim.process.returncode = 0  # the kill was meant


def test_ctrl_c_is_a_clean_end(tmp_path: Path) -> None:
    with virtual_building(cwd=tmp_path) as sim:
        sim.process.send_signal(signal.SIGINT)
        assert sim.process.wait(10) == 0


def test_second_building_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state"))
    with virtual_building(*state, cwd=tmp_path):
        second = _sim("serve", *state, cwd=tmp_path)
    assert second.returncode == 2
    assert second.stderr.startswith("carrel sim: another virtual building uses ")
    assert second.stderr.count("\n") == 1


def test_control_port_is_taken_from_the_config_for_both_sides(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "config.toml").write_text(f'[sim]\ncontrol = "127.0.0.1:{port}"\nio_port = 0\n')
    command = [sys.executable, "-m", "firmware_sim", "serve"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=sim_environment())
    assert process.stdout is not None
    assert process.stdout.readline().startswith("The virtual building stands")
    try:
        seen = _sim("observe", cwd=tmp_path)
        assert seen.returncode == 0
        assert "reading-room" in seen.stdout
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve", "--bench", "none.toml"], "cannot read none.toml: No such file or directory"),
        (["serve", "--bench", "bad.toml"], "bad.toml: [building] start is not a date and time with an offset"),
        (["serve", "--bench", "thin.toml"], "thin.toml: cannot be built: 'tags'"),
        (["serve", "--links", "file"], "file"),
        (["serve", "--speed", "-1"], "speed -1 is outside 0..36000"),
        (["serve", "--io-port", "70000"], "port 70000 is not a number from 0 to 65535"),
        (["serve", "--control", "nonsense"], "control address 'nonsense' is not HOST:PORT"),
    ],
)
def test_what_cannot_start_says_why_in_one_sentence(tmp_path: Path, arguments: list[str], complaint: str) -> None:
    (tmp_path / "bad.toml").write_text("[building]\nstart = 3\n")
    (tmp_path / "thin.toml").write_text("[building]\nstart = 2026-08-28T09:00:00+08:00\n")
    (tmp_path / "file").write_text("")
    done = _sim(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("carrel sim: ")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_bench_without_an_offset_in_its_start_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text("[building]\nstart = 2026-08-28T09:00:00\n")
    with pytest.raises(SettingsError, match="offset"):
        read_bench(tmp_path / "bench.toml")


def test_a_crowd_for_load_tests_comes_with_the_options(tmp_path: Path) -> None:
    with virtual_building("--devices", "5", "--reports-per-s", "20", cwd=tmp_path) as building:
        seen = building.command("zigbee", do="list")
    assert [each["name"] for each in seen["devices"]][-5:] == [f"load-00{number}" for number in range(1, 6)]
    assert (seen["load"]["rate_s"], seen["load"]["sent"]) == (20, 0)
