"""The gateway's part of `carrel doctor`: its wires, its files, and its clock beside the server's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from carrel.config import Document
from carrel.doctor.finding import Finding, bad, ok, warn
from carrel.doctor.machine import space
from carrel.doctor.ports import held
from carrel.doctor.sqlite import examine
from carrel.sections import SimConfig
from carrel.system_clock import SystemClock
from devices.modbus.config import RTU_SCHEME
from gateway import store_schema
from gateway.settings import GatewaySettings, read_settings

BY_ID = Path("/dev/serial/by-id")
CHANGING = ("ttyUSB", "ttyACM")
"""Names that the kernel gives in the order of plugging in."""
CONNECT_S = 2.0
APART, FAR_APART = timedelta(seconds=5), timedelta(seconds=60)


def look(document: Document) -> Iterator[Finding]:
    """All of it."""
    settings = read_settings(document)
    running = held(settings.store.with_name(f"{settings.store.name}.lock"))
    simulated = document.section("sim", SimConfig).enabled
    for name, port in _wires(settings):
        if port.startswith("/"):
            yield serial(name, Path(port), run=settings.common.var / "run" if simulated else None)
        else:
            yield network(name, port, running=running, simulated=simulated)
    yield examine("gateway", settings.store, newest=store_schema.VERSION)
    if not settings.store.is_relative_to(settings.common.var):
        yield space(settings.store.parent)
    if settings.zigbee.path:
        yield examine("zigbee", settings.zigbee.database)
    yield clocks(settings.gateway.server_url)


def serial(name: str, path: Path, *, run: Path | None = None) -> Finding:
    """Whether the device is there, is ours to open, and will be called so tomorrow. The port is not opened: a radio
    may restart from that. `run` is where the virtual building makes its ports."""
    if not path.exists():
        if run is not None and path.parent == run:
            return ok("devices", f"{name}: {path.name} is there while the virtual building runs")
        known = sorted(str(link) for link in BY_ID.glob("*"))
        there = f"there are: {', '.join(known)}" if known else "no serial device is plugged in"
        return bad("devices", f"{name}: {path} is not there", f"plug it in, or correct its path; {there}")
    if not os.access(path, os.R_OK | os.W_OK):
        mend = "`usermod -aG dialout USER` with the user that runs Carrel, then sign in again"
        return bad("devices", f"{name}: {path} may not be opened", mend)
    if path.name.startswith(CHANGING):
        same = [str(link) for link in BY_ID.glob("*") if link.resolve() == path]
        mend = f"write {same[0]}" if same else f"write the name that it has under {BY_ID}"
        return warn("devices", f"{name}: {path} may get another number after plugging in", mend)
    return ok("devices", f"{name}: {path}")


def network(name: str, url: str, *, running: bool, simulated: bool) -> Finding:
    """Whether somebody listens there. Not tried while the gateway runs: most such devices take one caller only."""
    if running:
        return ok("devices", f"{name}: {url} is in the running gateway's hands; the dashboard shows its state")
    host, _, port = url.rpartition("/")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, ValueError) as error:
        if simulated and host in ("127.0.0.1", "localhost"):
            return ok("devices", f"{name}: {url} is there while the virtual building runs")
        mend = "switch it on, look at the cable, `ping` it, or correct its address"
        return bad("devices", f"{name}: {url} does not answer: {error}", mend)
    return ok("devices", f"{name}: {url} answers")


def clocks(server_url: str) -> Finding:
    """This machine's clock beside the server's, which tells its own with every answer (RFC 9110, Date)."""
    try:
        answer = httpx.get(f"{server_url.rstrip('/')}/healthz", timeout=CONNECT_S, trust_env=False)
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
    except (httpx.HTTPError, ValueError):
        return ok("clocks", f"the server at {server_url} does not tell its time now (it may not be running)")
    return compare(SystemClock().now(), theirs)


def compare(ours: datetime, theirs: datetime) -> Finding:
    """Loans made offline and measurements carry this machine's time."""
    apart = abs(ours - theirs)
    what = f"gateway and server are {apart.total_seconds():.0f} s apart"
    mend = "have NTP set both (`timedatectl set-ntp true`)"
    if apart > FAR_APART:
        return bad("clocks", what, mend)
    return warn("clocks", what, mend) if apart > APART else ok("clocks", what)


def _wires(settings: GatewaySettings) -> Iterator[tuple[str, str]]:
    if settings.zigbee.path:
        yield "zigbee", settings.zigbee.path
    for reader in settings.readers:
        yield reader.id, reader.path
    for module in settings.modbus:
        yield module.id, module.url.removeprefix(RTU_SCHEME)
