"""The rule book over the API: saved in versions, checked, tried, brought back, and on its way to the gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from carrel.config import load
from carrel.contracts import topics
from carrel.contracts.config import ConfigRefusal, ConfigState, is_signed
from carrel.contracts.telemetry import Quantity
from server.app import create_app
from server.audit import service as audit
from server.db import Database
from server.deps import Role
from server.settings import read_settings
from tests.support.acting_gateway import ActingGateway, building_settings, eventually, point
from tests.support.broker import Broker
from tests.support.library import TOKEN, ManualClock
from tests.support.spine import House

BOOK = "/api/v1/rules/book"
RULES = """
[[environment.actuator]]
id = "ac"
type = "switch"
zone = "reading-room"
device = "ac-1"
[[environment.rule]]
id = "cool"
zone = "reading-room"
when = { metric = "temp", above = 27.0, hysteresis = 2.0 }
actuators = ["ac"]
set = 1
"""


@pytest.fixture
def house(broker: Broker, database_url: str, database: Database, clock: ManualClock, tmp_path: Path) -> Iterator[House]:
    """The spine's house with a rule."""
    building_settings(tmp_path, database_url, broker)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    settings = read_settings(load(file, {}))
    edge = ActingGateway(broker, clock.now)
    with TestClient(create_app(settings, clock), raise_server_exceptions=False) as client:
        found = House(client, edge, broker, clock, database, settings)
        eventually(found.reaches_broker, "the server's session")
        edge.start()
        try:
            yield found
        finally:
            edge.stop()


def rule(above: float = 24.0, **changes: Any) -> dict[str, Any]:
    when = {"metric": "temp", "above": above, "hysteresis": 2.0}
    return {"id": "cool", "zone": "reading-room", "when": when, "actuators": ["ac"], "set": 1} | changes


def save(house: House, *rules: dict[str, Any], expected: int = 0, role: Role = Role.LIBRARIAN, note: str = "") -> Any:
    body = {"expected_version": expected, "note": note, "book": {"rule": list(rules)}}
    return house.client.put(BOOK, json=body, headers=house.staff(role))


def read(house: House) -> Any:
    return house.client.get(BOOK, headers=house.staff()).json()


def test_a_note_with_nul_is_refused(house: House) -> None:
    refused = save(house, rule(24.0), note="too\0warm")
    assert (refused.status_code, refused.json()["code"]) == (422, "malformed_request")
    assert read(house)["version"] == 0


def state(house: House, version: int, **more: Any) -> None:
    told = ConfigState(
        section="rules", version=version, since=house.clock.now(), newest=more.pop("newest", version), **more
    )
    house.edge.say(topics.CONFIG_STATE, told, "rules")


def stage(house: House) -> str:
    return str(read(house)["delivery"]["stage"])


def test_at_first_it_is_config_tomls(house: House) -> None:
    found = read(house)
    assert (found["version"], found["at"], found["delivery"]["stage"]) == (0, None, "shipped")
    assert [(r["id"], r["when"]["above"], r["enabled"]) for r in found["book"]["rule"]] == [("cool", 27.0, True)]
    assert house.edge.configs == []


def test_what_is_saved_reaches_the_gateway_signed_and_retained_and_its_way_is_told(house: House) -> None:
    saved = save(house, rule(24.0), note="too warm")
    assert saved.status_code == 200, saved.text
    assert (saved.json()["version"], saved.json()["author"], saved.json()["note"]) == (1, "librarian", "too warm")
    document = eventually(lambda: house.edge.configs, "the document")[0]
    assert is_signed(document, branch="main", gateway="gw-1", secret=TOKEN)
    assert (document.version, document.by, document.at) == (1, "librarian", house.clock.now())
    assert json.loads(document.body)["rule"][0]["when"]["above"] == 24.0
    eventually(lambda: stage(house) == "sent", "sent")
    state(house, 1)
    eventually(lambda: stage(house) == "in_force", "in force")
    newcomer = ActingGateway(house.broker, house.clock.now)
    newcomer.start()
    try:
        eventually(lambda: newcomer.configs, "the broker keeps it")
    finally:
        newcomer.stop()


def test_a_refusal_is_told_with_what_goes_on_and_a_database_older_than_the_gateway_saves_above_it(house: House) -> None:
    save(house, rule())
    refused = ConfigRefusal(version=1, code="does_not_fit", detail="no such device", at=house.clock.now())
    state(house, 0, refused=refused)
    eventually(lambda: stage(house) == "refused", "refused")
    delivery = read(house)["delivery"]
    assert (delivery["code"], delivery["detail"], delivery["running"]) == ("does_not_fit", "no such device", 0)
    state(house, 7)
    eventually(lambda: stage(house) == "newer", "newer")
    assert save(house, rule(), expected=1).json()["version"] == 8


def test_only_on_top_of_what_was_read(house: House) -> None:
    assert save(house, rule(24.0)).status_code == 200
    late = save(house, rule(30.0))
    assert (late.status_code, late.json()["code"], late.json()["params"]) == (409, "book_changed", {"version": 1})
    assert read(house)["book"]["rule"][0]["when"]["above"] == 24.0
    assert save(house, rule(30.0), expected=1).json()["version"] == 2


WRONG = (
    (rule(zone="stacks"), "bad_rules", "no sensor in zone 'stacks'"),
    (rule(actuators=["lift"]), "bad_rules", "unknown actuator 'lift'"),
    (rule(300.0), "rules_contradict", "can never be true"),
    (rule(set=200), "malformed_request", ""),
)


def test_rules_that_cannot_be_are_not_saved(house: House) -> None:
    for wrong, code, sentence in WRONG:
        answer = save(house, wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert sentence in json.dumps(answer.json())
    assert read(house)["version"] == 0


def test_hints_come_with_the_answer_and_hold_nothing_up(house: House) -> None:
    odd = rule(when={"metric": "temp", "above": 26.0})
    (finding,) = save(house, odd).json()["findings"]
    assert (finding["code"], finding["error"], finding["params"]["noise"]) == ("no_hysteresis", False, 0.2)
    assert read(house)["findings"] == [finding]
    assert house.client.post("/api/v1/rules/lint", json={}, headers=house.staff()).json()["findings"] == [finding]


def test_every_version_stays_and_can_be_brought_back(house: House) -> None:
    save(house, rule(24.0), note="first")
    save(house, expected=1, note="none")
    listed = house.client.get(f"{BOOK}/versions", headers=house.staff()).json()["versions"]
    assert [(v["version"], v["note"]) for v in listed] == [(2, "none"), (1, "first"), (0, "")]
    first = house.client.get(f"{BOOK}/versions/1", headers=house.staff()).json()
    assert first["book"]["rule"][0]["when"]["above"] == 24.0
    for version, expected, above in ((1, 2, 24.0), (0, 3, 27.0)):
        body = {"version": version, "expected_version": expected}
        back = house.client.post(f"{BOOK}/revert", json=body, headers=house.staff(Role.ADMINISTRATOR)).json()
        assert (back["version"], back["book"]["rule"][0]["when"]["above"]) == (expected + 1, above)
    assert house.client.get(f"{BOOK}/versions/9", headers=house.staff()).json()["code"] == "unknown_version"


def test_librarians_save_and_are_audited_duty_staff_only_see(house: House) -> None:
    assert save(house, rule(), role=Role.DUTY_STAFF).status_code == 403
    body = {"version": 0, "expected_version": 0}
    assert house.client.post(f"{BOOK}/revert", json=body, headers=house.staff()).status_code == 403
    assert house.client.get(BOOK).status_code == 401
    save(house, rule())
    with house.database.reading() as session:
        (entry,) = [row.entry for row in audit.page(session, audit.Wanted()) if row.entry.action == "rules.save"]
    assert entry.target == "rules:1"
    assert json.loads(entry.detail) == {"replaces": 0, "rules": 1}


def test_a_sensor_named_on_the_devices_page_counts(house: House) -> None:
    humid = rule(when={"metric": "rh", "above": 60.0, "hysteresis": 6.0}, zone="stacks")
    assert save(house, humid).status_code == 422
    house.edge.devices("new-rh", zone="stacks")
    house.edge.report("new-rh", "stacks", rh=50.0)
    eventually(lambda: save(house, humid).status_code == 200, "saved")


def test_a_simulation_tells_what_would_have_been_beside_what_was(house: House) -> None:
    now = house.clock.now()
    hours = [(24, 20.0), (10, 26.0), (9, 26.0), (8, 20.0)]
    values = [
        point(now - timedelta(hours=h, minutes=-m), value, device)
        for h, value in hours
        for m in range(0, 60, 10)
        for device in ("th-1", "th-2", "th-3")
    ]
    was = [point(now - timedelta(hours=h), on, "ac-1", Quantity.ON) for h, on in ((20, 0.0), (6, 1.0), (4, 0.0))]
    house.edge.batch(1, *values, *was)
    eventually(lambda: house.edge.acked(topics.TELEMETRY_ACK), "stored")
    body = {"book": {"rule": [rule(24.0)]}}
    found = house.client.post(f"{BOOK}/simulate", json=body, headers=house.staff()).json()
    (ac,) = found["actuators"]
    assert [(c[1], c[2], c[3]) for c in found["commands"]] == [("ac", 1, "cool"), ("ac", 0, "default")]
    assert found["values"] == len(values)
    assert (ac["would"]["changes"], round(ac["would"]["away_h"], 1)) == (2, 2.0)
    assert (ac["did"]["changes"], ac["did"]["away_h"]) == (2, 2.0)
    plain = house.client.post(f"{BOOK}/simulate", json={}, headers=house.staff()).json()
    assert plain["commands"] == []
    wrong = house.client.post(f"{BOOK}/simulate", json={"book": {"rule": [rule(300.0)]}}, headers=house.staff())
    assert wrong.json()["code"] == "rules_contradict"


def test_a_lost_broker_keeps_it_waiting_and_it_is_told_again_afterwards(house: House) -> None:
    house.broker.stop()
    eventually(lambda: not house.reaches_broker(), "the broker is gone")
    assert save(house, rule()).status_code == 200
    assert stage(house) == "saved"
    house.broker.start()
    house.edge.await_connection()
    eventually(lambda: house.edge.configs and stage(house) == "sent", "sent", 20)
