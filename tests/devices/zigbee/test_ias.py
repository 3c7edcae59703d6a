"""Zone status bits as contacts of the fire panel."""

import pytest

from devices.zigbee.ias import inputs


@pytest.mark.parametrize(
    ("status", "open_inputs"),
    [
        (0x0000, set()),
        (0x0001, {"alarm"}),
        (0x0002, {"alarm"}),
        (0x0101, set()),  # a test is no alarm
        (0x0004, {"tamper"}),
        (0x0008, {"trouble"}),  # battery low
        (0x0040, {"trouble"}),
        (0x0080, {"trouble"}),  # mains
        (0x0200, {"trouble"}),  # battery defect
        (0x000D, {"alarm", "tamper", "trouble"}),
        (0x0030, set()),  # supervision and restore reports are promises, not states
    ],
)
def test_status_bits_become_contacts_that_are_closed_at_rest(status: int, open_inputs: set[str]) -> None:
    assert {name for name, closed in inputs(status).items() if not closed} == open_inputs
