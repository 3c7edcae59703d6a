"""`carrel run` in a terminal window of its own, as a newcomer has it: read what it prints, press Ctrl-C, close it."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.support.programs import START_S, Library, wait_for

CTRL_C = b"\x03"
END_S = 15.0
"""Ctrl-C ends everything within this time."""


class Window:
    """A terminal whose session runs `carrel run`; the terminal itself turns Ctrl-C into SIGINT, as a real one does."""

    def __init__(self, home: Library, *words: str) -> None:
        self._home = home
        self._text = b""
        self._terminal, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-m", "carrel.cli", "run", *words],
            cwd=home.folder, env=home.environment, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All that was printed so far."""
        return self._text.decode(errors="replace").replace("\r\n", "\n")

    def until(self, pattern: str, within_s: float = START_S) -> re.Match[str]:
        """Wait until the window shows this (a regular expression, lines by themselves)."""

        def shown() -> re.Match[str] | None:
            found = re.search(pattern, self.text, re.MULTILINE)
            ended = self.process.poll()
            assert found or ended is None, f"carrel run ended with {ended}: {self.text}\n{self._home.log('server')}"
            return found

        found = wait_for(f"the window shows '{pattern}'", shown, within_s)
        assert found is not None
        return found

    def ctrl_c(self) -> int:
        """Press Ctrl-C; the exit code."""
        os.write(self._terminal, CTRL_C)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and for the last words; the exit code."""
        code = self.process.wait(END_S)
        self._reader.join(END_S)
        return code

    def close(self) -> None:
        """Close the window, whatever runs in it: the terminal hangs up."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def child(self, command: str) -> psutil.Process:
        """The program started as `carrel COMMAND`."""
        found = [p for p in psutil.Process(self.process.pid).children() if command in p.cmdline()]
        assert len(found) == 1, f"{len(found)} processes of '{command}'"
        return found[0]

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._terminal, 4096)
            except OSError:  # the last program on the other side has ended
                return
            self._text += some


@contextmanager
def window(home: Library, *words: str) -> Iterator[Window]:
    """A window that has shown `ready`; closed at the end, when nothing of it may be left."""
    opened = Window(home, *words)
    try:
        opened.until(r"^ready")
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.terminate()
            opened.wait()
        opened.close()
        leave_nothing(home)


def processes_of(home: Library) -> list[psutil.Process]:
    """Every process that works in this library's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(home.folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def open_ports(home: Library) -> list[str]:
    """Those of the library's ports on which somebody listens."""
    found = []
    for name, port in home.ports.items():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(name)
    return found


def leave_nothing(home: Library, within_s: float = END_S) -> None:
    """Assert that all processes and listeners are gone, or go by themselves in time; ends them otherwise."""
    try:
        wait_for("no process is left", lambda: not processes_of(home), within_s)
    finally:
        left = processes_of(home)
        for process in left:
            process.kill()
        psutil.wait_procs(left, END_S)
    assert open_ports(home) == []
