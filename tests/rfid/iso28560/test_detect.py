"""Which model a memory carries: golden memories, wrong DSFIDs, interrupted writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfid.iso28560 import detect, part2
from rfid.iso28560.model import Decoded, Model, Status
from tests.support.vectors import raw, vectors

HF_MODELS = {model.value for model in Model}
CASES = [case for case in vectors("iso28560", "case") if case.values[0]["model"] in HF_MODELS]
FIELD_TAG = bytes.fromhex("9101046091CE438002 01A805011067024241030732 40DE05AB075B00".replace(" ", ""))


@pytest.mark.parametrize("case", CASES)
def test_golden_memories_are_recognised(case: dict[str, Any]) -> None:
    decoded = detect.decode(raw(case), case.get("dsfid", 0)).to_json()
    assert (decoded["model"], decoded["status"]) == (case["model"], case["status"])
    assert decoded["problems"] == case.get("problems", [])
    assert {name: decoded.get(name) for name in case.get("fields", {})} == case.get("fields", {})


# A length that runs past a small chip's memory ends inside a bigger one's.
@pytest.mark.parametrize("case", [case for case in CASES if case.values[0].get("problems") != ["length"]])
def test_golden_memories_are_recognised_in_a_bigger_chip(case: dict[str, Any]) -> None:
    filler = raw(case)[:1] if case["status"] == "blank" else b"\0"
    decoded = detect.decode(raw(case).ljust(112, filler), case.get("dsfid", 0)).to_json()
    assert (decoded["model"], decoded["status"]) == (case["model"], case["status"])


@given(st.binary(max_size=112), st.integers(0, 255))
def test_any_memory_is_judged_without_error(memory: bytes, dsfid: int) -> None:
    detect.decode(memory, dsfid)
    detect.decode_beginning(memory[:32], dsfid)


@pytest.mark.parametrize(("dsfid", "model"), [(0x06, Model.ISO28560_2), (0x3E, Model.ISO28560_3), (0, Model.NONE)])
def test_a_cleared_first_block_before_data_is_an_interrupted_write(dsfid: int, model: Model) -> None:
    decoded = detect.decode(bytes(4) + FIELD_TAG[4:], dsfid)
    assert (decoded.model, decoded.status, decoded.trusted) == (model, Status.TORN, False)


def test_a_first_element_without_compaction_is_no_proof_under_a_wrong_dsfid() -> None:
    assert detect.decode(bytes.fromhex("0101050000000000"), 0).status is Status.UNKNOWN


@pytest.mark.parametrize("short", [True, False])
def test_a_beginning_decides_only_when_nothing_behind_it_matters(short: bool) -> None:
    item = Decoded(Model.ISO28560_2, Status.OK, pii="30000001", owner="CN-000001-DEMO", usage="10")
    memory = part2.encode(item).ljust(112, b"\0")
    beginning = memory[:32] if short else memory[:12]
    decoded = detect.decode_beginning(beginning, 0x06)
    assert (decoded is not None) == short
    assert decoded is None or decoded.pii == "30000001"
    assert detect.decode_beginning(memory[:32], 0x00) is None


def test_blank_beginnings_are_blank() -> None:
    decoded = detect.decode_beginning(bytes(32), 0)
    assert decoded is not None
    assert decoded.status is Status.BLANK
