"""The demo library as `carrel run` starts it: time from start to `ready`, and memory of its processes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.processes import BenchError, children, program, proportional_mib, resident_mib, wait_until
from tests.bench.site import Site, make_site

START_MOST_S = 10.0
MEMORY_MOST_MIB = 150.0
JUDGED = ("gateway", "server")
SETTLED_AFTER_S = 30.0
LIMIT_S = 120.0


def measure(folder: Path, *, start: bool, memory: bool) -> list[Figure]:
    """The figures asked for; the library runs once before, so that its data are there. Raises BenchError."""
    site = make_site(folder / "demo")
    with _running(site):
        pass
    figures = []
    began_s = time.monotonic()
    with _running(site) as process:
        seconds = time.monotonic() - began_s
        if start:
            figures.append(Figure("start to ready", seconds, "s", most=START_MOST_S))
        if memory:
            time.sleep(SETTLED_AFTER_S)
            figures += _memory(process.pid)
    return figures


@contextmanager
def _running(site: Site) -> Iterator[subprocess.Popen[str]]:
    """The library, ready."""
    log, output = site.log("run"), site.log("run-output")
    with program("carrel.cli", "run", "--config", str(site.config), env=site.env, log=log, output=output) as process:
        wait_until("`carrel run`", lambda: _ready(process, output, log), limit_s=LIMIT_S, log=log)
        yield process


def _ready(process: subprocess.Popen[str], output: Path, log: Path) -> bool:
    if process.poll() is not None:
        raise BenchError(f"`carrel run` ended: {' '.join(log.read_text().split()) or 'it gave no reason'}")
    return any(line.startswith("ready") for line in output.read_text().splitlines())


def _memory(front: int) -> list[Figure]:
    """Resident sets by program; the proportional ones are smaller, as pages that are shared count in part."""
    figures = []
    for pid, words in sorted(children(front).items()):
        name = words[4]  # python -m carrel.guarded PARENT COMMAND ...
        most = MEMORY_MOST_MIB if name in JUDGED else None
        figures.append(Figure(f"memory of {name}", resident_mib(pid), "MiB", most=most))
        figures.append(Figure(f"memory of {name}, proportional", proportional_mib(pid), "MiB"))
    return figures
