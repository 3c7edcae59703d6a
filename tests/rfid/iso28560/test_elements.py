"""The element chain: padding, null bytes, both readings, and every way to break off."""

from typing import Any

import pytest

from rfid.iso28560 import compaction, isil
from rfid.iso28560.compaction import Compaction
from rfid.iso28560.elements import Element, aligned, scan, to_bytes, unambiguous
from tests.support.vectors import raw, vectors


@pytest.mark.parametrize("vector", vectors("iso28560", "element"))
def test_golden_elements_are_read(vector: dict[str, Any]) -> None:
    [element] = scan(raw(vector)).elements
    assert (element.oid, element.code) == (vector["oid"], vector["compaction"])
    if element.code is Compaction.APPLICATION:
        text = isil.decode(element.data) if element.oid == 3 else element.data.hex()
    else:
        text = compaction.decode(element.code, element.data)
    assert text == vector["text"]


@pytest.mark.parametrize("vector", vectors("iso28560", "element"))
def test_golden_elements_are_written(vector: dict[str, Any]) -> None:
    [element] = scan(raw(vector)).elements
    assert raw(vector) in {to_bytes(element), aligned(element, 4)}


def test_null_bytes_between_elements_are_skipped() -> None:
    chain = scan(bytes.fromhex("1102 03E8 8080 050110 00"))
    assert [element.oid for element in chain.elements] == [1, 5]
    assert chain.terminated


def test_the_end_of_memory_ends_the_chain_as_well() -> None:
    chain = scan(bytes.fromhex("110203E8 050110"))
    assert (len(chain.elements), chain.terminated, chain.problem) == (2, False, None)


@pytest.mark.parametrize("tail", ["6302", "67", "63", "6F", "63FF", "E3"], ids=str)
def test_an_element_cut_off_breaks_the_chain(tail: str) -> None:
    chain = scan(bytes.fromhex("110203E8" + tail))
    assert (len(chain.elements), chain.problem) == (1, "length")


def test_a_precursor_without_object_id_breaks_the_chain() -> None:
    assert scan(bytes.fromhex("110203E8 1001")).problem == "value"


def test_long_elements_have_a_length_of_two_bytes() -> None:
    element = Element(17, Compaction.UTF8, b"x" * 300)
    coded = to_bytes(element)
    assert coded[:4] == bytes.fromhex("7F02822C")
    assert scan(coded + b"\0").elements == (element,)


@pytest.mark.parametrize("order", ["extension first", "pad count first"])
def test_extension_and_pad_count_are_read_in_the_order_that_ends_well(order: str) -> None:
    pads, extension = 3, 4  # object id 19
    head = (extension, pads) if order == "extension first" else (pads, extension)
    memory = bytes((0xEF, *head, 2)) + b"AB" + bytes((0x80,)) * pads + bytes.fromhex("05011000")
    chain = scan(memory)
    assert chain.terminated
    assert chain.elements[-1].oid == 5
    assert unambiguous(memory) is None or order == "extension first"


def test_a_cut_memory_gives_its_complete_elements() -> None:
    whole = bytes.fromhex("110203E8 050110 7F0205")
    elements = unambiguous(whole)
    assert elements is not None
    assert [element.oid for element in elements] == [1, 5]
