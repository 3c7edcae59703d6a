"""A client of SRU (Search/Retrieve via URL, versions 1.1 and 1.2): the records of another catalogue with an ISBN."""

from __future__ import annotations

import html
import logging
import re
import time

import httpx

from server.catalogue.isbn import isbn10
from server.catalogue.lookup.config import SruConfig
from server.catalogue.marc import reading
from server.catalogue.marc.reading import Kind, Result

MOST_BYTES = 2 << 20
MOST_RECORDS = 5

_DIAGNOSTIC = re.compile(rb"<(?:\w+:)?diagnostic[\s>].*?<(?:\w+:)?(?:message|details)>([^<]{0,200})", re.DOTALL)

log = logging.getLogger(__name__)


class SruError(Exception):
    """The other catalogue gave no answer that can be used; the text says why."""


def ask(source: SruConfig, isbn: str) -> list[Result]:
    """Its records with this ISBN of 13 digits, in either form; raises SruError, at the latest after twice the
    source's timeout."""
    body = _get(source, _query(source.index, isbn))
    results = _records(body, source)
    if not results and (said := _DIAGNOSTIC.search(body)):
        raise SruError(said[1].decode("utf-8", "replace").strip() or "diagnostic")
    return [result for result in results if result.marc is not None]


def _query(index: str, isbn: str) -> str:
    forms = [form for form in (isbn, isbn10(isbn)) if form]
    return " or ".join(f'{index}="{form}"' for form in forms)


def _get(source: SruConfig, query: str) -> bytes:
    """An answer's body. The timeout is for each wait; a server that drips is given up too."""
    asked = {
        "version": source.version,
        "operation": "searchRetrieve",
        "query": query,
        "maximumRecords": str(MOST_RECORDS),
        "recordSchema": source.record_schema,
        "recordPacking": "xml",
    }
    began_s = time.monotonic()
    body = bytearray()
    try:
        with (
            httpx.Client(timeout=source.timeout_s, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", source.url, params=asked) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise SruError(f"HTTP {answer.status_code}")
            for some in answer.iter_bytes():
                body += some
                if len(body) > MOST_BYTES:
                    raise SruError("the answer is too long")
                if time.monotonic() - began_s > 2 * source.timeout_s:
                    raise SruError("the answer takes too long")
    except httpx.HTTPError as error:
        raise SruError(type(error).__name__) from error
    return bytes(body)


def _records(body: bytes, source: SruConfig) -> list[Result]:
    """MARCXML within the answer, as elements or, with record packing `string`, as text."""
    kind = Kind("marcxml", source.format)
    found = [result for result in reading.read(body, kind) if result.marc and result.marc.fields]
    if found or b"&lt;" not in body:
        return found
    unpacked = html.unescape(body.decode("utf-8", "replace")).encode("utf-8")
    return [result for result in reading.read(unpacked, kind) if result.marc and result.marc.fields]
