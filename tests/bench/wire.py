"""Wire to wire: from a report's bytes on the pty to the command's bytes on the pty, Carrel beside bare zigpy.

Both sides have a virtual building in a process of its own and start from copies of one network, so the same devices
report the same to both. They are measured in turns, a block each, so that what else the machine does hits both.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware_sim.control import NoBuildingError, call
from firmware_sim.settings import address
from tests.bench.figures import Figure, quantile
from tests.bench.processes import BenchError, cpu_s, listens, program, wait_until
from tests.bench.site import Site, make_site, twitchy

RATIO_MOST = 1.5
QUANTILES = (("p50", 0.5, RATIO_MOST), ("p90", 0.9, None), ("p99", 0.99, RATIO_MOST))
BLOCK = 20
WARM_UP = 3  # blocks that do not count
QUIET_S = 3.0
JOIN_LIMIT_S, START_LIMIT_S = 120.0, 60.0


@dataclass(slots=True)
class Side:
    """A host with its building."""

    site: Site
    host: subprocess.Popen[str]
    times_ms: list[float] = field(default_factory=list)
    calm_ms: list[float] = field(default_factory=list)
    lost: int = 0
    cpu_s: float = 0.0

    def block(self, *, counts: bool) -> None:
        """One block of samples."""
        before_s = cpu_s(self.host.pid)
        found = ask(self.site, "measure", samples=BLOCK, host=self.host.pid)
        if counts:
            self.times_ms += found["times_ms"]
            self.calm_ms += found["calm_ms"]
            self.lost += found["lost"]
            self.cpu_s += cpu_s(self.host.pid) - before_s

    @property
    def cpu_ms(self) -> float:
        """Processor time of the host per report, with everything else that it does meanwhile."""
        return 1000 * self.cpu_s / max(1, len(self.times_ms) + self.lost)


def measure(folder: Path, samples: int) -> list[Figure]:
    """The figures of `samples` reports on each side; raises BenchError."""
    blocks = max(1, round(samples / BLOCK))
    first = make_site(folder / "carrel")
    with ExitStack() as stack:
        _building(stack, first)
        _carrel(stack, first, fresh=True)
    second = make_site(folder / "bare")
    shutil.copytree(first.folder / "var", second.folder / "var", symlinks=True, dirs_exist_ok=True)
    with ExitStack() as stack:
        _building(stack, first)
        _building(stack, second)
        carrel = Side(first, _carrel(stack, first, fresh=False))
        bare = Side(second, _bare(stack, second))
        for number in range(-WARM_UP, blocks):
            for side in (bare, carrel) if number % 2 else (carrel, bare):
                side.block(counts=number >= 0)
    return _figures(carrel, bare)


def _figures(carrel: Side, bare: Side) -> list[Figure]:
    if not carrel.calm_ms or not bare.calm_ms:
        raise BenchError(f"no command came in peace: {len(carrel.times_ms)} and {len(bare.times_ms)} came at all")
    figures = [
        Figure(f"wire to wire {name}", quantile(carrel.times_ms, q), "ms", quantile(bare.times_ms, q), most)
        for name, q, most in QUANTILES
    ]
    figures += [
        Figure(f"undisturbed {name}", quantile(carrel.calm_ms, q), "ms", quantile(bare.calm_ms, q))
        for name, q, _ in QUANTILES
    ]
    shares = [100 * (1 - len(side.calm_ms) / len(side.times_ms)) for side in (carrel, bare)]
    figures.append(Figure("disturbed by other processes", shares[0], "%", shares[1]))
    figures.append(Figure("processor time per report", carrel.cpu_ms, "ms", bare.cpu_ms))
    figures.append(Figure("reports without a command", carrel.lost, "", bare.lost))
    return figures


def _building(stack: ExitStack, site: Site) -> None:
    log = site.log("building")
    process = stack.enter_context(
        program(
            "tests.bench.building", "--state", str(site.folder / "var" / "sim"), "--links", str(site.run_dir),
            "--io-port", str(site.ports["io"]), "--control", site.env["CARREL_SIM__CONTROL"], env={}, log=log,
        )
    )  # fmt: skip
    assert process.stdout is not None
    if not process.stdout.readline():
        raise BenchError(f"the virtual building did not start: see {log}")


def _carrel(stack: ExitStack, site: Site, *, fresh: bool) -> subprocess.Popen[str]:
    """The whole gateway with its broker; no server."""
    config = ("--config", str(site.config))
    stack.enter_context(program("carrel.cli", "broker", *config, env=site.env, log=site.log("broker")))
    wait_until("the broker", lambda: listens(site.ports["mqtt"]), limit_s=START_LIMIT_S, log=site.log("broker"))
    log = site.log("gateway")
    host = stack.enter_context(program("carrel.cli", "gateway", *config, env=twitchy(site), log=log))
    limit_s = JOIN_LIMIT_S if fresh else START_LIMIT_S
    wait_until("the gateway's network", lambda: _settled(site, host, log), limit_s=limit_s, log=log)
    return host


def _bare(stack: ExitStack, site: Site) -> subprocess.Popen[str]:
    log = site.log("bare")
    port, database = site.run_dir / "zigbee", site.folder / "var" / "zigbee.db"
    host = stack.enter_context(program("tests.bench.bare", str(port), str(database), env={}, log=log))
    assert host.stdout is not None
    if host.stdout.readline().strip() != "ready":
        raise BenchError(f"bare zigpy did not start: see {log}")
    return host


def _settled(site: Site, host: subprocess.Popen[str], log: Path) -> bool:
    if host.poll() is not None:
        raise BenchError(f"the gateway ended: {log.read_text().strip().splitlines()[-1:]}")
    state = ask(site, "state")
    return not state["missing"] and state["quiet_s"] > QUIET_S


def ask(site: Site, cmd: str, **fields: Any) -> dict[str, Any]:
    """One request on a building's control socket."""
    try:
        return call(address(site.env["CARREL_SIM__CONTROL"]), {"cmd": cmd, **fields})
    except NoBuildingError as error:
        raise BenchError(str(error)) from error
