"""The rule book: versions that people save, what it must fit, and how far the newest has come on its way to the edge.

Version 0 is config.toml, which a library runs until somebody saves. One book goes to one gateway, that of config.toml's
[gateway]; others run the rules of their own files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import ValidationError
from sqlalchemy.orm import Session

from carrel.contracts.config import ConfigDocument, ConfigState, sign, unsigned
from environment.config import EnvironmentConfig
from environment.rulebook.book import BookError, RuleBook, book_of, checked, from_text, laid_over, to_text
from environment.rulebook.findings import Finding
from server.audit import service as audit
from server.auth.machine_token import read_or_make
from server.deps import Core, Principal
from server.rooms.plan import SENSED
from server.rooms.service import Rooms
from server.rules import repository
from server.rules.errors import BadBookError, BookChangedError, ContradictionError, UnknownVersionError
from server.rules.history import Period
from server.rules.models import RuleBookRow
from server.rules.replay import Outcome, outcome
from server.telemetry.store import TelemetryStore

SHOWN_VERSIONS = 50
Stage = Literal["shipped", "saved", "sent", "in_force", "refused", "newer"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A version; 0, with nobody and no time, is config.toml."""

    version: int
    at: datetime | None
    author: str
    note: str
    book: RuleBook


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a version has come; `running` is the version in force, None while no gateway has told.

    shipped: config.toml's rules run. saved: it waits for the broker. sent: the gateway has not answered. in_force:
    since `at`. refused: `code` and `detail` say why. newer: the gateway runs rules that this server does not know.
    """

    stage: Stage
    online: bool
    running: int | None = None
    at: datetime | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody saves: on top of which version, and why."""

    expected: int
    note: str
    by: Principal


class Books:
    """Of one server process; `app.state.rule_books`. Each method is its own transaction."""

    def __init__(self, core: Core, rooms: Rooms, store: TelemetryStore) -> None:
        self._core = core
        self._rooms = rooms
        self._store = store
        self._simulating = threading.Lock()
        self._shipped = core.settings.document.section("environment", EnvironmentConfig)
        self.gateway = str(core.settings.document.data.get("gateway", {}).get("id", "gw-1"))
        self.sent = 0
        """The version that this process has given to the broker last."""
        self.on_new: Callable[[], None] = lambda: None
        """Called from any thread when a version was saved."""

    def present(self) -> Stored:
        """The newest version."""
        with self._core.database.reading() as session:
            row = repository.latest(session)
        return _stored(row) if row else self._version_0()

    def version(self, number: int) -> Stored:
        """One version; raises UnknownVersionError."""
        if number == 0:
            return self._version_0()
        with self._core.database.reading() as session:
            row = repository.get(session, number)
        if row is None:
            raise UnknownVersionError(version=number)
        return _stored(row)

    def versions(self) -> list[Stored]:
        """The newest versions and config.toml's, newest first."""
        with self._core.database.reading() as session:
            return [*map(_stored, repository.page(session, SHOWN_VERSIONS)), self._version_0()]

    def check(self, book: RuleBook) -> tuple[EnvironmentConfig, list[Finding]]:
        """What would be in force, and lint's hints; raises BadBookError."""
        try:
            return checked(self.wiring(), book)
        except BookError as error:
            raise (ContradictionError if error.code == "rules_contradict" else BadBookError)(error) from None

    def save(self, book: RuleBook, change: Change) -> tuple[Stored, list[Finding]]:
        """Make this the newest version, on its way to the edge; raises BookChangedError, BadBookError."""
        findings = self.check(book)[1]
        with self._core.database.writing() as session:
            newest = repository.newest_version(session)
            if newest != change.expected:
                raise BookChangedError(version=newest)
            stored = self._write(session, book, change)
        self.on_new()
        return stored, findings

    def revert(self, number: int, change: Change) -> tuple[Stored, list[Finding]]:
        """Save an earlier version again; raises what `version` and `save` raise."""
        return self.save(self.version(number).book, change)

    def simulate(self, book: RuleBook, hours: int) -> Outcome:
        """What these rules would have done in the last hours; takes seconds, one at a time. Raises BadBookError and
        HistoryUnavailableError."""
        config, now = self.check(book)[0], self._core.clock.now()
        with self._simulating:
            period = Period(now - timedelta(hours=hours), now)
            return outcome(self._store, config, period, zone=self._core.settings.common.library.zone)

    def wiring(self) -> EnvironmentConfig:
        """Sensors and actuators as the gateway has them now: config.toml's, moved and added to on the devices page."""
        shipped = laid_over(self._shipped, RuleBook())
        told = self._rooms.picture.gateways().values()
        zones = {info.id: info.zone for gateway in told for info in gateway.devices}
        sensors = [
            sensor.model_dump()
            | {"zone": sensor.zone if sensor.metric == "flag" else zones.get(sensor.device, sensor.zone)}
            for sensor in shipped.sensor
        ]
        known = {sensor.device for sensor in shipped.sensor}
        sensors += [
            {"id": f"{device}-{quantity}", "zone": room, "metric": str(quantity), "device": device}
            for room, plan in self._rooms.plan.rooms.items()
            for quantity in SENSED
            for device in sorted(plan.sensors.get(quantity, ()))
            if device not in known
        ]
        try:
            return EnvironmentConfig.model_validate(shipped.model_dump(by_alias=True) | {"sensor": sensors})
        except ValidationError:  # a name on the devices page that config.toml uses otherwise; the gateway tells of it
            return shipped

    def delivery(self, version: int) -> Delivery:
        """How far this version, the newest, has come."""
        gateway = self._rooms.picture.gateways().get(self.gateway)
        online = self._rooms.picture.standing(self.gateway) == "online"
        told = gateway.config.get("rules") if gateway else None
        if told is None:
            return Delivery("shipped" if version == 0 else "sent" if self.sent >= version else "saved", online)
        stage = self._stage(version, told)
        refused = told.refused
        if stage == "refused" and refused is not None:
            return Delivery(stage, online, told.version, refused.at, refused.code, refused.detail)
        return Delivery(stage, online, told.version, told.since)

    def document(self) -> ConfigDocument | None:
        """The newest version, signed for the gateway; None while config.toml's rules do. Raises ConfigError."""
        with self._core.database.reading() as session:
            row = repository.latest(session)
        if row is None:
            return None
        document = unsigned("rules", row.version, at=row.at, by=row.author, body=row.body)
        secret = read_or_make(self._core.settings.token_file)
        return sign(document, branch=self._core.settings.common.library.branch, gateway=self.gateway, secret=secret)

    def _stage(self, version: int, told: ConfigState) -> Stage:
        if told.version == version:
            return "in_force" if version else "shipped"
        if told.refused is not None and told.refused.version == version:
            return "refused"
        if told.newest > version:
            return "newer"
        return "sent" if self.sent >= version else "saved"

    def _write(self, session: Session, book: RuleBook, change: Change) -> Stored:
        """A number above what the gateway ever took: a restored database must not be refused as the past."""
        told = self._rooms.picture.gateways().get(self.gateway)
        state = told.config.get("rules") if told else None
        number = max(change.expected, state.newest if state else 0) + 1
        now = self._core.clock.now()
        row = RuleBookRow(
            version=number, at=now, author=change.by.user[:80], note=change.note[:200], body=to_text(book)
        )
        if not repository.add(session, row):
            raise BookChangedError(version=number)
        detail = {"replaces": change.expected, "rules": len(book.rule)}
        audit.record(
            session, actor=change.by.subject, action="rules.save", target=f"rules:{number}", at=now, detail=detail
        )
        return _stored(row)

    def _version_0(self) -> Stored:
        return Stored(0, None, "", "", book_of(self._shipped))


def _stored(row: RuleBookRow) -> Stored:
    return Stored(row.version, row.at, row.author, row.note, from_text(row.body))
