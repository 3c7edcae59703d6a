"""The simulator's Modbus against the golden frames."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.modbus.module import IoModule
from firmware_sim.modbus.registers import RegisterMap
from firmware_sim.modbus.rtu import RtuLine, crc16, with_crc

VECTORS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "modbus.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["checksum"], ids=lambda vector: vector["name"])
def test_checksum_is_the_published_one(vector: dict[str, Any]) -> None:
    assert crc16(bytes.fromhex(vector["data"])) == vector["crc"]


@pytest.mark.parametrize("vector", VECTORS["frame"], ids=lambda vector: vector["name"])
def test_every_frame_of_the_vectors_has_a_right_checksum(vector: dict[str, Any]) -> None:
    for key in ("request", "answer"):
        if key in vector:
            frame = bytes.fromhex(vector[key])
            assert with_crc(frame[:-2]) == frame


@pytest.mark.parametrize("vector", [one for one in VECTORS["frame"] if "request" in one], ids=lambda one: one["name"])
def test_module_answers_as_the_vector_says(vector: dict[str, Any]) -> None:
    module = IoModule(lambda: 0.0)
    for index in range(7):
        module.set_contact(index, closed=bool(vector.get("inputs", 0) >> index & 1))
    module.write_outputs(vector.get("outputs", 0), 0xFF)
    line, sent = RtuLine(RegisterMap(module), 1, lambda: 0.0), []
    line.attach(sent.append)

    line.receive(bytes.fromhex(vector["request"]))

    assert sent == [bytes.fromhex(vector["answer"])]
    assert module.output_word == vector.get("outputs_after", vector.get("outputs", 0))
