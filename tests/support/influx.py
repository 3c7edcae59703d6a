"""Real servers that take line protocol, as private processes: InfluxDB 1.6 and VictoriaMetrics of Debian."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from carrel.sections import InfluxConfig
from tests.support.ports import free_port

START_S = 30
HOST = "127.0.0.1"


class Program:
    """A server as a process that can be killed and started again on the same folder and port."""

    def __init__(self, words: list[str], home: Path, url: str) -> None:
        self._words, self._home, self._url = words, home, url
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        log = self._home / "log"
        with log.open("ab") as out:
            process = self._process = subprocess.Popen(self._words, cwd=self._home, stdout=out, stderr=out)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(self._url, timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
        raise RuntimeError(f"{self._words[0]} did not start:\n{log.read_text(errors='replace')}")

    def kill(self) -> None:
        """As a power cut would. Nothing happens when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None


@dataclass(frozen=True, slots=True)
class Influx1:
    """InfluxDB 1.x that runs."""

    port: int
    program: Program

    @property
    def config(self) -> InfluxConfig:
        """`[telemetry.influx]` for it."""
        return InfluxConfig(url=f"http://{HOST}:{self.port}", api="v1", database="carrel")

    def query(self, text: str) -> list[dict[str, Any]]:
        """The series of an InfluxQL answer, times in milliseconds; AssertionError when it is refused."""
        data = {"q": text, "db": "carrel", "epoch": "ms"}
        answer = httpx.post(f"http://{HOST}:{self.port}/query", data=data, timeout=30, trust_env=False)
        result = answer.json()["results"][0]
        assert "error" not in result, result
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def count(self, measurement: str) -> int:
        """Values of a measurement."""
        found = self.query(f'SELECT count("value") FROM "{measurement}"')
        return int(found[0]["values"][0][1]) if found else 0


@dataclass(frozen=True, slots=True)
class Victoria:
    """VictoriaMetrics that runs; the same series and time count once, as with InfluxDB."""

    port: int
    program: Program

    @property
    def config(self) -> InfluxConfig:
        """`[telemetry.influx]` for it: it has neither organisations nor buckets."""
        return InfluxConfig(url=f"http://{HOST}:{self.port}", api="v2")

    def export(self) -> list[dict[str, Any]]:
        """Every series with its values and timestamps in milliseconds, as far as they are on its disk."""
        url = f"http://{HOST}:{self.port}"
        httpx.get(f"{url}/internal/force_flush", timeout=30, trust_env=False).raise_for_status()
        answer = httpx.get(
            f"{url}/api/v1/export", params={"match[]": '{__name__!=""}'}, timeout=30, trust_env=False
        ).raise_for_status()
        return [json.loads(line) for line in answer.text.splitlines()]


def require(package: str, program: str) -> str:
    """Skip the test by name where a server is missing; fail instead where CI=true promises it."""
    found = shutil.which(program)
    if found is None:
        reason = f"{package} is not installed (Debian: apt-get install {package})"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def running_influx1() -> Iterator[Influx1]:
    """InfluxDB 1.x without databases; ended and deleted at the end."""
    program = require("influxdb", "influxd")
    home = Path(tempfile.mkdtemp(prefix="carrel-influx-"))
    port = free_port()
    (home / "influxdb.conf").write_text(
        f"""
reporting-disabled = true
bind-address = "{HOST}:{free_port()}"
[meta]
  dir = "{home}/meta"
[data]
  dir = "{home}/data"
  wal-dir = "{home}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "{HOST}:{port}"
"""
    )
    with _running([program, "-config", str(home / "influxdb.conf")], home, f"http://{HOST}:{port}/ping") as server:
        yield Influx1(port, server)


@contextmanager
def running_victoria() -> Iterator[Victoria]:
    """VictoriaMetrics that forgets nothing however old; ended and deleted at the end."""
    program = require("victoria-metrics", "victoria-metrics")
    home = Path(tempfile.mkdtemp(prefix="carrel-victoria-"))
    port = free_port()
    words = [program, f"-httpListenAddr={HOST}:{port}", f"-storageDataPath={home}/data", "-retentionPeriod=100y"]
    words += ["-dedup.minScrapeInterval=1ms"]
    with _running(words, home, f"http://{HOST}:{port}/health") as server:
        yield Victoria(port, server)


@contextmanager
def _running(words: list[str], home: Path, url: str) -> Iterator[Program]:
    program = Program(words, home, url)
    try:
        program.start()
        yield program
    finally:
        program.kill()
        shutil.rmtree(home, ignore_errors=True)
