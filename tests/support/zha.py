"""ZHA, the Zigbee host of Home Assistant: installed from a lock file under a newer Python, which it asks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.tree import ROOT

FOLDER = ROOT / "tests" / "zha"
NEEDS = (3, 12)
INSTALL_S, END_S = 300, 30


def install(folder: Path) -> Path:
    """A Python that can import ZHA; a named skip on a machine without a Python new enough for it, as Debian 12 is."""
    python = _newer_python()
    if python is None:
        pytest.skip("ZHA needs Python 3.12 or later, and this machine has none")
    _run([python, "-m", "venv", str(folder)])
    inside = folder / "bin" / "python"
    _run([str(inside), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(FOLDER / "requirements.lock")])
    return inside


def _newer_python() -> str | None:
    names = [f"python3.{minor}" for minor in range(15, NEEDS[1] - 1, -1)]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(name) for name in names] + [str(path) for path in sorted(kept.glob("3.1[2-9]*/bin/python"))]
    ask = "import ensurepip, sys; sys.exit(sys.version_info < (3, 12))"
    works = (p for p in found if p and subprocess.run([p, "-c", ask], capture_output=True, check=False).returncode == 0)
    return next(works, None)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.strip()[-500:]}"


class Zha:
    """A running host; `said` is its newest picture of the network."""

    def __init__(self, python: Path, database: Path, serial: str) -> None:
        self.said: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [str(python), "-u", str(FOLDER / "host.py"), serial, str(database)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._ear = threading.Thread(target=self._listen)
        self._ear.start()

    @property
    def pan(self) -> str:
        """Of its network."""
        return str(self.said.get("pan", ""))

    def interviewed(self) -> set[str]:
        """IEEE addresses of devices that are wholly known."""
        return {ieee for ieee, device in self.said.get("devices", {}).items() if device["interviewed"]}

    def state(self, ieee: str, entity: str) -> dict[str, Any]:
        """What an entity of a device shows; empty when there is none."""
        return dict(self.said.get("devices", {}).get(ieee, {}).get("entities", {}).get(entity, {}))

    def say(self, line: str) -> None:
        """An order."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Told to end, it does, and well."""
        self.say("end")
        assert self._process.wait(END_S) == 0
        self._ear.join()

    def stop(self) -> None:
        """At the end of a test, whatever happened."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._ear.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said = json.loads(line)


@contextmanager
def zha(python: Path, database: Path, serial: str) -> Iterator[Zha]:
    """A host for the block."""
    host = Zha(python, database, serial)
    try:
        yield host
    finally:
        host.stop()
