"""`carrel run`: starts broker, virtual building, server and gateway as processes of their own, and ends them.

A process that dies is started again (after 1 s, doubling to 30 s); their logs lie under var/log/.
"""

from __future__ import annotations

import argparse
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from pydantic import ConfigDict

from carrel.config import ConfigError, Document, Section, load
from carrel.sections import Common, Port, SimConfig, read_common

START_LIMIT_S = 90.0
STOP_LIMIT_S, LEAST_STOP_S = 8.0, 1.0
FIRST_RESTART_S, LAST_RESTART_S = 1.0, 30.0
LOG_LIMIT = 5 << 20
"""Bytes after which a log is put aside; one generation is kept."""
TAIL = 4096


class RunError(Exception):
    """One sentence that says what is wrong and what to do."""


@dataclass(slots=True)
class Part:
    """One program of the library and how to see that it serves."""

    name: str
    title: str
    argv: list[str]
    ready: Callable[[], bool]
    process: subprocess.Popen[bytes] | None = None
    restart_at: float = 0.0
    delay_s: float = FIRST_RESTART_S
    started: float = field(default=0.0)


@dataclass(frozen=True, slots=True)
class Site:
    """What `run` needs to know of config.toml."""

    config: Path
    common: Common
    server: tuple[str, int]
    kiosks: tuple[tuple[str, int], ...]
    sim: bool
    sim_control: tuple[str, int]
    sim_io_port: int
    sim_speed: float
    demo: bool

    @property
    def run_dir(self) -> Path:
        """Where links, locks and facts of the running library are."""
        return self.common.var / "run"


def main(argv: list[str]) -> int:
    """Run the library until Ctrl-C or SIGTERM; 1 when it cannot start."""
    parser = argparse.ArgumentParser(prog="carrel run", description="Start everything config.toml describes.")
    parser.add_argument("--config", metavar="FILE")
    options = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        site = read_site(load(options.config))
        with only_one(site):
            check_ports(site)
            run(site)
    except (ConfigError, RunError) as error:
        print(f"carrel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


class _Listener(Section):
    """What `run` reads of `[server]` and `[[gateway.kiosk]]`; each program checks its own section whole."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: Port = 8080
    demo: bool = False


class _Gateway(Section):
    """What `run` reads of `[gateway]`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kiosk: tuple[_Listener, ...] = ()


def read_site(doc: Document) -> Site:
    """Everything is validated by its own program too; here only what is needed to start them. Raises ConfigError."""
    server, sim = doc.section("server", _Listener), doc.section("sim", SimConfig)
    return Site(
        config=doc.file,
        common=read_common(doc),
        server=(server.host, server.port),
        kiosks=tuple((kiosk.host, kiosk.port) for kiosk in doc.section("gateway", _Gateway).kiosk),
        sim=sim.enabled,
        sim_control=sim.control_address,
        sim_io_port=sim.io_port,
        sim_speed=sim.speed,
        demo=server.demo,
    )


@contextmanager
def only_one(site: Site) -> Iterator[None]:
    """Refuse to run twice on one var folder."""
    try:
        site.run_dir.mkdir(parents=True, exist_ok=True)
        (site.common.var / "log").mkdir(exist_ok=True)
        lock = (site.run_dir / "carrel.lock").open("a+")
    except OSError as error:
        raise RunError(
            f"cannot write to {site.common.var}: {error.strerror}; set [paths] var to a folder you own"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(f"already running on {site.common.var}; end that one first (Ctrl-C in its window)") from None
        yield


def check_ports(site: Site) -> None:
    """Raises RunError naming the first port that is taken, or given twice, and the key that moves it."""
    seen: dict[int, str] = {}
    for (name, number), key in listeners(site):
        if number in seen:
            raise RunError(f"port {number} is given to both {seen[number]} and {key} in {site.config.name}: change one")
        seen[number] = key
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((name, number))
            except PermissionError:
                raise RunError(f"port {number} is only for root: change {key} in {site.config.name}") from None
            except OSError as error:
                raise RunError(
                    f"port {number} on {name} is not free ({error.strerror}): end the program that holds it, "
                    f"or change {key} in {site.config.name}"
                ) from None


def listeners(site: Site) -> list[tuple[tuple[str, int], str]]:
    """Addresses that our programs listen on, and the key of each."""
    wanted: list[tuple[tuple[str, int], str]] = [(site.server, "[server] port")]
    wanted += [(kiosk, "[[gateway.kiosk]] port") for kiosk in site.kiosks]
    if site.common.mqtt.embedded:
        wanted.append(((site.common.mqtt.host, site.common.mqtt.port), "[mqtt] port"))
    if site.sim:
        wanted += [(site.sim_control, "[sim] control"), (("127.0.0.1", site.sim_io_port), "[sim] io_port")]
    return wanted


def parts(site: Site) -> list[Part]:
    """The programs in starting order."""
    config = ["--config", str(site.config)]
    mqtt = (site.common.mqtt.host, site.common.mqtt.port)
    out: list[Part] = []
    if site.common.mqtt.embedded:
        out.append(Part("broker", "message broker", ["broker", *config], lambda: accepts(mqtt)))
    if site.sim:
        control = "{}:{}".format(*site.sim_control)
        argv = ["sim", "serve", "--json", "--state", str(site.common.var / "sim"), "--links", str(site.run_dir)]
        argv += ["--io-port", str(site.sim_io_port), "--control", control, "--speed", f"{site.sim_speed:g}"]
        out.append(Part("sim", "virtual building", argv, lambda: _sim_facts(site) is not None))
    out.append(Part("server", "library server", ["server", *config], lambda: answers(site.server, "/healthz")))
    kiosk = site.kiosks[0] if site.kiosks else None
    out.append(
        Part("gateway", "gateway and kiosk", ["gateway", *config], lambda: not kiosk or answers(kiosk, "/healthz"))
    )
    return out


def run(site: Site) -> None:
    """Start all parts, say `ready`, watch over them; ends them all on the way out."""
    began = time.monotonic()
    _facts_file(site).unlink(missing_ok=True)
    all_parts = parts(site)
    try:
        for part in all_parts:
            print(f"  starting {part.title} ...", flush=True)
            start(part, site)
        for part in all_parts:
            await_ready(part, all_parts, site)
        print(welcome(site, time.monotonic() - began), flush=True)
        while True:
            time.sleep(0.5)
            for part in all_parts:
                watch(part, site)
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
        try:
            print("\nending ...", flush=True)
        finally:  # the window may be gone
            stop_all(all_parts)


def start(part: Part, site: Site) -> None:
    """Start one program in a session of its own, so that Ctrl-C reaches only us and the order of ending is ours."""
    log = log_file(part, site)
    put_aside(log)
    target = _facts_file(site) if part.name == "sim" else Path(os.devnull)
    with _for_writing(log, "ab") as errors, _for_writing(target, "wb") as output:
        part.process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-m", "carrel.guarded", str(os.getpid()), *part.argv],
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True,
        )  # fmt: skip
    part.started = time.monotonic()


def _for_writing(file: Path, mode: Literal["ab", "wb"]) -> IO[bytes]:
    """Raises RunError where another user's file or a full disk is in the way."""
    try:
        return file.open(mode)
    except OSError as error:
        raise RunError(f"cannot write {file}: {error.strerror}") from None


def await_ready(part: Part, all_parts: list[Part], site: Site) -> None:
    """Wait until a program serves; raises RunError with the last words of any that ends instead."""
    while not part.ready():
        for other in all_parts:
            if other.process is not None and other.process.poll() is not None:
                raise RunError(f"the {other.title} did not start: {last_words(other, site)}")
        if time.monotonic() - part.started > START_LIMIT_S:
            raise RunError(f"the {part.title} is not ready after {START_LIMIT_S:.0f} s; see {log_file(part, site)}")
        time.sleep(0.05)


def watch(part: Part, site: Site) -> None:
    """Start a program again when it has died, and keep its log short while it lives."""
    put_aside(log_file(part, site))
    if part.process is None or part.process.poll() is None:
        if time.monotonic() - part.started > 2 * LAST_RESTART_S:
            part.delay_s = FIRST_RESTART_S
        return
    now = time.monotonic()
    if part.restart_at == 0.0:
        part.restart_at = now + part.delay_s
        print(f"  the {part.title} ended ({last_words(part, site)}); starting it again", flush=True)
    elif now >= part.restart_at:
        part.restart_at, part.delay_s = 0.0, min(part.delay_s * 2, LAST_RESTART_S)
        start(part, site)


def stop_all(all_parts: list[Part]) -> None:
    """End all programs one by one, the last started first, so that the gateway can still say goodbye to the broker.

    What has not ended STOP_LIMIT_S after the beginning is killed; each has LEAST_STOP_S at the least.
    """
    limit = time.monotonic() + STOP_LIMIT_S
    for part in reversed(all_parts):
        process = part.process
        if process is None or process.poll() is not None:
            continue
        process.terminate()
        try:
            process.wait(max(LEAST_STOP_S, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def last_words(part: Part, site: Site) -> str:
    """The last line of a program's log."""
    try:
        with log_file(part, site).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL))
            lines = log.read().decode(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"see {log_file(part, site)}"


def log_file(part: Part, site: Site) -> Path:
    """Where a program's standard error goes."""
    return site.common.var / "log" / f"{part.name}.log"


def put_aside(log: Path) -> None:
    """Begin a log anew that has grown too long. Its program has it open for appending and goes on at the new end."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
    except OSError:
        return  # not there yet, or the disk is full: no reason to end the library


def accepts(address: tuple[str, int]) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False


def answers(address: tuple[str, int], path: str) -> bool:
    """Whether an HTTP GET gives 200."""
    connection = http.client.HTTPConnection(*address, timeout=2)  # unlike urllib, it asks no proxy
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _facts_file(site: Site) -> Path:
    return site.run_dir / "sim.json"


def _sim_facts(site: Site) -> dict[str, object] | None:
    """What the virtual building printed once its ports were open."""
    try:
        facts = json.loads(_facts_file(site).read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def welcome(site: Site, seconds: float) -> str:
    """What a newcomer needs to know, and three things to try."""
    lines = [f"\nready (in {seconds:.1f} s)\n", f"  dashboard  http://{site.server[0]}:{site.server[1]}"]
    lines += [f"  kiosk      http://{host}:{port}" for host, port in site.kiosks]
    if site.demo:
        lines += [
            "\n  sign in    librarian / librarian-demo   (also admin / admin-demo, duty / duty-demo)",
            "             a reader: card 90000001, PIN 0001",
        ]
    if site.sim:
        sim = ".venv/bin/carrel sim"
        where = "" if site.config == Path("config.toml").absolute() else f" --config {site.config}"
        books = " ".join(str(n) for n in range(30000001, 30000006))
        lines += [
            "\n  three things to try, in a second window:",
            "  1. the sun comes out, and the curtain closes:",
            f"     {sim} set reading-room lux=3000{where}",
            "  2. a smoke detector trips; acknowledge the alarm on the dashboard:",
            f"     {sim} contact io-1.smoke open{where}",
            "  3. a card and five books on the kiosk; borrow them there:",
            f"     {sim} place kiosk-1 90000001 {books}{where}",
            f"\n  the building's clock runs {site.sim_speed:g} times faster than yours; all values are simulated",
        ]
    return "\n".join([*lines, "\n  Ctrl-C ends everything; your data stays in var/\n"])
