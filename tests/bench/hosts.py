"""The two hosts that are compared, Carrel's gateway and bare zigpy, each with a virtual building of its own."""

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
from tests.bench.site import Site, twitchy

QUIET_S = 3.0
JOIN_LIMIT_S, START_LIMIT_S = 120.0, 60.0
JOIN_EACH_S = 1.0


@dataclass(slots=True)
class Side:
    """A host with its building."""

    site: Site
    host: subprocess.Popen[str]
    times_ms: list[float] = field(default_factory=list)
    calm_ms: list[float] = field(default_factory=list)
    lost: int = 0
    cpu_s: float = 0.0

    def block(self, samples: int, *, counts: bool, load: float = 0.0) -> None:
        """One block of samples, while the crowd sends `load` reports a second."""
        before_s = cpu_s(self.host.pid)
        found = ask(self.site, "measure", samples=samples, host=self.host.pid, load=load)
        if counts:
            self.times_ms += found["times_ms"]
            self.calm_ms += found["calm_ms"]
            self.lost += found["lost"]
            self.cpu_s += cpu_s(self.host.pid) - before_s

    @property
    def cpu_ms(self) -> float:
        """Processor time of the host per measured report, with everything else that it does meanwhile."""
        return 1000 * self.cpu_s / max(1, len(self.times_ms) + self.lost)


def in_turns(carrel: Side, bare: Side, *, blocks: int, samples: int, warm_up: int, load: float = 0.0) -> None:
    """Blocks of both sides alternating, the starting side too, so that what else the machine does hits both."""
    for number in range(-warm_up, blocks):
        for side in (bare, carrel) if number % 2 else (carrel, bare):
            side.block(samples, counts=number >= 0, load=load)


def time_figures(carrel: Side, bare: Side, *, most: float, prefix: str = "") -> list[Figure]:
    """Quantiles of all samples and of the undisturbed ones; raises BenchError when there is none."""
    if not carrel.calm_ms or not bare.calm_ms:
        raise BenchError(f"no command came in peace: {len(carrel.times_ms)} and {len(bare.times_ms)} came at all")
    quantiles = (("p50", 0.5, most), ("p90", 0.9, None), ("p99", 0.99, most))
    figures = [
        Figure(f"{prefix}wire to wire {name}", quantile(carrel.times_ms, q), "ms", quantile(bare.times_ms, q), target)
        for name, q, target in quantiles
    ]
    figures += [
        Figure(f"{prefix}undisturbed {name}", quantile(carrel.calm_ms, q), "ms", quantile(bare.calm_ms, q))
        for name, q, _ in quantiles
    ]
    shares = [100 * (1 - len(side.calm_ms) / len(side.times_ms)) for side in (carrel, bare)]
    figures.append(Figure(f"{prefix}disturbed by other processes", shares[0], "%", shares[1]))
    figures.append(Figure(f"{prefix}reports without a command", carrel.lost, "", bare.lost))
    return figures


def copied(first: Site, second: Site) -> None:
    """The same network, devices and database for another host."""
    shutil.copytree(first.folder / "var", second.folder / "var", symlinks=True, dirs_exist_ok=True)


def building(stack: ExitStack, site: Site) -> None:
    """The virtual building with its meter."""
    log = site.log("building")
    process = stack.enter_context(
        program(
            "tests.bench.building", "--state", str(site.folder / "var" / "sim"), "--links", str(site.run_dir),
            "--io-port", str(site.ports["io"]), "--control", site.env["CARREL_SIM__CONTROL"],
            "--devices", str(site.crowd), env={}, log=log,
        )
    )  # fmt: skip
    assert process.stdout is not None
    if not process.stdout.readline():
        raise BenchError(f"the virtual building did not start: see {log}")


def server(stack: ExitStack, site: Site) -> subprocess.Popen[str]:
    """The library server; the broker runs already."""
    log = site.log("server")
    host = stack.enter_context(program("carrel.cli", "server", "--config", str(site.config), env=site.env, log=log))
    wait_until("the server", lambda: listens(site.ports["server"]), limit_s=START_LIMIT_S, log=log)
    return host


def broker(stack: ExitStack, site: Site) -> None:
    """The embedded broker as a process."""
    log = site.log("broker")
    stack.enter_context(program("carrel.cli", "broker", "--config", str(site.config), env=site.env, log=log))
    wait_until("the broker", lambda: listens(site.ports["mqtt"]), limit_s=START_LIMIT_S, log=log)


def gateway(stack: ExitStack, site: Site, *, fresh: bool) -> subprocess.Popen[str]:
    """The whole gateway, once all devices are on its network and it is quiet; `fresh` when it has none yet."""
    log = site.log("gateway")
    host = stack.enter_context(
        program("carrel.cli", "gateway", "--config", str(site.config), env=twitchy(site), log=log)
    )
    limit_s = JOIN_LIMIT_S + JOIN_EACH_S * site.crowd if fresh else START_LIMIT_S
    wait_until("the gateway's network", lambda: _settled(site, host, log), limit_s=limit_s, log=log)
    return host


def bare_zigpy(stack: ExitStack, site: Site) -> subprocess.Popen[str]:
    """The peer."""
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
