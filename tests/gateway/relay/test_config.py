"""What the gateway takes of the server's rules, and what it answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carrel.contracts.codec import encode
from carrel.contracts.config import ConfigState, sign, unsigned
from environment.rulebook.book import BookError, RuleBook
from gateway.relay.config import MEMORY, ConfigDesk
from gateway.relay.outgoing import Outbox
from gateway.relay.uplink import Identity
from gateway.store import Store
from tests.support.clock import ManualClock

ME = Identity("main", "gw-1", "0.1")
TOKEN = "a machine token of tests"
RULE = {"id": "cool", "zone": "r", "when": {"metric": "temp", "above": 26}, "actuators": ["ac"], "set": 1}


class Site:
    """A desk on a store; `unfit` refuses what it is told to."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder, self.clock = folder, clock
        self.token = folder / "token"
        self.token.write_text(TOKEN + "\n", encoding="ascii")
        self.store = Store(folder / "gateway.db")
        self.unfit: BookError | None = None
        self.changes = 0
        self.open()

    def open(self) -> None:
        self.desk = ConfigDesk(ME, self.token, store=self.store, clock=self.clock, fits=self._fits)
        self.desk.on_change = self._changed
        self.outbox = Outbox()
        self.desk.tell_through(self.outbox)

    def restart(self) -> None:
        self.store.close()
        self.store = Store(self.folder / "gateway.db")
        self.open()

    def message(self, version: int = 1, above: float = 26, *, secret: str = TOKEN, body: str = "") -> bytes:
        rule = RULE | {"when": {"metric": "temp", "above": above}}
        text = body or json.dumps({"rule": [rule]})
        document = unsigned("rules", version, at=self.clock.now(), by="librarian", body=text)
        return encode(sign(document, branch="main", gateway="gw-1", secret=secret))

    def take(self, *args: Any, **options: Any) -> ConfigState:
        self.desk.take("rules", self.message(*args, **options))
        return self.state

    @property
    def state(self) -> ConfigState:
        item = self.outbox._pending["config/{id}/state", "rules"]
        return ConfigState.model_validate_json(item.payload)

    @property
    def limit(self) -> float | None:
        return self.desk.book.rule[0].when.above if self.desk.book else None

    def _fits(self, _book: RuleBook) -> None:
        if self.unfit is not None:
            raise self.unfit

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    made = Site(tmp_path, clock)
    yield made
    made.store.close()


def refused(state: ConfigState) -> str:
    return state.refused.code if state.refused else ""


def test_at_first_the_rules_of_config_toml_are_in_force(site: Site) -> None:
    assert (site.desk.book, site.state.version, site.state.newest, refused(site.state)) == (None, 0, 0, "")


def test_a_good_document_is_in_force_at_once_and_told(site: Site, clock: ManualClock) -> None:
    state = site.take(3, 27)
    assert (state.version, state.newest, state.since, refused(state)) == (3, 3, clock.now(), "")
    assert (site.limit, site.changes) == (27, 1)


def test_the_same_again_changes_nothing(site: Site, clock: ManualClock) -> None:
    message = site.message(3, 27)
    site.desk.take("rules", message)
    since = site.state.since
    clock.advance(60)
    site.desk.take("rules", message)
    assert (site.state.since, site.changes) == (since, 1)


@pytest.mark.parametrize(("version", "above"), [(2, 27), (3, 28)])
def test_what_is_older_or_another_of_the_same_number_is_refused(site: Site, version: int, above: float) -> None:
    site.take(3, 27)
    state = site.take(version, above)
    assert (refused(state), state.version, site.limit, site.changes) == ("older_version", 3, 27, 1)


def test_a_forged_one_is_refused(site: Site) -> None:
    assert refused(site.take(1, secret="a guess")) == "bad_signature"
    tampered = site.message(1).replace(b"26", b"36")
    site.desk.take("rules", tampered)
    assert (refused(site.state), site.desk.book, site.changes) == ("bad_signature", None, 0)


@pytest.mark.parametrize("payload", [b"{", b"[]", b'{"section":"rules"}', b"\xff" * 9])
def test_what_is_no_document_is_refused(site: Site, payload: bytes) -> None:
    site.desk.take("rules", payload)
    assert (refused(site.state), site.state.refused and site.state.refused.version) == ("malformed", None)


@pytest.mark.parametrize("token", ["", None])
def test_without_a_token_nothing_is_trusted(site: Site, token: str | None) -> None:
    site.token.unlink()
    if token is not None:
        site.token.write_text(token)
    assert refused(site.take(1, secret=token or "")) == ("no_token" if token is None else "bad_signature")
    site.token.write_text(TOKEN)
    assert refused(site.take(1)) == ""


def test_a_signed_text_that_is_no_book_is_refused(site: Site) -> None:
    assert refused(site.take(1, body='{"rule": 7}')) == "malformed"


@pytest.mark.parametrize("code", ["does_not_fit", "rules_contradict"])
def test_rules_that_must_not_run_here_are_refused_and_the_last_good_ones_go_on(site: Site, code: str) -> None:
    site.take(1, 26)
    site.unfit = BookError(code, "rule cool: why not")
    state = site.take(2, 30)
    assert state.refused is not None
    assert (state.refused.code, state.refused.version, state.refused.detail) == (code, 2, "rule cool: why not")
    assert (state.version, state.newest, site.limit) == (1, 1, 26)


def test_a_full_disk_changes_nothing_and_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_name: str, _value: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(site.store, "save", full)
        assert refused(site.take(1)) == "not_stored"
        assert site.desk.book is None
    assert refused(site.take(1)) == ""


def test_after_a_restart_the_last_good_ones_run_since_they_came(site: Site, clock: ManualClock) -> None:
    since = site.take(5, 27).since
    clock.advance(3600)
    site.restart()
    assert (site.limit, site.state.version, site.state.since) == (27, 5, since)
    assert refused(site.take(4)) == "older_version"


def test_kept_rules_that_fit_no_more_are_told_and_tried_again(site: Site) -> None:
    site.take(5, 27)
    site.unfit = BookError("does_not_fit", "no sensor in zone 'r'")
    site.restart()
    assert (site.desk.book, site.state.version, site.state.newest, refused(site.state)) == (None, 0, 5, "does_not_fit")
    site.desk.try_again()
    assert site.desk.book is None
    site.unfit = None
    site.desk.try_again()
    assert (site.limit, site.state.version, refused(site.state)) == (27, 5, "")


def test_the_same_document_is_tried_again_when_the_kept_one_did_not_fit(site: Site) -> None:
    message = site.message(5, 27)
    site.desk.take("rules", message)
    site.unfit = BookError("does_not_fit", "why")
    site.restart()
    site.unfit = None
    site.desk.take("rules", message)
    assert (site.limit, site.state.version) == (27, 5)


def test_a_damaged_memory_is_no_reason_not_to_start(site: Site) -> None:
    site.store.save(MEMORY, {"version": "five"})
    site.restart()
    assert (site.desk.book, site.state.version) == (None, 0)
    assert site.take(1).version == 1


def test_other_sections_and_cleared_topics_are_left_alone(site: Site) -> None:
    site.take(1)
    site.desk.take("hours", b"{")
    site.desk.take("rules", b"")
    assert (refused(site.state), site.state.version) == ("", 1)
