"""From contacts to zone conditions (reference: wiring supervision of one or two inputs)."""

from collections.abc import Mapping
from typing import Literal

from security.config import FireZoneConfig

Condition = Literal["closed", "open", "fault", "tamper"]
"""`closed` at rest, `open` active, `fault` no answer, `tamper` the supervising loop is broken."""


def condition_of(zone: FireZoneConfig, contacts: Mapping[str, bool | None]) -> Condition:
    """A zone's condition from its module's contacts: input name -> True closed, False open, None no answer."""
    contact = contacts.get(zone.input)
    if contact is None:
        return "fault"
    if zone.tamper_input is not None:
        loop_closed = contacts.get(zone.tamper_input)
        if loop_closed is None:
            return "fault"
        if not loop_closed:
            return "tamper"
    at_rest = contact == (zone.normally == "closed")
    return "closed" if at_rest else "open"
