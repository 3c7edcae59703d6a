"""The whole library as its programs, on free ports in a folder of its own: what the journeys drive."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from firmware_sim.control import call
from firmware_sim.settings import Port
from firmware_sim.zigbee.population import Placed, population
from tests.support.ports import free_port
from tests.support.tree import ROOT

T = TypeVar("T")
START_S = 60.0
PLAIN = httpx.Client(trust_env=False, verify=False)  # no TLS here; to read its certificates cost each look 25 ms
NAMES = ("broker", "sim", "server", "gateway")


def wait_for(what: str, fact: Callable[[], T], within_s: float = 15.0) -> T:
    """Poll until `fact()` is true and return it; AssertionError naming `what` otherwise."""
    deadline = time.monotonic() + within_s
    while True:
        value = fact()
        if value:
            return value
        assert time.monotonic() < deadline, f"within {within_s:g} s it did not happen that {what}"
        time.sleep(0.05)


class Library:
    """The programs of one library. Each can be started, killed and started again by name."""

    def __init__(
        self, folder: Path, *, database: str | None = None, extra: dict[str, str] | None = None, crowd: int = 0
    ) -> None:
        """Not started. A crowd of sensors more sends reports once it is told to (`carrel sim zigbee load`)."""
        self.folder = folder
        self._crowd = crowd
        self.ports = {name: free_port() for name in ("server", "sip2", "kiosk", "mqtt", "control", "io")}
        self._extra = {**({"CARREL_SERVER__DATABASE": database} if database else {}), **(extra or {})}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._clients = ExitStack()
        shutil.copy(ROOT / "config.toml", folder)
        with (folder / "config.toml").open("a") as config:
            config.writelines(_table(one) for one in population((), crowd) if one.crowd)
        (folder / "var" / "log").mkdir(parents=True)
        (folder / "var" / "run").mkdir()

    @property
    def dashboard(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.ports['server']}"

    @property
    def kiosk(self) -> str:
        """The kiosk's address."""
        return f"http://127.0.0.1:{self.ports['kiosk']}"

    @property
    def environment(self) -> dict[str, str]:
        """The shipped configuration with this library's ports."""
        ports = self.ports
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CARREL_")}
        return {
            **kept,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware-sim'}",
            "CARREL_SERVER__PORT": str(ports["server"]),
            "CARREL_SERVER__SIP2__PORT": str(ports["sip2"]),
            "CARREL_GATEWAY__KIOSK__0__PORT": str(ports["kiosk"]),
            "CARREL_GATEWAY__SERVER_URL": self.dashboard,
            "CARREL_MQTT__PORT": str(ports["mqtt"]),
            "CARREL_SIM__CONTROL": f"127.0.0.1:{ports['control']}",
            "CARREL_SIM__IO_PORT": str(ports["io"]),
            "CARREL_MODBUS__0__URL": f"rtu+tcp://127.0.0.1:{ports['io']}",
            **self._extra,
        }

    def carrel(self, *words: str) -> str:
        """Run a command as a person would; its standard output. AssertionError with its words when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "carrel.cli", *words], cwd=self.folder, env=self.environment, check=False,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"carrel {' '.join(words)}: {done.stderr or done.stdout}"
        return done.stdout

    def start(self, *names: str) -> None:
        """Start programs (all by default) and wait until they serve."""
        self.begin(*names)
        for name in names or NAMES:
            wait_for(f"the {name} serves; its log: {self.log(name)[-2000:]}", lambda n=name: self._serves(n), START_S)

    def begin(self, *names: str) -> None:
        """Start programs (all by default) and wait for nothing."""
        for name in names or NAMES:
            self._processes[name] = self._spawn(name)

    def freeze(self, name: str) -> None:
        """Let a program answer nothing any more, until it is killed."""
        self._processes[name].send_signal(signal.SIGSTOP)

    def kill(self, *names: str, signum: int = signal.SIGKILL) -> None:
        """End programs, by default as a power cut would."""
        for name in names:
            process = self._processes.pop(name)
            process.send_signal(signum)
            process.wait(15)

    def stop(self) -> None:
        """End everything."""
        self._clients.close()
        for process in self._processes.values():
            process.terminate()
        for name, process in self._processes.items():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"the {name} did not end on SIGTERM: {self.log(name)[-2000:]}") from None

    def log(self, name: str) -> str:
        """What a program wrote to its log."""
        file = self.folder / "var" / "log" / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    # ------------------------------------------------------------ what is seen
    def sim(self, *words: str) -> str:
        """`carrel sim ...`."""
        return self.carrel("sim", *words)

    def observe(self) -> dict[str, Any]:
        """The virtual building now."""
        return call(Port("127.0.0.1", self.ports["control"]), {"cmd": "observe"})  # not a program for each look

    def room(self, name: str) -> dict[str, Any]:
        """One room of the virtual building."""
        found: dict[str, Any] = self.observe()["rooms"][name]
        return found

    def outputs(self) -> dict[str, bool]:
        """The I/O module's outputs in the virtual building."""
        found: dict[str, bool] = self.observe()["io"]["io-1"]["outputs"]
        return found

    def shown(self, room: str, quantity: str) -> float | None:
        """A room's value as the API shows it; None while it shows none, or the server is away."""
        try:
            with self.client() as client:
                rooms = client.get("/rooms").json()["rooms"]
        except httpx.HTTPError:
            return None
        found: float | None = next(r for r in rooms if r["id"] == room)["values"][quantity]["value"]
        return found

    def facts(self) -> dict[str, Any]:
        """`carrel demo facts --json`."""
        found: dict[str, Any] = json.loads(self.carrel("demo", "facts", "--json"))
        return found

    def client(self, user: str = "", password: str = "") -> httpx.Client:
        """An HTTP client of the API, signed in when a user is named; closed when everything ends."""
        client = httpx.Client(base_url=f"{self.dashboard}/api/v1", timeout=10, trust_env=False, verify=False)
        self._clients.callback(client.close)
        if user:
            answer = client.post("/session", json={"user": user, "password": password})
            assert answer.status_code == httpx.codes.OK, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    # ------------------------------------------------------------ inside
    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        run = self.folder / "var" / "run"
        crowd = ["--devices", str(self._crowd)]
        words = {"sim": ["sim", "serve", "--json", "--state", "var/sim", "--links", str(run), *crowd]}.get(name, [name])
        said, log = run / "sim.json" if name == "sim" else Path(os.devnull), self.folder / "var" / "log" / f"{name}.log"
        with said.open("wb") as output, log.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "carrel.cli", *words], cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
            )  # fmt: skip

    def _serves(self, name: str) -> bool:
        assert self._processes[name].poll() is None, f"the {name} ended: {self.log(name)[-2000:]}"
        if name == "broker":
            return _accepts(self.ports["mqtt"])
        if name == "sim":
            return (self.folder / "var" / "run" / "sim.json").read_text().endswith("\n")
        address = f"{self.dashboard}/readyz" if name == "server" else f"{self.kiosk}/healthz"
        try:
            return PLAIN.get(address, timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def _table(one: Placed) -> str:
    """A sensor of the crowd in config.toml."""
    return f'\n[[zigbee.device]]\nid = "{one.name}"\nieee = "{one.ieee}"\nzone = "{one.zone}"\nkind = "sensor"\n'


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def library(folder: Path, **options: Any) -> Iterator[Library]:
    """A running library; ended at the end, cleanly or the test fails."""
    running = Library(folder, **options)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def settled(running: Library, within_s: float = 60.0) -> None:
    """Wait until every device of the shipped configuration has joined and reports."""
    devices = len(re.findall(r"^\[\[zigbee\.device\]\]", (running.folder / "config.toml").read_text(), re.MULTILINE))
    wait_for(
        "all Zigbee devices have joined",
        lambda: sum(d["joined"] and not d["fresh"] for d in running.observe()["zigbee"]["devices"]) == devices,
        within_s,
    )
