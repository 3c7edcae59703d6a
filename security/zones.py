"""From contacts to zone conditions (reference: wiring supervision of one or two inputs)."""

from collections.abc import Mapping
from typing import Literal

from security.config import DETECTOR_INPUTS, FireZoneConfig

Condition = Literal["closed", "open", "fault", "tamper"]
"""`closed` at rest, `open` active, `fault` no answer, `tamper` the supervising loop is broken."""


def condition_of(zone: FireZoneConfig, contacts: Mapping[str, bool | None]) -> Condition:
    """A zone's condition from its source's contacts: input name -> True closed, False open, None no answer."""
    if zone.detector is not None:
        return _detector_condition(contacts)
    contact = contacts.get(zone.input or "")
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


def _detector_condition(contacts: Mapping[str, bool | None]) -> Condition:
    """A detector whose battery is low still alarms: fire stands above tamper, tamper above trouble."""
    alarm, tamper, trouble = (contacts.get(name) for name in DETECTOR_INPUTS)
    if alarm is None:
        return "fault"
    if not alarm:
        return "open"
    if tamper is False:
        return "tamper"
    return "fault" if trouble is False else "closed"
