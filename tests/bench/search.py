"""The catalogue's search: recall, time at the database and over HTTP, beside a bare FTS5 table of the same titles."""

from __future__ import annotations

import http.client
import json
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from server.catalogue.search.documents import bring_up_to_date
from server.catalogue.search.service import Wanted, find
from server.db import Database
from server.migrations.apply import upgrade
from tests.bench import search_library
from tests.bench.figures import Figure, quantile
from tests.bench.processes import BenchError, free_ports, listens, program, wait_until
from tests.bench.search_library import Book
from tests.support.postgres import binaries, running_cluster

T = TypeVar("T")

TITLES = 200_000
PAGE = 20
QUERIES, RECALLED, WRONG = 600, 150, 200
DATABASE_MOST_MS, HTTP_MOST = 20.0, 3.0
START_LIMIT_S = 120.0
_CJK = re.compile("[\u3400-\u9fff]")
_BARE_SQL = "SELECT rowid FROM bare WHERE bare MATCH ? ORDER BY rank LIMIT ?"


def measure(folder: Path, titles: int) -> list[Figure]:
    """All figures of the search; raises BenchError."""
    folder.mkdir(parents=True)
    library = list(search_library.books(titles))
    queries = _queries(library)
    with closing(_bare(folder / "bare.db", library)) as bare:
        return [
            *_embedded(folder, library, queries, bare),
            *_postgresql(library, queries),
        ]


def _embedded(folder: Path, library: list[Book], queries: list[str], bare: sqlite3.Connection) -> list[Figure]:
    with _database(f"sqlite:///{folder / 'server.db'}", len(library)) as (database, rate):
        figures = [Figure(f"SQLite: titles indexed a second, of {len(library):,}", rate, "/s")]
        figures += _at_database("SQLite", database, library, queries)
    return [*figures, *_over_http(folder, queries, bare)]


def _postgresql(library: list[Book], queries: list[str]) -> list[Figure]:
    if binaries() is None:
        return [Figure("PostgreSQL", None, "", note="skipped: PostgreSQL is not installed")]
    with running_cluster() as cluster:
        cluster.run("CREATE DATABASE bench")
        with _database(cluster.url("bench"), len(library)) as (database, rate):
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))  # as a server of one's own does by itself
            figures = [Figure(f"PostgreSQL: titles indexed a second, of {len(library):,}", rate, "/s")]
            return [*figures, *_at_database("PostgreSQL", database, library, queries)]


@contextmanager
def _database(url: str, titles: int) -> Iterator[tuple[Database, float]]:
    """The library in a new database, and how many titles were indexed a second."""
    with ExitStack() as stack:
        database = Database(make_url(url))
        stack.callback(database.close)
        upgrade(database)
        search_library.fill(database, titles)
        _, took_s = _clocked(lambda: bring_up_to_date(database))
        yield database, titles / took_s


def _at_database(name: str, database: Database, library: list[Book], queries: list[str]) -> list[Figure]:
    with database.reading() as session:
        times = [1000 * _clocked(lambda q=query: find(session, Wanted(q, PAGE)))[1] for query in queries]
        found, wanted = _recall(session, library, queries)
        places, near_ms = _nearly_right(session, library)
    return [
        Figure(f"{name}: p50 at the database", quantile(times, 0.5), "ms"),
        Figure(f"{name}: p95 at the database", quantile(times, 0.95), "ms", most=DATABASE_MOST_MS),
        Figure(f"{name}: of {wanted:,} titles with a piece of text, not found", float(wanted - found), "", most=0.0),
        Figure(f"{name}: one character wrong, p95", quantile(near_ms, 0.95), "ms", most=DATABASE_MOST_MS),
        Figure(f"{name}: one character wrong, found first", 100 * places.count(0) / len(places), "%"),
        Figure(f"{name}: one character wrong, not on the first page", float(sum(n >= PAGE for n in places)), ""),
    ]


def _recall(session: Session, library: list[Book], queries: list[str]) -> tuple[int, int]:
    """(titles found, titles that hold the text) of some pieces of Chinese titles."""
    found = wanted = 0
    for query in [query for query in queries if _CJK.match(query)][:RECALLED]:
        listing = find(session, Wanted(query, 1000))
        if listing.more:  # only the newest of these are listed
            continue
        there = {key for key, book in enumerate(library, 1) if query in book.title}
        told = set(listing.ids)
        while more := find(session, Wanted(query, 1000, len(told))).ids:
            told.update(more)
        found, wanted = found + len(there & told), wanted + len(there)
    return found, wanted


def _nearly_right(session: Session, library: list[Book]) -> tuple[list[int], list[float]]:
    """(places, times in ms) of titles that were typed with one character wrong."""
    chance = random.Random(11)
    places, times = [], []
    long = [book.title for book in library if book.chinese and len(book.title) > 6]
    for title in chance.choices(long, k=WRONG):
        at = chance.randrange(1, len(title) - 1)
        wrong = title[:at] + chance.choice(long)[0] + title[at + 1 :]
        listing, took_s = _clocked(lambda wrong=wrong: find(session, Wanted(wrong, 100)))
        titles = [library[key - 1].title for key in listing.ids]
        places.append(titles.index(title) if title in titles else len(library))
        times.append(1000 * took_s)
    return places, times


def _over_http(folder: Path, queries: list[str], bare: sqlite3.Connection) -> list[Figure]:
    """In turns over HTTP and from a connection that is open already."""
    port = free_ports(1)[0]
    config, log = folder / "config.toml", folder / "server.log"
    lines = ["[server]", f"port = {port}", 'database = "sqlite:///server.db"', "demo = false"]
    config.write_text("\n".join([*lines, "[mqtt]", "port = 1", "embedded = false", ""]), encoding="utf-8")
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    with program("carrel.cli", "server", "--config", str(config), env={}, log=log, output=folder / "server.out"):
        wait_until("the server", lambda: listens(port), limit_s=START_LIMIT_S, log=log)
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as api:
            for number, query in enumerate([*queries[:30], *queries]):
                _, ours_s = _clocked(lambda query=query: _ask(api, query))
                _, bare_s = _clocked(lambda query=query: bare.execute(_BARE_SQL, (_fts(query), PAGE)).fetchall())
                if number >= 30:
                    times["ours"].append(1000 * ours_s)
                    times["bare"].append(1000 * bare_s)
    ours, floor = times["ours"], times["bare"]
    return [
        Figure("SQLite: p50 over HTTP", quantile(ours, 0.5), "ms", quantile(floor, 0.5)),
        Figure("SQLite: p95 over HTTP", quantile(ours, 0.95), "ms", quantile(floor, 0.95), HTTP_MOST),
    ]


def _ask(api: http.client.HTTPConnection, query: str) -> None:
    api.request("GET", f"/api/v1/records?{urlencode({'q': query, 'limit': PAGE})}")
    answer = api.getresponse()
    body = answer.read()
    if answer.status != http.client.OK or not json.loads(body)["records"]:
        raise BenchError(f"a search for {query!r} answers {answer.status} {body[:200]!r}")


def _queries(library: list[Book]) -> list[str]:
    """Pieces of Chinese titles and beginnings of Latin words, as often as the titles they are of are chosen."""
    chance = random.Random(3)
    queries = []
    for book in chance.choices(library, k=QUERIES):
        if book.chinese:
            length = min(len(book.title), chance.randint(2, 4))
            start = chance.randint(0, len(book.title) - length)
            queries.append(book.title[start : start + length])
        else:
            queries.append(chance.choice(book.title.lower().split())[: chance.randint(2, 5)])
    return queries


def _bare(file: Path, library: list[Book]) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    connection.execute("CREATE VIRTUAL TABLE bare USING fts5(title, author, content='', tokenize='unicode61')")
    rows = ((key, _spaced(book.title), _spaced(book.author)) for key, book in enumerate(library, 1))
    connection.executemany("INSERT INTO bare (rowid, title, author) VALUES (?, ?, ?)", rows)
    connection.commit()
    return connection


def _spaced(words: str) -> str:
    return _CJK.sub(r" \g<0> ", words)


def _fts(query: str) -> str:
    return f'"{_spaced(query)}"' + ("" if _CJK.match(query) else "*")


def _clocked(work: Callable[[], T]) -> tuple[T, float]:
    began_s = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began_s
