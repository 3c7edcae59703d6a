"""`carrel doctor [--json]`: a line for each thing looked at; exit code 1 when one is bad."""

from __future__ import annotations

import argparse
import importlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from carrel.config import ConfigError, Document, load
from carrel.doctor.finding import Finding, bad, ok

CHECKS = ("carrel.doctor.machine", "carrel.doctor.ports", "server.doctor.look", "gateway.doctor")
"""Modules with `look(document)`, imported by name: the ground floor leans on nothing above it."""


def main(argv: list[str]) -> int:
    """Look everything over; what cannot be looked at is itself a finding."""
    parser = argparse.ArgumentParser(prog="carrel doctor", description="What is wrong, and the mend.")
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--json", action="store_true", help="for programs: an object with `findings` and `verdict`")
    options = parser.parse_args(argv)
    findings: list[Finding] = []
    for finding in examine(options.config):
        findings.append(finding)
        if not options.json:
            show(finding)
    counts = Counter(finding.verdict for finding in findings)
    verdict = next((name for name in ("bad", "warn") if counts[name]), "ok")
    if options.json:
        print(json.dumps({"verdict": verdict, "findings": [asdict(f) for f in findings]}, ensure_ascii=False, indent=1))
    else:
        print(f"{counts['ok']} ok, {counts['warn']} to look at, {counts['bad']} bad")
    return 1 if verdict == "bad" else 0


def examine(config: str | None) -> Iterator[Finding]:
    """Everything, one after the other."""
    try:
        document = load(config)
    except ConfigError as error:
        yield bad("config", str(error), "mend it there; `carrel config` checks it")
        return
    yield ok("config", str(document.file))
    seen: set[str] = set()
    for name in CHECKS:
        for finding in _look(name, document):
            if finding.check != "config" or finding.what not in seen:  # both programs find the same fault in it
                yield finding
            seen.add(finding.what)


def show(finding: Finding) -> None:
    """One line, and the mend under it."""
    print(f"{finding.verdict:4}  {finding.check:10} {finding.what}")
    if finding.mend:
        print(f"{'':17}-> {finding.mend}")


def _look(name: str, document: Document) -> Iterable[Finding]:
    try:
        yield from importlib.import_module(name).look(document)
    except ConfigError as error:
        yield bad("config", str(error), "mend it there; `carrel config` checks it")
    except Exception as error:  # one look that fails must not hide the others
        said = str(error).strip().splitlines() or [""]
        yield bad(
            name.partition(".")[0], f"could not be looked at: {type(error).__name__} {said[0]}", "tell the makers"
        )
