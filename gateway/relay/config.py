"""The rules that the server sends: checked, kept in the store, put in force between two ticks, and answered.

A document counts when it is signed with the library's secret for this gateway, is newer than the last one taken, and
fits the wiring of config.toml. The last good one is kept and runs after a restart, with or without the server; what is
refused changes nothing. Until the first one is taken, config.toml's rules run.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from carrel.clock import Clock
from carrel.contracts import topics
from carrel.contracts.codec import ContractError, decode
from carrel.contracts.config import ConfigDocument, ConfigRefusal, ConfigState, is_signed
from environment.rulebook.book import BookError, RuleBook, from_text
from gateway.relay.outgoing import Outbox
from gateway.relay.uplink import Identity
from gateway.store import Store

MEMORY = "config/rules"
SECTION: Final = "rules"

log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """A document that is not taken."""

    def __init__(self, refusal: ConfigRefusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Kept:
    """The last document taken, and when it came into force."""

    version: int
    since: datetime
    body: str


class ConfigDesk:
    """Takes documents; `book` is what is in force, None for config.toml's own rules.

    `fits` raises BookError for rules that must not run here; `on_change` is called when `book` has changed.
    """

    def __init__(
        self, who: Identity, token_file: Path, *, store: Store, clock: Clock, fits: Callable[[RuleBook], object]
    ) -> None:
        self._who = who
        self._token_file = token_file
        self._store = store
        self._clock = clock
        self._fits = fits
        self._started = clock.now()
        self._refused: ConfigRefusal | None = None
        self._outbox: Outbox | None = None
        self.on_change: Callable[[], None] = lambda: None
        self.book: RuleBook | None = None
        self._kept = self._read()
        if self._kept is not None:
            self._try_kept(self._kept)

    def tell_through(self, outbox: Outbox) -> None:
        """Say what is in force, now and from now on."""
        self._outbox = outbox
        self._tell()

    def take(self, section: str, payload: bytes) -> None:
        """Take a document, or say why not. Never raises."""
        if section != SECTION or not payload:
            return  # a part that this gateway does not know yet, or a retained topic that was cleared
        try:
            self._take(payload)
        except _RefusedError as refused:
            self._refuse(refused.refusal)
        self._tell()

    def try_again(self) -> None:
        """Sensors were named or moved: the kept rules may fit now."""
        if self.book is None and self._kept is not None and self._try_kept(self._kept):
            self._tell()
            self.on_change()

    def _take(self, payload: bytes) -> None:
        document = self._read_document(payload)
        kept = self._kept
        same = kept is not None and (document.version, document.body) == (kept.version, kept.body)
        if same and self.book is not None:
            self._refused = None
            return  # told again
        if kept is not None and document.version <= kept.version and not same:
            raise self._refusal(document, "older_version", f"version {kept.version} was taken before")
        book = self._checked(document.version, document.body)
        taken = Kept(document.version, self._clock.now(), document.body)
        try:
            self._store.save(MEMORY, {"version": taken.version, "since": taken.since.isoformat(), "body": taken.body})
        except sqlite3.Error as error:
            raise self._refusal(document, "not_stored", str(error)) from None
        log.info("rules of version %d by %s are in force", document.version, document.by)
        self._kept, self.book, self._refused = taken, book, None
        self.on_change()

    def _read_document(self, payload: bytes) -> ConfigDocument:
        try:
            document = decode(ConfigDocument, payload)
        except ContractError as error:
            raise self._refusal(None, "malformed", str(error)) from None
        try:
            secret = self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._refusal(document, "no_token", f"cannot read {self._token_file}: {error}") from None
        if not secret or not is_signed(document, branch=self._who.branch, gateway=self._who.gateway, secret=secret):
            raise self._refusal(document, "bad_signature", "it is not signed with this gateway's machine token")
        return document

    def _checked(self, version: int, body: str) -> RuleBook:
        try:
            book = from_text(body)
            self._fits(book)
        except BookError as error:
            code = "does_not_fit" if error.code not in ("malformed", "rules_contradict") else error.code
            fields = {"version": version, "code": code, "detail": error.detail[:1000], "at": self._clock.now()}
            raise _RefusedError(ConfigRefusal.model_validate(fields)) from None
        return book

    def _try_kept(self, kept: Kept) -> bool:
        try:
            self.book = self._checked(kept.version, kept.body)
        except _RefusedError as refused:
            self._refuse(refused.refusal)
            return False
        self._refused = None
        return True

    def _read(self) -> Kept | None:
        try:
            kept = self._store.load(MEMORY)
            if kept is None:
                return None
            return Kept(int(kept["version"]), datetime.fromisoformat(kept["since"]), str(kept["body"]))
        except (ValueError, KeyError, TypeError) as error:
            log.error("the rules kept in the store cannot be read, config.toml's are in force: %r", error)
            return None

    def _refusal(self, document: ConfigDocument | None, code: str, detail: str) -> _RefusedError:
        version = document.version if document else None
        fields = {"version": version, "code": code, "detail": detail[:1000], "at": self._clock.now()}
        return _RefusedError(ConfigRefusal.model_validate(fields))

    def _refuse(self, refusal: ConfigRefusal) -> None:
        """Once per reason: a broken sender goes on sending."""
        before = self._refused
        if before is None or (before.version, before.code) != (refusal.version, refusal.code):
            log.warning("rules of version %s are not taken: %s: %s", refusal.version, refusal.code, refusal.detail)
        self._refused = refusal

    def _tell(self) -> None:
        if self._outbox is None:
            return
        kept = self._kept
        runs = kept if self.book is not None else None
        state = ConfigState(
            section=SECTION,
            version=runs.version if runs else 0,
            since=runs.since if runs else self._started,
            newest=kept.version if kept else 0,
            refused=self._refused,
        )
        self._outbox.put(topics.CONFIG_STATE, state, SECTION)
