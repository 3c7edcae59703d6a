"""`carrel sim serve`: the virtual building as a program of its own, until SIGTERM or SIGINT."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from firmware_sim.bench import Bench, Places
from firmware_sim.commands import commands
from firmware_sim.control import ControlServer
from firmware_sim.settings import Settings, SettingsError, read_toml

DEMO_BENCH: Final = Path(__file__).with_name("demo.toml")
_LOCK: Final = ".firmware-sim.lock"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `serve` was asked for."""

    settings: Settings
    bench: Path = DEMO_BENCH
    state: Path | None = None
    links: Path | None = None
    as_json: bool = False
    devices: int | None = None  # sensors beside those of the bench file, None: as it says
    reports_per_s: float | None = None


def serve(options: ServeOptions) -> None:
    """Run until told to end; SettingsError or OSError when it cannot start."""
    spec = read_bench(options.bench)
    crowd = {"devices": options.devices, "reports_per_s": options.reports_per_s}
    given = {name: value for name, value in crowd.items() if value is not None}
    spec["population"] = {**spec.get("population", {}), **given}
    with contextlib.ExitStack() as stack:
        links = options.links or (options.state / "run" if options.state else None)
        if links is None:
            links = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="carrel-sim-")))
        for folder in {links.absolute(), (options.state or links).absolute()}:
            stack.enter_context(_locked(folder))
        places = Places(links.absolute(), options.state and options.state.absolute(), options.settings.io)
        asyncio.run(_serve(spec, places, options))


def read_bench(path: Path) -> dict[str, Any]:
    """A bench file; SettingsError when it lacks what every bench needs."""
    spec = read_toml(path)
    start = spec.get("building", {}).get("start")
    if not isinstance(start, datetime) or start.tzinfo is None:
        raise SettingsError(f"{path}: [building] start is not a date and time with an offset")
    return spec


async def _serve(spec: dict[str, Any], places: Places, options: ServeOptions) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        bench = Bench(spec, places, speed=options.settings.speed)
    except (KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{options.bench}: cannot be built: {error}") from error
    control = ControlServer(options.settings.control, commands(bench))
    await bench.open()
    try:
        await control.open()
        _announce({**bench.ports(), "control": control.address}, as_json=options.as_json)
        await stop.wait()
    finally:
        await control.close()
        await bench.close()


def _announce(ports: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        text = json.dumps(ports)
    else:
        lines = ["The virtual building stands. Ctrl-C ends it.", f"  zigbee    {ports['zigbee']}"]
        lines += [f"  {name:9} {path}" for name, path in ports["readers"].items()]
        lines += [f"  {name:9} {at['pty']}  and RTU over TCP at {at['rtu_tcp']}" for name, at in ports["io"].items()]
        text = "\n".join([*lines, f"  control   {ports['control']}"])
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; SettingsError while another virtual building holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise SettingsError(f"another virtual building uses {folder}") from None
    try:
        yield
    finally:
        os.close(fd)
