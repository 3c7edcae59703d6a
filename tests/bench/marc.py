"""Importing MARC 21 into the catalogue beside bare pymarc, which only reads the file."""

from __future__ import annotations

import gc
import io
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event

import pymarc
from sqlalchemy.engine import make_url

from carrel.system_clock import SystemClock
from server.catalogue.imports import service
from server.catalogue.imports.policy import Options
from server.catalogue.imports.runner import Runner
from server.catalogue.imports.service import Source
from server.db import Database
from server.migrations.apply import upgrade
from tests.bench.figures import Figure
from tests.bench.processes import BenchError
from tests.support.marc import Fields, iso2709

RECORDS, ROUNDS = 5_000, 3
SLOWER_MOST = 4.0
"""A quarter of pymarc's records a second."""

_WORDS = (
    "river", "mountain", "winter", "letter", "garden", "history", "lantern", "bridge", "market", "island", "harvest",
    "silence", "journey", "mirror",
)  # fmt: skip
_SIGNS = "春江花月夜山水歌行路难长相思古风秋浦清平乐浪淘沙"


def measure(folder: Path) -> list[Figure]:
    """Milliseconds for a thousand records, in turns; raises BenchError."""
    folder.mkdir(parents=True, exist_ok=True)
    logging.getLogger("pymarc").setLevel(logging.CRITICAL)
    file = folder / "titles.mrc"
    file.write_bytes(b"".join(iso2709(_record(number)) for number in range(RECORDS)))
    data = file.read_bytes()
    gc.freeze()  # as the command does, here for both sides
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        database = Database(make_url(f"sqlite:///{folder / f'import-{number}.db'}"))
        upgrade(database)
        sides: dict[str, Callable[[], int]] = {
            "ours": partial(_import, database, file),
            "bare": lambda: sum(record is not None for record in pymarc.MARCReader(io.BytesIO(data))),
        }
        for name in sorted(sides, reverse=number % 2 == 0):
            began_s = time.perf_counter()
            read = sides[name]()
            times[name].append(1000 * (time.perf_counter() - began_s) / (RECORDS / 1000))
            if read != RECORDS:
                raise BenchError(f"{name} read {read} of {RECORDS} records")
        database.close()
    ours_ms, bare_ms = median(times["ours"]), median(times["bare"])
    return [Figure("import 1,000 MARC records", ours_ms, "ms", bare_ms, SLOWER_MOST)]


def _import(database: Database, file: Path) -> int:
    """Into an empty catalogue, with everything that an upload does: report, audit, search index, FULL sync."""
    now = datetime.now(UTC)
    with database.writing() as session:
        source = Source(file.name, "0" * 64, file.stat().st_size, "cli")
        job = service.create(session, source, Options(items="952"), subject="bench", now=now)
        job = service.claim(session, job.id, "bench", now)
    counts = Runner(database, SystemClock(), "bench", "bench", Event()).run(job, file).counts
    return counts.new


def _record(number: int) -> Fields:
    """Some 25 fields, as union catalogues have them; every fourth with Chinese beside its romanised form."""
    words = [_WORDS[(number * step + step) % len(_WORDS)] for step in (1, 3, 5, 7, 11)]
    title, name = f"{words[0]} {words[1]} {number}", f"{words[2].title()}, {words[3].title()}"
    chinese = number % 4 == 0
    link = "$6880-01" if chinese else ""
    fields = [
        ("001", f"bench{number:07}"),
        ("003", "CarrelBench"),
        ("005", "20260101000000.0"),
        ("008", f"200101s{1950 + number % 70}    cc a     b    001 0 eng d"),
        ("010", f"  $a{90000000 + number}"),
        ("035", f"  $a(OCoLC){number}"),
        ("040", "  $aBNC$beng$erda$cBNC$dBNC"),
        ("050", f" 4$aPL{2000 + number % 900}.{number % 9}$b.{words[0][0].upper()}{number % 99} {1950 + number % 70}"),
        ("100", f"1 $a{name},$d1900-"),
        ("245", f"10{link}$a{title.capitalize()} :$bof {words[3]} and {words[4]} /$c{name}."),
        ("246", f"3 $a{title.capitalize()} retold"),
        ("250", "  $aSecond edition."),
        ("264", f" 1$aBeijing :$b{words[1].title()} Press,$c{1950 + number % 70}."),
        ("300", "  $a320 pages :$billustrations ;$c24 cm"),
        ("336", "  $atext$btxt$2rdacontent"),
        ("337", "  $aunmediated$bn$2rdamedia"),
        ("338", "  $avolume$bnc$2rdacarrier"),
        ("490", f"1 $aLibrary of {words[2]} ;$v{number % 40}"),
        ("504", "  $aIncludes bibliographical references (pages 301-312) and index."),
        ("520", f"  $aOn {' and '.join(words)}, with notes about what became of them afterwards."),
        ("650", f" 0$a{words[0].title()}$zChina$xHistory."),
        ("650", f" 0$a{words[4].title()}$vFiction."),
        ("700", f"1 $a{words[4].title()}, {words[0].title()},$eeditor."),
        ("830", f" 0$aLibrary of {words[2]} ;$v{number % 40}."),
    ]
    if chinese:
        start = number % (len(_SIGNS) - 6)
        fields.append(
            ("880", f"10$6245-01/$1$a{_SIGNS[start : start + 5]}{number} /$c{_SIGNS[start + 2 : start + 5]}著.")
        )
    return [*fields, ("952", f"  $pB{number:07}$oPL {number}$cStacks$yBOOK")]
