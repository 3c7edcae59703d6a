"""`make bench`: wire-to-wire time, start time, memory. README.md says how to read it; it judges nothing."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import demo, wire
from tests.bench.figures import Figure, table
from tests.bench.processes import BenchError

PARTS = ("wire", "start", "memory")
SAMPLES = 600


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"reports on each side (default {SAMPLES})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and data in this new folder")
    options = parser.parse_args()
    wanted = (options.only,) if options.only else PARTS
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as folder:
        figures = run(options.keep.resolve() if options.keep else Path(folder), wanted, options.samples)
    print(f"\n{table(figures)}\n\nload of the machine now {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if options.json:
        found = {"at": began.isoformat(timespec="seconds"), "figures": [one.as_json() for one in figures]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def run(folder: Path, wanted: tuple[str, ...], samples: int) -> list[Figure]:
    """The parts one after the other; one that cannot be measured is named with its reason."""
    figures: list[Figure] = []
    if "wire" in wanted:
        what = f"wire to wire: {samples} reports to the gateway with broker, without server, and to bare zigpy"
        figures += attempt(what, lambda: wire.measure(folder, samples))
    if "start" in wanted or "memory" in wanted:
        start, memory = "start" in wanted, "memory" in wanted
        what = " and ".join(part for part in ("start", "memory") if part in wanted) + " of `carrel run`"
        figures += attempt(what, lambda: demo.measure(folder, start=start, memory=memory))
    return figures


def attempt(what: str, measure: Callable[[], list[Figure]]) -> list[Figure]:
    """Measure one part."""
    print(f"measuring {what} ...", flush=True)
    began_s = time.monotonic()
    try:
        return measure()
    except BenchError as error:
        return [Figure(what.partition(":")[0], None, "", note=f"skipped: {error}")]
    finally:
        print(f"  took {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()
