"""Static files with the hash of their content in the address, so a browser may keep them for ever.

Names inside style sheets and ES modules (`url("x")`, `from "./x.js"`) get their hash when they are read.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

PREFIX = "/static"
REFERENCE = re.compile(rb"""(from |import |url\()(["'])(?:\./)?([\w.-]+\.(?:js|css|svg|woff2))\2""")
NAME = re.compile(r"(?!.{100})\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII)
"""No dot begins a part, so nothing hidden and nothing above the folders can be named."""
IMMUTABLE = "public, max-age=31536000, immutable"

mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    digest: str
    media_type: str


class Assets:
    """The files of some folders under one address; the first folder that has a name wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._read: dict[str, Asset] = {}

    def url(self, name: str) -> str:
        """The address of a file, with its hash; raises FileNotFoundError for a name that is nowhere."""
        return f"{PREFIX}/{name}?v={self.get(name).digest}"

    def get(self, name: str) -> Asset:
        """A file by its name; raises FileNotFoundError."""
        if (known := self._read.get(name)) is not None:
            return known
        body = REFERENCE.sub(self._reference, self._path(name).read_bytes())
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        asset = Asset(body, hashlib.sha256(body).hexdigest()[:12], media_type)
        self._read[name] = asset
        return asset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file as an ASGI application mounted at PREFIX."""
        await self._response(scope)(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        name = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("method not allowed", 405, {"Allow": "GET, HEAD"})
        try:
            asset = self.get(name)
        except FileNotFoundError:
            return PlainTextResponse("not found", 404)
        wanted = parse_qs(bytes(scope.get("query_string", b"")).decode("latin-1")).get("v", [""])[0]
        cache = IMMUTABLE if wanted == asset.digest else "no-cache"
        headers = {"Cache-Control": cache, "ETag": f'"{asset.digest}"'}
        if _header(scope, b"if-none-match") == headers["ETag"]:
            return Response(None, 304, headers)
        return Response(asset.body, 200, headers, asset.media_type)

    def _path(self, name: str) -> Path:
        for folder in self._folders if NAME.fullmatch(name) else ():
            if (path := folder / name).is_file():
                return path
        raise FileNotFoundError(f"no static file '{name}'; run `make run` once so that the browser files are fetched")

    def _reference(self, match: re.Match[bytes]) -> bytes:
        before, quote, name = match.groups()
        return before + quote + self.url(name.decode()).encode() + quote


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
