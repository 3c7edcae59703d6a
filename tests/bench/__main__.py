"""`make bench`: wire-to-wire time, start, memory, telemetry store. README.md says how to read it; it judges nothing."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import demo, load, marc, search, sip2, soak, store, wire
from tests.bench.figures import Figure, table
from tests.bench.processes import BenchError

PARTS = ("wire", "load", "soak", "start", "memory", "store", "sip2", "search", "marc")
SAMPLES = 600
SOAK_MINUTES = 1.0


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    parser.add_argument("--samples", type=int, default=SAMPLES, help=f"reports on each side (default {SAMPLES})")
    parser.add_argument(
        "--minutes", type=float, default=SOAK_MINUTES, help=f"how long the soak is (default {SOAK_MINUTES:g})"
    )
    parser.add_argument(
        "--network", type=Path, metavar="DIR", help=f"keep the {load.DEVICES} joined devices there for the next time"
    )
    parser.add_argument(
        "--titles",
        type=int,
        default=search.TITLES,
        help=f"in the catalogue that is searched (default {search.TITLES:,})",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and data in this new folder")
    options = parser.parse_args()
    wanted = (options.only,) if options.only else PARTS
    began = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="carrel-bench-") as folder:
        figures = run(options.keep.resolve() if options.keep else Path(folder), wanted, options)
    print(f"\n{table(figures)}\n\nload of the machine now {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if options.json:
        found = {"at": began.isoformat(timespec="seconds"), "figures": [one.as_json() for one in figures]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")


def run(folder: Path, wanted: tuple[str, ...], options: argparse.Namespace) -> list[Figure]:
    """The parts one after the other; one that cannot be measured is named with its reason."""
    figures: list[Figure] = []
    samples: int = options.samples
    if "wire" in wanted:
        what = f"wire to wire: {samples} reports to the gateway with broker, without server, and to bare zigpy"
        figures += attempt(what, lambda: wire.measure(folder, samples))
    if "load" in wanted or "soak" in wanted:
        figures += attempt(f"a library of {load.DEVICES} devices", lambda: under_load(folder, wanted, options))
    if "start" in wanted or "memory" in wanted:
        start, memory = "start" in wanted, "memory" in wanted
        what = " and ".join(part for part in ("start", "memory") if part in wanted) + " of `carrel run`"
        figures += attempt(what, lambda: demo.measure(folder, start=start, memory=memory))
    if "store" in wanted:
        what = "the telemetry store: values taken in, and a year of 200 sensors asked for, beside bare sqlite3"
        figures += attempt(what, lambda: store.measure(folder / "store"))
    if "sip2" in wanted:
        what = "lending over SIP2 on 100,000 items, beside scripts that commit the same rows"
        figures += attempt(what, lambda: sip2.measure(folder / "sip2"))
    if "marc" in wanted:
        what = f"importing {marc.RECORDS:,} MARC records, beside bare pymarc reading them"
        figures += attempt(what, lambda: marc.measure(folder / "marc"))
    if "search" in wanted:
        titles: int = options.titles
        what = f"the search in {titles:,} titles, on both databases, beside a bare FTS5 table"
        figures += attempt(what, lambda: search.measure(folder / "search", titles))
    return figures


def under_load(folder: Path, wanted: tuple[str, ...], options: argparse.Namespace) -> list[Figure]:
    """Both parts that need many devices; these join once."""
    figures: list[Figure] = []
    site = load.library(folder / "crowd", options.network)
    if "load" in wanted:
        what = f"{options.samples} reports to each host at {load.RATE_S:.0f} others a second, then processor time"
        figures += attempt(what, lambda: load.measure(site, folder / "crowd-bare", options.samples))
    if "soak" in wanted:
        what = f"{options.minutes:g} minutes at {load.SATURATED_S:.0f} reports a second"
        figures += attempt(what, lambda: soak.measure(site, options.minutes))
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
