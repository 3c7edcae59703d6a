"""Looking up an ISBN, with another library's catalogue as a real HTTP server."""

import html
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pymarc
import pytest
from fastapi.testclient import TestClient

from server.app import create_app
from server.catalogue.lookup.config import CatalogueConfig, SruConfig
from server.deps import Role
from server.settings import ServerSettings
from tests.support.library import ManualClock, colleague
from tests.support.marc import DREAM, EMMA, iso2709

EMMA_ISBN, DREAM_ISBN = "9780141439587", "9787020002207"
HEAD = '<?xml version="1.0"?><zs:searchRetrieveResponse xmlns:zs="http://www.loc.gov/zing/srw/"><zs:version>1.1</zs:version>'


def answer(*records: bytes, packed: bool = False) -> bytes:
    """An SRU answer with these MARC records."""
    text = HEAD + f"<zs:numberOfRecords>{len(records)}</zs:numberOfRecords><zs:records>"
    for data in records:
        xml = pymarc.record_to_xml(next(iter(pymarc.MARCReader(data))), namespace=True).decode()
        packing = "string" if packed else "xml"
        text += f"<zs:record><zs:recordPacking>{packing}</zs:recordPacking><zs:recordData>"
        text += (html.escape(xml) if packed else xml) + "</zs:recordData></zs:record>"
    return (text + "</zs:records></zs:searchRetrieveResponse>").encode()


@dataclass
class Library:
    """What the other library says, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    pause: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def library() -> Iterator[Library]:
    other = Library()
    other.pause.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            other.asked.append({name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()})
            other.pause.wait(10)
            self.send_response(other.status)
            self.end_headers()
            self.wfile.write(other.body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        other.url = f"http://127.0.0.1:{server.server_port}/sru"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield other
        other.pause.set()
        server.shutdown()
        thread.join()


Ask = Callable[[str], dict[str, Any]]


@pytest.fixture
def talking(settings: ServerSettings, clock: ManualClock, library: Library) -> Iterator[TestClient]:
    sources = (
        SruConfig(name="dead", url="http://127.0.0.1:1/sru", timeout_s=0.5),
        SruConfig(name="other", url=library.url, timeout_s=0.5),
    )
    server = settings.server.model_copy(update={"catalogue": CatalogueConfig(sru=sources)})
    with TestClient(create_app(replace(settings, server=server), clock), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def desk(talking: TestClient) -> dict[str, str]:
    return colleague(talking, Role.LIBRARIAN)


@pytest.fixture
def ask(talking: TestClient, desk: dict[str, str]) -> Ask:
    def look(isbn: str) -> dict[str, Any]:
        told: dict[str, Any] = talking.get(f"/api/v1/isbn/{isbn}", headers=desk).json()
        return told

    return look


@pytest.mark.parametrize("packed", [False, True])
def test_another_library_is_asked_once_and_its_record_taken_over(
    talking: TestClient, desk: dict[str, str], ask: Ask, library: Library, *, packed: bool
) -> None:
    library.body = answer(iso2709(EMMA), iso2709(DREAM), packed=packed)
    told = ask("7-02-000220-X")
    assert told["silent"] == ["dead"]
    assert [(one["source"], one["title"], one["record_id"]) for one in told["candidates"]] == [
        ("other", "紅樓夢", None)
    ]
    assert ask(DREAM_ISBN)["candidates"] == told["candidates"]
    assert [one["query"] for one in library.asked] == [f'bath.isbn="{DREAM_ISBN}" or bath.isbn="702000220X"']
    assert (library.asked[0]["operation"], library.asked[0]["version"]) == ("searchRetrieve", "1.1")
    made = talking.post(f"/api/v1/isbn/{DREAM_ISBN}/adopt", headers=desk)
    assert made.status_code == 201, made.text
    (home,) = ask(DREAM_ISBN)["candidates"]
    assert (home["source"], home["record_id"]) == ("catalogue", made.json()["id"])
    marc = talking.get(f"/api/v1/records/{home['record_id']}/marc", headers=desk).text
    assert "880 10 $6 245-02/$1 $a 紅樓夢 /" in marc
    assert talking.post(f"/api/v1/isbn/{DREAM_ISBN}/adopt", headers=desk).json()["id"] == home["record_id"]


def test_nothing_is_believed_for_a_day(ask: Ask, library: Library, clock: ManualClock) -> None:
    library.body = answer()
    assert ask(DREAM_ISBN)["candidates"] == []
    library.body = answer(iso2709(DREAM))
    assert ask(DREAM_ISBN)["candidates"] == []
    clock.advance(hours=25)
    assert len(library.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b""),
        (302, b""),
        (200, HEAD.encode() + b"<zs:diagnostics><diagnostic><message>Unsupported index</message></diagnostic>"),
        (200, b"x" * (3 << 20)),
    ],
)
def test_a_library_that_gives_no_answer_is_named_and_asked_again(
    talking: TestClient, desk: dict[str, str], ask: Ask, library: Library, *, status: int, body: bytes
) -> None:
    library.status, library.body = status, body
    assert ask(DREAM_ISBN) == {"isbn": DREAM_ISBN, "candidates": [], "silent": ["dead", "other"]}
    answered = talking.post(f"/api/v1/isbn/{DREAM_ISBN}/adopt", headers=desk)
    assert (answered.status_code, answered.json()["code"]) == (404, "lookup_empty")
    library.status, library.body = 200, answer(iso2709(DREAM))
    assert len(ask(DREAM_ISBN)["candidates"]) == 1


def test_one_that_does_not_answer_in_time_is_given_up(ask: Ask, library: Library) -> None:
    library.pause.clear()
    assert ask(DREAM_ISBN)["silent"] == ["dead", "other"]


def test_a_record_of_another_isbn_is_none(ask: Ask, library: Library) -> None:
    library.body = answer(iso2709(EMMA)) + b"<record><leader>broken"
    assert ask(DREAM_ISBN)["candidates"] == []


def test_the_pool_comes_before_other_libraries(
    talking: TestClient, desk: dict[str, str], ask: Ask, library: Library
) -> None:
    data = {"pool": "true"}
    started = talking.post("/api/v1/imports", files={"file": ("p.mrc", iso2709(EMMA))}, data=data, headers=desk)
    while talking.get(started.headers["Location"], headers=desk).json()["state"] != "done":
        pass
    (found,) = ask("0141439580")["candidates"]
    assert (found["source"], library.asked) == ("pool", [])
    assert talking.get("/api/v1/records", params={"q": "emma"}).json()["records"] == []
    made = talking.post(f"/api/v1/isbn/{EMMA_ISBN}/adopt", headers=desk).json()
    assert made["id"] == found["record_id"]
    assert [one["title"] for one in talking.get("/api/v1/records", params={"q": "emma"}).json()["records"]] == [
        "Emma : a novel"
    ]


def test_what_is_no_isbn_is_refused(talking: TestClient, desk: dict[str, str]) -> None:
    for isbn, status in (("9787020002208", 422), ("12345", 422)):
        for told in (
            talking.get(f"/api/v1/isbn/{isbn}", headers=desk),
            talking.post(f"/api/v1/isbn/{isbn}/adopt", headers=desk),
        ):
            assert told.status_code == status
