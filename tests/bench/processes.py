"""Programs that the benchmark starts, and what the kernel says of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOP_LIMIT_S = 15.0


class BenchError(Exception):
    """One sentence that says why a figure could not be had."""


@contextmanager
def program(
    module: str, *arguments: str, env: Mapping[str, str], log: Path, output: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`python -m MODULE ...`, ended by SIGTERM; its output goes to `output` or a pipe, its standard error to `log`."""
    with log.open("a") as errors, ExitStack() as files:
        out = subprocess.PIPE if output is None else files.enter_context(output.open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT, env=environment(env), stdin=subprocess.DEVNULL, stdout=out, stderr=errors, text=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """SIGTERM, and SIGKILL when that does not help."""
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of the person who runs the benchmark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
    return {**kept, **more}


def wait_until(what: str, fact: Callable[[], bool], *, limit_s: float, log: Path) -> None:
    """Poll for a fact; BenchError with the log's last line when it does not come."""
    limit = time.monotonic() + limit_s
    while not fact():
        if time.monotonic() > limit:
            lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
            raise BenchError(f"{what}: not within {limit_s:.0f} s; {lines[-1] if lines else 'its log is empty'}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody holds now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def resident_mib(pid: int) -> float:
    """Resident set of a process, shared pages counted whole."""
    return _field_mib(Path(f"/proc/{pid}/status"), "VmRSS:")


def proportional_mib(pid: int) -> float:
    """Resident set with shared pages divided among those who share them."""
    return _field_mib(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> dict[int, Sequence[str]]:
    """Direct children with their command lines."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/cmdline").read_text().strip("\0").split("\0") for child in pids}


def _field_mib(file: Path, name: str) -> float:
    line = next(line for line in file.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024
