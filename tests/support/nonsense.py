"""Nonsense for every door, and how to see that it did no harm."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.support.programs import Library

DEEP = 100_000
NO_JSON = [b"", b"{", b"nonsense", b"\x00\xff\xfe", b"[" * DEEP, b'{"a":' * DEEP, b"\xef\xbb\xbf{]", b'{"items": [1,]}']
WRONG_JSON = [
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b"1e999",
    b"NaN",
    b"{}",
    b'{"id": "../../x", "items": [null], "user": [], "password": {}}',
    b'{"user": "\\ud800", "password": "\\ud800", "request_id": "\\ud800", "items": [{"barcode": "\\ud800"}]}',
    b'{"user": "\\u0000", "password": "\\u0000", "request_id": "\\u0000", "items": [{"barcode": "\\u0000"}]}',
    b'{"value": NaN, "duration_s": 1e400, "actuator": "x", "seq": 99999999999999999999, "session": -1}',
    b'{"request_id": "' + b"x" * 100_000 + b'", "items": []}',
    b'{"request_id": "r", "items": [' + b'{"barcode": "1"},' * 20_000 + b'{"barcode": "1"}]}',
]
OVERSIZED = b'{"items": "' + b"x" * (2 << 20) + b'"}'


def hears_and_obeys(running: Library) -> None:
    """Server and gateway still talk: a wish goes there and its answer comes back."""
    librarian = running.client("librarian", "librarian-demo")
    wish = {"actuator": "stacks-vent", "value": 20, "duration_s": 600}
    made = librarian.post("/rooms/stacks/overrides", json=wish)
    assert made.status_code == 201, made.text
    assert librarian.delete(f"/overrides/{made.json()['id']}").status_code == 204


def refused(answer: httpx.Response, what: str) -> dict[str, Any]:
    """It is a problem document with a code, and nothing of our insides."""
    assert 400 <= answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"].startswith("application/problem+json"), f"{what}: {answer.text[:300]}"
    assert "Traceback" not in answer.text
    assert len(answer.content) < 20_000, f"{what}: an answer of {len(answer.content)} bytes"
    problem: dict[str, Any] = answer.json()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", problem["code"]), what
    assert problem["status"] == answer.status_code
    return problem


def no_stack_trace(running: Library) -> None:
    """No program was taken by surprise so far."""
    for name in ("gateway", "server", "sim", "broker"):
        log = running.log(name)
        at = log.find("Traceback")
        assert at < 0, f"{name}: {log[max(0, at - 500) : at + 3000]}"
