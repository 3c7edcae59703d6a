"""A librarian changes a rule on the page: the building behaves by it at once, keeps it without the server and after a
power cut, and nobody on the broker can slip in another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from carrel.contracts import topics
from carrel.contracts.codec import encode
from carrel.contracts.config import ConfigDocument, sign, unsigned
from tests.support.ear import ROOT, Ear
from tests.support.programs import Library, library, settled, wait_for

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

STATE = f"{ROOT}/config/rules/state"
CONFIG = f"{ROOT}/config/rules"


@pytest.fixture
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of its own: programs are killed."""
    with library(tmp_path_factory.mktemp("library")) as running:
        settled(running)
        yield running


def said(ear: Ear, topic: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ear.latest.get(topic, b"{}") or b"{}")
    return found


def shade(ear: Ear) -> float | None:
    """The limit that the gateway judges the light by."""
    rules = said(ear, f"{ROOT}/{topics.RULES_STATE.path}").get("rules", [])
    return next((rule["threshold"] for rule in rules if rule["id"] == "reading-shade"), None)


def fields_of(page: str) -> dict[str, str]:
    """What stands in the form, as a browser would send it."""
    inputs = re.findall(r"<input[^>]*>", page)
    named = {
        name[1]: (value[1] if (value := re.search(r' value="([^"]*)"', tag)) else "on")
        for tag in inputs
        if (name := re.search(r' name="([^"]*)"', tag)) and ("checkbox" not in tag or " checked" in tag)
    }
    selects = re.findall(r'<select[^>]* name="([^"]*)".*?</select>', page, re.DOTALL)
    chosen = re.findall(r'<select[^>]* name="([^"]*)"(?:(?!</select>).)*?value="([^"]*)" selected', page, re.DOTALL)
    return named | dict.fromkeys(selects, "") | dict(chosen)


def signed(running: Library, version: int, limit: float, *, secret: str | None = None) -> ConfigDocument:
    """Rules as somebody on the broker would write them."""
    token = (running.folder / "var/run/machine-token").read_text().strip() if secret is None else secret
    when = {"metric": "lux", "above": limit, "hysteresis": limit * 0.9}
    rule = {"id": "reading-shade", "zone": "reading-room", "when": when, "actuators": ["reading-curtain"], "set": 100}
    document = unsigned("rules", version, at=datetime.now(UTC), by="mallory", body=json.dumps({"rule": [rule]}))
    return sign(document, branch="main", gateway="gw-1", secret=token)


def curtain(running: Library) -> float:
    return float(running.room("reading-room")["curtain_closed_pct"])


def test_a_threshold_changed_on_the_page_moves_the_curtain_and_stays(building: Library) -> None:
    running = building
    running.sim("set", "reading-room", "lux=1500")
    wait_for("the curtain is open, since 1500 lx are below 2500", lambda: curtain(running) == 0, 60)
    librarian = running.client("librarian", "librarian-demo")
    web = httpx.Client(base_url=running.dashboard, headers=librarian.headers, timeout=20, trust_env=False)

    form = fields_of(web.get("/rules/reading-shade/edit").text)
    assert (form["when-limit"], form["seen"]) == ("2500", "0")
    saved = web.post("/rules/save", data=form | {"when-limit": "1000", "when-hysteresis": "900", "note": "less sun"})
    assert (saved.status_code, saved.headers["location"]) == (303, "/rules#rule-reading-shade"), saved.text
    wait_for("the curtain closes by the new rule", lambda: curtain(running) == 100, 30)

    def stage() -> str:
        return str(librarian.get("/rules/book").json()["delivery"]["stage"])

    wait_for("the server knows that it is in force", lambda: stage() == "in_force")
    assert "In force on the gateway" in web.get("/rules?lang=en").text

    with Ear(running.ports["mqtt"]) as ear:
        wait_for("the gateway tells its version", lambda: said(ear, STATE).get("version") == 1)
        nobody_slips_in_another(running, ear)
        the_gateway_keeps_it(running, ear)


def nobody_slips_in_another(running: Library, ear: Ear) -> None:
    genuine = encode(signed(running, 2, 3000))
    attempts = {
        "bad_signature": encode(signed(running, 2, 3000, secret="a guess at the secret")),
        "malformed": genuine.replace(b'"signature"', b'"signatur"'),
        "older_version": encode(signed(running, 1, 3000)),
    }
    for code, payload in attempts.items():
        ear.say(CONFIG, payload)
        wait_for(f"{code} is told", lambda code=code: said(ear, STATE).get("refused", {}).get("code") == code)
        assert (said(ear, STATE)["version"], shade(ear)) == (1, 1000)
    forged = json.loads(genuine)
    forged["body"] = forged["body"].replace("3000", "4000")
    ear.say(CONFIG, json.dumps(forged).encode())
    wait_for("a changed text is refused", lambda: said(ear, STATE)["refused"]["code"] == "bad_signature")
    assert curtain(running) == 100


def the_gateway_keeps_it(running: Library, ear: Ear) -> None:
    running.kill("server", "gateway")
    ear.latest.clear()
    running.start("gateway")
    wait_for("it runs the last good rules, without the server", lambda: shade(ear) == 1000, 60)
    wait_for("and says so", lambda: said(ear, STATE).get("version") == 1)
    running.sim("set", "reading-room", "lux=20")
    wait_for("the curtain opens by the way back of the new rule", lambda: curtain(running) == 0, 90)
