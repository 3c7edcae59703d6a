"""`carrel`: a table of commands, each imported only when called."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("carrel.run:main", "start everything config.toml describes; Ctrl-C ends it"),
    "server": ("server.cli:main", "the library server: dashboard, readers' pages, API"),
    "gateway": ("gateway.cli:main", "the edge daemon: radios, readers, I/O modules, kiosk"),
    "broker": ("carrel.broker:main", "the built-in MQTT broker"),
    "sim": ("firmware_sim.cli:main", "the virtual building: serve, set, place, contact, fault, observe"),
    "demo": ("server.demo.cli:main", "facts about the demo library, for people and programs"),
    "zigbee": ("gateway.zigbee_cli:main", "form a network; back it up, restore it"),
    "rules": ("server.rules.cli:rules", "check rules for conflicts; show presets to start from"),
    "dry-run": ("server.rules.cli:dry_run", "try rules on given samples or on the library's own history"),
    "rehearse": ("server.rehearse.cli:main", "try a lending policy on a scratch library with a settable clock"),
    "metrics": ("environment.cli:main", "compute a preservation metric, such as pi or dew_point"),
    "mqtt-acl": ("carrel.mqtt_acl:main", "write users' rights for a Mosquitto broker"),
    "account": ("server.auth.cli:account", "colleagues' accounts: create, list, password, disable, enable"),
    "token": ("server.auth.cli:token", "tokens for machines and other programs: create, list, revoke"),
    "gateways": ("server.gateways.cli:main", "the gateways that the broker knows: list, retire"),
    "patrons": ("server.patrons.cli:main", "import patrons from a CSV file"),
    "catalogue": ("server.catalogue.cli:main", "import and export MARC files, import a table of classes, reindex"),
    "audit": ("server.audit.cli:main", "who did what: show it, check that nobody changed it"),
    "backup": ("server.backup.cli:backup", "the whole library as one file, made while everything runs"),
    "restore": ("server.backup.cli:restore", "make a library of a backup, on an empty machine"),
    "doctor": ("carrel.doctor.cli:main", "look everything over: what is wrong, and the mend"),
    "config": ("carrel.config_cli:main", "check config.toml and show what is in force"),
}

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """What ends a command's work before its time, and what is left then."""

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        self.outcome = "nothing was changed"

    @contextmanager
    def in_order(self) -> Iterator[None]:
        """A service manager's SIGTERM and a terminal that is closed end the work as Ctrl-C does: tidied up, with a
        word. What the caller ignores, as `nohup` does, stays ignored."""
        before = {one: signal.signal(one, self.now) for one in ENDS if signal.getsignal(one) is not signal.SIG_IGN}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def now(self, number: int, _frame: object) -> None:
        """Handles a signal."""
        self.by = signal.Signals(number)
        raise KeyboardInterrupt

    def told(self, name: str) -> int:
        """Say on standard error that the command was ended; its exit status."""
        assert self.by is not None
        print(f"\ncarrel {name}: ended; {self.outcome}", file=sys.stderr)
        return 128 + self.by


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code. Errors a person can mend are one sentence."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] not in COMMANDS:
        print(f"carrel: there is no command '{words[0]}'. There are: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        command = _loaded(*COMMANDS[words[0]][0].split(":"))
        return command(words[1:]) or 0
    except KeyboardInterrupt:
        print(f"\ncarrel {words[0]}: ended", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output had enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _loaded(module: str, function: str) -> Callable[[list[str]], int | None]:
    """A command. What is loaded stays: searching it for garbage meanwhile took a fifth of a program's start."""
    gc.disable()
    try:
        command: Callable[[list[str]], int | None] = getattr(importlib.import_module(module), function)
    finally:
        gc.enable()
    return command


def usage() -> str:
    """The table, as a person reads it."""
    rows = "\n".join(f"  {name:9} {help_}" for name, (_, help_) in COMMANDS.items())
    return f"usage: carrel COMMAND [OPTIONS]\n\n{rows}\n\ncarrel COMMAND --help says more."


if __name__ == "__main__":
    sys.exit(main())
