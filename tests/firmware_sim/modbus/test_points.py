"""Names on the simulated module's terminals."""

from typing import Any

import pytest

from firmware_sim.building import NotThereError
from firmware_sim.modbus.points import WiredModule, wired_module


def _module(**more: Any) -> WiredModule:
    spec = {
        "id": "io-1",
        "inputs": {"smoke": {"index": 0, "normally": "closed"}, "beam": {"index": 3, "normally": "open"}},
        "outputs": {"lamp": 0, "siren": 1},
        **more,
    }
    return wired_module(spec, lambda: 0.0)


def test_normally_closed_contacts_start_closed_and_are_quiet() -> None:
    module = _module()
    assert module.module.input_word == 0b0001
    assert module.observe() == {
        "inputs": {"smoke": False, "beam": False},
        "outputs": {"lamp": False, "siren": False},
    }


def test_contact_away_from_its_normal_state_is_active() -> None:
    module = _module()
    module.contact("smoke", "open")
    module.contact("beam", "closed")
    assert module.module.input_word == 0b1000
    assert module.observe()["inputs"] == {"smoke": True, "beam": True}


def test_outputs_are_observed_by_name() -> None:
    module = _module()
    module.module.write_outputs(0b10, 0xFF)
    assert module.observe()["outputs"] == {"lamp": False, "siren": True}


def test_unknown_contact_and_state_name_what_exists() -> None:
    module = _module()
    with pytest.raises(NotThereError, match=r"no contact 'io-1.door'; there are: io-1.smoke, io-1.beam"):
        module.contact("door", "open")
    with pytest.raises(ValueError, match="open or closed, not 'ajar'"):
        module.contact("smoke", "ajar")


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": {"smoke": {"index": 7, "normally": "open"}}},
        {"inputs": {"smoke": {"index": 0, "normally": "ajar"}}},
        {"outputs": {"lamp": 8}},
    ],
)
def test_points_that_the_module_cannot_have_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="io-1"):
        _module(**wrong)


def test_safety_names_the_outputs_that_stay_on() -> None:
    module = _module(safety={"timeout_s": 5, "outputs": ["siren"]})
    assert module.module.safety_enabled
