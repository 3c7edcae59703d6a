"""The server as a user starts it: a process of its own, on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

START_S = 40
ROOT = Path(__file__).parents[2]


class ServerProcess:
    """`python -m server.cli --config FILE`, started when made; always call `end` or `kill`."""

    def __init__(self, config: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = config.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.cli", "--config", str(config)],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith("CARREL_")},
                stdout=log,
                stderr=log,
            )
        self._await_ready()

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait(timeout=30)

    def end(self) -> int:
        """As the service manager would; returns the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=30)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_S
        with httpx.Client(trust_env=False, verify=False) as client:  # certificates would cost each look 25 ms
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if client.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        self.process.kill()
        self.process.wait(timeout=30)
        raise RuntimeError(f"the server did not become ready:\n{self.log.read_text(errors='replace')}")
