"""What the doctor says of ports and the broker."""

import asyncio
import fcntl
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from carrel.config import load
from carrel.doctor import ports
from carrel.sections import Common, read_common
from tests.support.ports import free_port

CONFIG = Path("config.toml")
LISTEN = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("on", flush=True)
sys.stdin.read()
"""


def holder(port: int, *words: str) -> "subprocess.Popen[bytes]":
    """Another process that listens; its command line ends with these words."""
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(port), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"on\n"
    return process


def test_a_free_port_is_well() -> None:
    assert ports.port("127.0.0.1", free_port(), "[server] port", config=CONFIG).verdict == "ok"


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("carrel.cli", "ok"),
        ("carrel.cli server --config config.toml", "ok"),
        ("carrel.cli server --config /elsewhere/config.toml", "bad"),
        ("something", "bad"),
    ],
)
def test_who_holds_a_port_is_told(words: str, verdict: str) -> None:
    port = free_port()
    with holder(port, *words.split()) as process:
        found = ports.port("127.0.0.1", port, "[server] port", config=CONFIG)
        assert found.verdict == verdict
        assert f"process {process.pid}" in found.what
        process.communicate(timeout=10)


def test_an_address_of_another_machine_is_bad() -> None:
    found = ports.port("192.0.2.1", free_port(), "[server] port", config=CONFIG)
    assert (found.verdict, found.what) == ("bad", "192.0.2.1 is no address of this machine ([server] port)")


def test_a_port_given_twice_is_bad(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "config.toml"
    config.write_text(f"[server]\nport = {port}\n[mqtt]\nport = {port}\n")
    found = [f for f in ports.look(load(config, {})) if f.verdict == "bad"]
    assert [f.what for f in found] == [f"port {port} is given to both [server] port and [mqtt] port"]


def test_a_lock_is_seen_while_somebody_has_it(tmp_path: Path) -> None:
    assert not ports.held(tmp_path / "lock")
    with (tmp_path / "lock").open("ab") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        assert ports.held(tmp_path / "lock")
    assert not ports.held(tmp_path / "lock")


@pytest.fixture
def common(tmp_path: Path) -> Common:
    (tmp_path / "config.toml").write_text(f"[mqtt]\nport = {free_port()}\n")
    return read_common(load(tmp_path / "config.toml", {}))


@pytest.mark.parametrize(
    ("embedded", "running", "verdict"), [(True, False, "ok"), (True, True, "bad"), (False, False, "bad")]
)
def test_a_broker_that_is_away_is_bad_when_it_should_be_there(
    common: Common, embedded: bool, running: bool, verdict: str
) -> None:
    mqtt = common.mqtt.model_copy(update={"embedded": embedded})
    found = asyncio.run(ports.broker(mqtt, "[mqtt] username and password", running=running))
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("mqtt", "gateway", "users"),
    [
        ("", "", [""]),
        ("server", "", ["server"]),
        ("", "gw", ["gw"]),
        ("server", "gw", ["server", "gw"]),
    ],
)
def test_the_broker_is_asked_as_each_program_would(mqtt: str, gateway: str, users: list[str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[mqtt]\nport = {free_port()}\nembedded = false\nusername = "{mqtt}"\n[gateway]\nmqtt_username = "{gateway}"\n'
    )
    said = [finding.what for finding in ports.look(load(config, {})) if finding.check == "broker"]
    assert [f"does not let {user or 'us'} in" in what for user, what in zip(users, said, strict=True)] == [True] * len(
        users
    )


def test_a_broker_that_answers_is_well(common: Common) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x20\x02\x00\x00")  # CONNACK: accepted
        await reader.read(100)
        writer.close()

    async def ask() -> str:
        async with await asyncio.start_server(accept, "127.0.0.1", common.mqtt.port):
            return (await ports.broker(common.mqtt, "", running=True)).verdict

    assert asyncio.run(ask()) == "ok"


def test_the_port_of_a_closed_listener_is_free_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.getsockname()[1]
    assert ports.port("127.0.0.1", number, "x", config=CONFIG).verdict == "ok"
