"""Who may change what the edge runs by: only who knows the secret, for this gateway, and only as it was written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from carrel.contracts.codec import decode, encode
from carrel.contracts.config import ConfigDocument, is_signed, sign, unsigned

AT = datetime(2026, 3, 2, 4, 30, 0, 123456, tzinfo=UTC)
HERE = {"branch": "main", "gateway": "gw-1", "secret": "a secret of sixteen"}


def document() -> ConfigDocument:
    return sign(unsigned("rules", 3, at=AT, by="librarian", body='{"rule":[]}'), **HERE)


def test_a_signature_survives_the_wire() -> None:
    assert is_signed(decode(ConfigDocument, encode(document())), **HERE)


def test_the_same_moment_in_another_zone_is_signed_alike() -> None:
    there = document().model_copy(update={"at": AT.astimezone(timezone(timedelta(hours=8)))})
    assert is_signed(there, **HERE)


@pytest.mark.parametrize(
    "change",
    [{"version": 4}, {"by": "mallory"}, {"body": '{"rule":[ ]}'}, {"at": AT + timedelta(microseconds=1)},
     {"signature": "0" * 64}],
)  # fmt: skip
def test_nothing_can_be_changed_afterwards(change: dict[str, Any]) -> None:
    assert not is_signed(document().model_copy(update=change), **HERE)


@pytest.mark.parametrize("change", [{"branch": "other"}, {"gateway": "gw-2"}, {"secret": "another secret"}])
def test_it_counts_for_one_gateway_and_one_secret(change: dict[str, str]) -> None:
    assert not is_signed(document(), **(HERE | change))
