"""The module with the names of what is wired to it, as people and `sim contact` speak of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from firmware_sim.building import NotThereError
from firmware_sim.modbus.module import INPUTS, OUTPUTS, CommSafety, IoModule

_STATES: Final = ("open", "closed")


@dataclass(frozen=True, slots=True)
class Contact:
    """A named contact at an input; `normally` is "open" or "closed"."""

    index: int
    normally: str


class WiredModule:
    """Named contacts and outputs of one module."""

    def __init__(self, name: str, module: IoModule, *, contacts: dict[str, Contact], outputs: dict[str, int]) -> None:
        self.name = name
        self.module = module
        self._contacts = contacts
        self._outputs = outputs
        self._closed = {point: contact.normally == "closed" for point, contact in contacts.items()}
        for point, closed in self._closed.items():
            module.set_contact(contacts[point].index, closed=closed)

    def contact(self, point: str, state: str) -> None:
        """Open or close a contact; NotThereError, ValueError."""
        if point not in self._contacts:
            raise NotThereError("contact", f"{self.name}.{point}", [f"{self.name}.{name}" for name in self._contacts])
        if state not in _STATES:
            raise ValueError(f"a contact is open or closed, not {state!r}")
        self._closed[point] = state == "closed"
        self.module.set_contact(self._contacts[point].index, closed=state == "closed")

    def observe(self) -> dict[str, dict[str, bool]]:
        """Inputs: True when the contact is away from its normal state. Outputs: True when on."""
        word = self.module.output_word
        return {
            "inputs": {
                point: self._closed[point] != (contact.normally == "closed")
                for point, contact in self._contacts.items()
            },
            "outputs": {point: bool(word >> index & 1) for point, index in self._outputs.items()},
        }


def wired_module(spec: dict[str, Any], clock: Callable[[], float]) -> WiredModule:
    """From an `[[io]]` table of a bench file; ValueError for a point the module cannot have."""
    name: str = spec["id"]
    contacts = {point: Contact(**entry) for point, entry in spec.get("inputs", {}).items()}
    outputs: dict[str, int] = dict(spec.get("outputs", {}))
    for point, contact in contacts.items():
        if contact.index not in range(INPUTS) or contact.normally not in _STATES:
            raise ValueError(f"{name}.{point}: inputs are 0..{INPUTS - 1}, normally open or closed")
    for point, index in outputs.items():
        if index not in range(OUTPUTS):
            raise ValueError(f"{name}.{point}: outputs are 0..{OUTPUTS - 1}")
    safety = None
    if "safety" in spec:
        bits = sum(1 << outputs[point] for point in spec["safety"].get("outputs", ()))
        safety = CommSafety(float(spec["safety"]["timeout_s"]), bits)
    return WiredModule(name, IoModule(clock, safety=safety), contacts=contacts, outputs=outputs)
