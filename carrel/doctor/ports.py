"""Ports the library listens on: free, held by itself, or by whom; and the broker."""

from __future__ import annotations

import asyncio
import fcntl
import socket
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
from pydantic import ConfigDict

from carrel.config import Document, Section
from carrel.doctor.finding import Finding, bad, ok, warn
from carrel.mqtt import client
from carrel.run import listeners, read_site
from carrel.sections import MqttConfig

OURS = {"carrel.cli", "carrel.guarded", "server.cli", "gateway.cli", "firmware_sim"}
LISTENING = "0A"
WAITING = 1000
"""Messages that may come before the doctor has left again."""


def look(document: Document) -> Iterator[Finding]:
    """All of it."""
    site = read_site(document)
    seen: dict[int, str] = {}
    for (host, number), key in listeners(site):
        if number in seen:
            yield bad("ports", f"port {number} is given to both {seen[number]} and {key}", "change one of them")
        else:
            yield port(host, number, key, config=document.file)
        seen[number] = key
    running = held(site.run_dir / "carrel.lock")
    for mqtt, keys in sign_ins(site.common.mqtt, document.section("gateway", _Gateway)):
        yield asyncio.run(broker(mqtt, keys, running=running))


class _Gateway(Section):
    """What the doctor reads of `[gateway]`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mqtt_username: str = ""
    mqtt_password: str = ""


def sign_ins(mqtt: MqttConfig, gateway: _Gateway) -> Iterator[tuple[MqttConfig, str]]:
    """How server and gateway show themselves to the broker, with the keys that say so."""
    if mqtt.username or not gateway.mqtt_username:
        yield mqtt, "[mqtt] username and password"
    if gateway.mqtt_username:
        own = {"username": gateway.mqtt_username, "password": gateway.mqtt_password}
        yield mqtt.model_copy(update=own), "[gateway] mqtt_username and mqtt_password"


def port(host: str, number: int, key: str, *, config: Path) -> Finding:
    """Whether the programs of this configuration can listen there, or do."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except PermissionError:
            return bad("ports", f"port {number} is only for root", f"change {key} to one above 1023")
        except OSError as error:
            return _taken(host, number, key=key, reason=str(error.strerror or error), config=config)
    return ok("ports", f"{host}:{number} is free ({key})")


def held(lock: Path) -> bool:
    """Whether a program of ours has this lock."""
    try:
        with lock.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


async def broker(mqtt: MqttConfig, keys: str, *, running: bool) -> Finding:
    """Whether it lets this user in. The built-in one is there only while the library runs."""
    where = f"{mqtt.host}:{mqtt.port}"
    who = mqtt.username or "us"
    try:
        async with client(mqtt, "carrel-doctor", waiting=WAITING):
            return ok("broker", f"{where} lets {who} in")
    except (aiomqtt.MqttError, OSError) as error:
        said = str(error) or type(error).__name__
    if not mqtt.embedded:
        mend = f"start it, or correct [mqtt] host, port and certificates, {keys}"
        return bad("broker", f"{where} does not let {who} in: {said}", mend)
    if running:
        return bad("broker", f"the built-in one at {where} does not answer: {said}", "see var/log/broker.log")
    return ok("broker", f"the built-in one at {where} is not running; `carrel run` starts it")


def _taken(host: str, number: int, *, key: str, reason: str, config: Path) -> Finding:
    holder = _holder(number)
    if holder is None:
        if "assign" in reason.lower():
            return bad("ports", f"{host} is no address of this machine ({key})", "write 127.0.0.1 or 0.0.0.0")
        mend = f"end that program (`ss -ltnp` as root names it), or change {key}"
        return warn("ports", f"port {number} is held by a program of another user", mend)
    pid, words = holder
    if any(word in OURS or Path(word).name == "carrel" for word in words):
        other = _config_of(pid, words)
        if other not in (None, config.resolve()):
            mend = f"end that one, or change {key}"
            return bad("ports", f"port {number} is held by another library's Carrel, process {pid} of {other}", mend)
        return ok("ports", f"{host}:{number} is held by Carrel itself, process {pid} ({key})")
    command = " ".join(words)[:80]
    return bad("ports", f"port {number} is held by process {pid}: {command}", f"end it, or change {key}")


def _holder(number: int) -> tuple[int, list[str]] | None:
    """Process and words of its command line; None where that cannot be seen."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(number)}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(descriptor.readlink()) in wanted for descriptor in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                return int(process.name), [word.decode(errors="replace") for word in words]
        except OSError:
            continue
    return None


def _config_of(pid: int, words: list[str]) -> Path | None:
    """The configuration that a program of ours was started with; None where its command line names none."""
    if "--config" not in words[:-1]:
        return None
    named = Path(words[words.index("--config") + 1])
    try:
        return (Path(f"/proc/{pid}/cwd").readlink() / named).resolve()
    except OSError:
        return None


def _inodes(number: int) -> Iterator[str]:
    """Of sockets that listen on a port (proc_pid_net(5): local address, state and inode are fields 1, 3 and 9)."""
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == number:
                yield fields[9]
