"""`carrel broker` as a process: it listens, keeps strangers out, ends when told, and says what is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import pytest

from carrel.broker import settings
from carrel.sections import MqttConfig
from tests.support.mqtt_listener import listening
from tests.support.ports import free_port
from tests.support.programs import wait_for
from tests.support.sim import ROOT, eventually

pytestmark = pytest.mark.process


def start(folder: Path, config: MqttConfig) -> subprocess.Popen[str]:
    (folder / "config.toml").write_text(
        f'[mqtt]\nport = {config.port}\nusername = "{config.username}"\npassword = "{config.password}"\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "carrel.cli", "broker", "--config", str(folder / "config.toml")],
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, "PYTHONPATH": str(ROOT)},
    )


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def broker(folder: Path, config: MqttConfig) -> Iterator[subprocess.Popen[str]]:
    process = start(folder, config)
    try:
        wait_for("the broker listens", lambda: accepts(config.port))
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_messages_pass_and_it_ends_on_sigterm_with_clients_connected(tmp_path: Path) -> None:
    config = MqttConfig(port=free_port())
    with broker(tmp_path, config) as process:
        async with listening(config) as other, aiomqtt.Client(config.host, config.port) as client:
            await client.publish("carrel/x", b"kept", qos=1, retain=True)
            await eventually(lambda: other.on("carrel/x") == [b"kept"])
            process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(process.wait, 10)
            assert code == 0
            await asyncio.sleep(0.05)


async def test_with_a_password_only_who_knows_it_comes_in(tmp_path: Path) -> None:
    config = MqttConfig(port=free_port(), username="carrel", password="right")
    with broker(tmp_path, config):
        async with listening(config) as insider:
            await insider.say("carrel/x", b"1")
            await eventually(lambda: insider.on("carrel/x") == [b"1"])
        for user, password in (("carrel", "wrong"), ("other", "right"), (None, None)):
            with pytest.raises(aiomqtt.MqttError):
                async with aiomqtt.Client(config.host, config.port, username=user, password=password, timeout=3):
                    pass


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = start(tmp_path, MqttConfig(port=port))
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert (
        said == f"carrel broker: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "end the program there or change [mqtt] port\n"
    )


def test_a_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[mqtt]\nprot = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "carrel.cli", "broker", "--config", str(tmp_path / "config.toml")],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "carrel broker: config.toml line 2: unknown key 'mqtt.prot': remove it or correct its spelling "
        "(`carrel config` lists all keys)\n",
    )


def test_the_password_file_is_for_its_owner_only_and_holds_no_password(tmp_path: Path) -> None:
    settings(MqttConfig(username="carrel", password="right"), tmp_path)
    file = tmp_path / "passwords"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "right" not in file.read_text()
