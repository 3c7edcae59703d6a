"""The first answer to each command: a repeat gets it again, and the command is not carried out twice."""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime

from carrel.contracts.actuation import CommandResult
from carrel.contracts.codec import encode
from gateway.store import Store

log = logging.getLogger(__name__)


class Answers:
    """Answers by the command's id, kept in the store while a repeat may come."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def given(self, id_: str) -> CommandResult | None:
        """The answer that was given before; None for a new command, and when the disk cannot tell."""
        try:
            known = self._store.answer(id_)
            return CommandResult.model_validate_json(known) if known is not None else None
        except (sqlite3.Error, ValueError) as error:
            log.error("first answer to command %s cannot be read: %s", id_, error)
            return None

    def remember(self, result: CommandResult, expires: datetime, now: datetime) -> None:
        """Keep an answer. A disk that refuses must not keep people from silencing a siren."""
        try:
            self._store.remember_answer(result.id, encode(result).decode(), now=now, expires=expires)
        except sqlite3.Error as error:
            log.error("answer to command %s is not written: %s", result.id, error)
