"""Every message's JSON schema, kept beside this file: a changed wire shows up in review."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from carrel.contracts import ids
from carrel.contracts.actuation import EDGE_COMMAND, Priority
from carrel.contracts.base import Contract
from carrel.contracts.telemetry import UNITS, Quantity, StoredAck
from tests.carrel.contracts.test_topics import every_contract

CONTRACTS = every_contract()


@pytest.fixture
def schemas(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_wire_is_as_reviewed(name: str, schemas: SnapshotAssertion) -> None:
    assert CONTRACTS[name].model_json_schema() == schemas(name=name)


def test_the_commands_wire_is_as_reviewed(schemas: SnapshotAssertion) -> None:
    assert EDGE_COMMAND.json_schema() == schemas(name="EdgeCommand")


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_message_is_frozen_and_refuses_what_it_does_not_know(contract: type[Contract]) -> None:
    assert contract.model_config.get("frozen") is True
    assert contract.model_config.get("extra") == "forbid"
    assert contract.__doc__


def test_a_message_cannot_be_changed() -> None:
    ack = StoredAck(session=1, seq=2)
    with pytest.raises(ValidationError):
        ack.seq = 3  # type: ignore[misc]  # which is the point


def test_every_quantity_has_its_unit() -> None:
    assert set(UNITS) == set(Quantity)


def test_life_safety_stands_above_everything() -> None:
    assert max(Priority) is Priority.LIFE_SAFETY
    assert min(Priority) is Priority.COMFORT


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (ids.Slug, ["a", "gw-1", "9", "x" * 63], ["", "-a", "A", "a b", "a/b", "a+", "x" * 64, "a\n", "é"]),
        (ids.ItemBarcode, ["30000001", "A.B*C:1/2_3-4"], ["", "a b", "x" * 33, "1\n", "书"]),
        (ids.TagUid, ["E00401000000BEEF"], ["e00401000000beef", "E004", "E00401000000BEEF\n"]),
        (ids.RequestId, ["kiosk-1-1700000000000-1", "x" * 64], ["", "a/b", "a b", "x" * 65]),
        (ids.AlarmId, ["fire-hall-1700000000000"], ["", "-x", "Fire", "x" * 97]),
        (ids.Count, [0, 1, (1 << 63) - 1], [-1, 1 << 63, 0.5]),
    ],
    ids=["Slug", "ItemBarcode", "TagUid", "RequestId", "AlarmId", "Count"],
)
def test_names_fit_topics_addresses_and_databases(kind: object, good: list[object], bad: list[object]) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    for value in good:
        assert adapter.validate_python(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
