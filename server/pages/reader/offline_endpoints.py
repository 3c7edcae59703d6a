"""Readers' pages as an application on the phone, and what of them is there without a connection.

The service worker keeps the last copy of the loans and the card on the device; browsers run one over HTTPS only (and
on the machine itself). Everything works as a plain site without it.
"""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from carrel.web.guard import CONTENT_SECURITY_POLICY
from server.deps import ReadSession, public
from server.pages.reader import account_views, views
from server.pages.shell import Visit, VisitDep
from server.patrons import service as patrons
from server.patrons.errors import UnknownPatronError

router = APIRouter(include_in_schema=False, dependencies=[public()])

WORKER = "reader-worker.js"
SHELL = (
    "tokens.css",
    "app.css",
    "reader.css",
    "page.js",
    "typed.js",
    "kept.js",
    "htmx.min.js",
    "icons.svg",
    "favicon.svg",
)
"""Static files that the kept pages need."""
ICONS = (
    ("favicon.svg", "any", "any"),
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)
"""File, size and purpose: several phones take no SVG, and those that cut icons to a shape want a margin around them."""


@router.get("/my/card")
def card(visit: VisitDep, session: ReadSession) -> Response:
    """The card alone, large and on white, for readers and scanners at arm's length."""
    reader = views.reader_of(visit)
    if isinstance(reader, Response):
        return reader
    patron = patrons.find_by_id(session, reader.patron_id)
    if patron is None:
        raise UnknownPatronError
    expires = views.day(visit.words, patron.expires_on) if patron.expires_on else ""
    size, path = account_views.qr(reader.card)
    return visit.page(
        "reader/card.html", name=patron.name, card=reader.card, expires=expires, qr_size=size, qr_path=path
    )


@router.get("/offline")
def offline(visit: VisitDep) -> Response:
    """What the worker shows in place of a page that needs a connection; the same for everybody."""
    return visit.pages.response(visit.request, "reader/offline.html", caller=None)


@router.get("/service-worker.js")
def service_worker(visit: VisitDep) -> Response:
    """The worker, told which files to keep; it changes whenever one of them does, and browsers then renew it."""
    assets = visit.pages.assets
    shell = json.dumps(["/offline", *map(assets.url, SHELL)])
    script = f"const SHELL = {shell};\n".encode() + assets.get(WORKER).body
    return Response(script, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY}, media_type="text/javascript")


@router.get("/manifest.webmanifest")
def manifest(visit: VisitDep) -> Response:
    """The library's name and picture on a phone's home screen (W3C Web Application Manifest)."""
    name = visit.pages.site.title(visit.language)
    told = {
        "id": "/my/loans",
        "start_url": "/my/loans",
        "scope": "/",
        "display": "standalone",
        "name": name,
        "short_name": name[:30],
        "lang": visit.language,
        "theme_color": "#0e5f58",
        "background_color": "#f6f5f1",
        "icons": [_icon(visit, *icon) for icon in ICONS],
    }
    return JSONResponse(told, media_type="application/manifest+json")


def _icon(visit: Visit, file: str, sizes: str, purpose: str) -> dict[str, str]:
    assets = visit.pages.assets
    return {"src": assets.url(file), "sizes": sizes, "type": assets.get(file).media_type, "purpose": purpose}
