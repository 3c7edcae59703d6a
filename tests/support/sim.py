"""Helpers for tests with the virtual building: waiting for a fact, and the building as a process."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware_sim.control import call
from firmware_sim.settings import address

ROOT = Path(__file__).resolve().parents[2]


async def eventually(fact: Callable[[], Any], within_s: float = 5.0) -> Any:
    """Wait until `fact()` is true and return it; AssertionError after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := fact()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)
    return value


class VirtualBuilding:
    """A running `carrel sim serve --json`; `ports` is the line it printed."""

    def __init__(self, process: "subprocess.Popen[str]", ports: dict[str, Any]) -> None:
        self.process = process
        self.ports = ports

    def command(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """One request on the control socket; ValueError when it is refused."""
        return call(address(self.ports["control"]), {"cmd": cmd, **fields})

    def observe(self) -> dict[str, Any]:
        """What the building looks like now."""
        return self.command("observe")


@contextmanager
def virtual_building(*arguments: str, cwd: Path | None = None) -> Iterator[VirtualBuilding]:
    """`python -m firmware_sim serve --json` on free ports, ended by SIGTERM; asserts that it ends cleanly."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "firmware_sim",
            "serve",
            "--json",
            "--control",
            "127.0.0.1:0",
            "--io-port",
            "0",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=sim_environment(),
    )
    assert process.stdout is not None
    try:
        yield VirtualBuilding(process, json.loads(process.stdout.readline()))
        process.terminate()
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)
        process.stdout.close()


def sim_environment(**more: str) -> dict[str, str]:
    """An environment in which `python -m firmware_sim` is found, without settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
    return {**kept, "PYTHONPATH": str(ROOT / "firmware-sim"), **more}
