import gzip
import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import jinja2
import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from carrel.web.assets import Assets
from carrel.web.guard import HEADERS
from carrel.web.pages import Site, mount

SITE = Site("The Library", "图书馆", ZoneInfo("Asia/Shanghai"), "zh-CN", simulated=True)


@pytest.fixture
def app(tmp_path):
    (tmp_path / "page.html").write_text(
        '{% extends "base.html" %}{% block title %}{{ _("Overview") }}{% endblock %}'
        '{% block body %}<p>{{ said }}</p>{{ icon("curtain") }}{{ icon("fire", "Fire") }}'
        '<a href="{{ address_in(request, "en") }}">en</a>{{ "x" * 2000 }}{% endblock %}'
    )
    (tmp_path / "broken.html").write_text("{{ nobody_passed_this }}")
    app = FastAPI()
    pages = mount(app, SITE, [tmp_path])

    @app.get("/page")
    def page(request: Request, said: str = "<b>"):
        return pages.response(request, "page.html", said=said)

    @app.post("/change")
    def change():
        return "changed"

    @app.websocket("/socket")
    async def socket(websocket: WebSocket):
        await websocket.accept()
        await websocket.close()

    return app


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://library.test")


def test_a_page_speaks_the_default_language_and_escapes_what_it_is_given(client):
    answer = client.get("/page")
    assert "<title>总览 · 图书馆</title>" in answer.text
    assert "<p>&lt;b&gt;</p>" in answer.text
    assert answer.headers["content-language"] == "zh-CN"


def test_a_language_that_was_asked_for_is_kept(client):
    answer = client.get("/page?lang=en&said=a")
    assert "<title>Overview · The Library</title>" in answer.text
    assert "carrel_lang=en" in answer.headers["set-cookie"]
    assert "<title>Overview · " in client.get("/page").text


def test_the_other_language_of_a_page_keeps_its_question(client):
    assert 'href="?said=a%26b&amp;lang=en"' in client.get("/page?said=a%26b").text


def test_a_theme_is_taken_from_its_cookie_and_nothing_else(client):
    client.cookies.set("carrel_theme", "dark")
    assert '<html lang="zh-CN" data-theme="dark">' in client.get("/page").text
    client.cookies.set("carrel_theme", '"><script>')
    assert '<html lang="zh-CN">' in client.get("/page").text


def test_every_answer_carries_the_headers(client):
    for path in ("/page", "/nothing", "/static/favicon.svg"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert client.get("/static/tokens.css").headers["x-content-type-options"] == "nosniff"
    assert client.get("/page").headers["cache-control"] == "no-cache"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_pages_are_compressed(client):
    with client.stream("GET", "/page", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert b"<!doctype html>" in gzip.decompress(b"".join(answer.iter_raw()))


def test_static_addresses_carry_the_hash_of_what_they_bring(client):
    address = re.search(r'href="(/static/tokens\.css\?v=(\w+))"', client.get("/page").text)
    answer = client.get(address[1])
    assert hashlib.sha256(answer.content).hexdigest().startswith(address[2])
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")


def test_a_static_file_without_its_hash_is_asked_for_again(client):
    answer = client.get("/static/live.js?v=old")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    again = client.get("/static/live.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_modules_import_each_other_by_hash(client):
    imported = re.search(r'from "(/static/spark\.js\?v=\w+)"', client.get("/static/live.js").text)
    assert "immutable" in client.get(imported[1]).headers["cache-control"]


@pytest.mark.parametrize(
    "name", ["../pages.py", "%2e%2e/pages.py", "/etc/passwd", "nothing.css", "", ".stamp", "a%00b", "a" * 300]
)
async def test_nothing_outside_the_static_folders_is_served(app, name):
    transport = httpx.ASGITransport(app=app)  # sends the path as it stands
    url = httpx.URL("http://library.test").copy_with(raw_path=f"/static/{name}".encode())
    async with httpx.AsyncClient(transport=transport) as http:
        assert (await http.get(url)).status_code == 404


def test_static_files_cannot_be_written(client):
    assert client.put("/static/tokens.css").status_code == 405


def test_a_name_that_is_nowhere_is_told_with_the_mend(tmp_path):
    with pytest.raises(FileNotFoundError, match="make run"):
        Assets([tmp_path]).url("absent.js")


def test_icons_come_from_the_sprite_and_have_a_name_only_when_they_mean_something(client):
    text = client.get("/page").text
    assert re.search(
        r'<svg class="icon" aria-hidden="true"><use href="/static/icons\.svg\?v=\w+#curtain"/></svg>', text
    )
    assert '<svg class="icon" role="img" aria-label="Fire">' in text


def test_a_template_that_is_given_too_little_fails_at_once(app):
    with pytest.raises(jinja2.UndefinedError):
        app.state.pages.html("broken.html", "en", now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://library.test"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://library.test"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_another_sites_page_can_change_nothing(client, headers, status):
    assert client.post("/change", headers=headers).status_code == status


def test_another_sites_page_can_open_no_websocket(client):
    with client.websocket_connect("/socket", headers={"Origin": "http://testserver"}):
        pass
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("/socket", headers={"Origin": "http://evil.test"}),
    ):
        pass
    assert refused.value.code == 1008


def test_the_sprite_has_every_icon_that_templates_name(app):
    root = Path(__file__).parents[3]
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', app.state.pages.assets.get("icons.svg").body.decode()))
    for folder in ("carrel", "server", "gateway"):
        for template in (root / folder).rglob("*.html"):
            for name in re.findall(r'icon\("([\w-]+)"', template.read_text()):
                assert name in drawn, f"{template}: {name}"
