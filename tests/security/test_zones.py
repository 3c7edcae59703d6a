import pytest

from security.config import FireZoneConfig
from security.zones import condition_of


def zone(**parts) -> FireZoneConfig:
    return FireZoneConfig.model_validate({"id": "s", "area": "a", "module": "io-1", "input": "smoke"} | parts)


@pytest.mark.parametrize(
    ("normally", "contact_closed", "condition"),
    [("closed", True, "closed"), ("closed", False, "open"), ("open", False, "closed"), ("open", True, "open")],
)
def test_one_contact_is_active_when_it_leaves_its_rest(normally, contact_closed, condition):
    assert condition_of(zone(normally=normally), {"smoke": contact_closed, "flame": True}) == condition


@pytest.mark.parametrize("contacts", [{}, {"smoke": None}])
def test_no_answer_is_a_fault(contacts):
    assert condition_of(zone(), contacts) == "fault"


@pytest.mark.parametrize(
    ("contact_closed", "loop_closed", "condition"),
    [
        (False, True, "closed"),
        (True, True, "open"),
        (False, False, "tamper"),
        (True, False, "tamper"),
        (True, None, "fault"),
        (None, True, "fault"),
    ],
)
def test_a_supervised_zone_reads_both_contacts(contact_closed, loop_closed, condition):
    supervised = zone(normally="open", tamper_input="loop")
    assert condition_of(supervised, {"smoke": contact_closed, "loop": loop_closed}) == condition


DETECTOR = FireZoneConfig(id="s", area="a", detector="smoke-9")


@pytest.mark.parametrize(
    ("alarm", "tamper", "trouble", "condition"),
    [
        (True, True, True, "closed"),
        (False, True, True, "open"),
        (False, False, False, "open"),  # a detector with a low battery still alarms
        (True, False, True, "tamper"),
        (True, False, False, "tamper"),
        (True, True, False, "fault"),
        (None, None, None, "fault"),
    ],
)
def test_a_detectors_fire_stands_above_tamper_and_tamper_above_trouble(alarm, tamper, trouble, condition):
    assert condition_of(DETECTOR, {"alarm": alarm, "tamper": tamper, "trouble": trouble}) == condition


def test_a_detector_that_is_lost_is_in_fault():
    assert condition_of(DETECTOR, {}) == "fault"
