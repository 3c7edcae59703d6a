import json

import pytest

from security.fire_state import Acknowledge, FireState, Isolate
from security.persistence import alarm_from_json, alarm_to_json, from_json, to_json
from tests.support.fire_house import Watch, faulty, opened

VERIFYING = Watch().at(5, Isolate("hall-1", "admin")).at(10, opened("stacks-1")).at(20, faulty("attic-1")).state
BURNING = Watch().at(10, opened("hall-1")).at(20, Acknowledge("ann")).state


@pytest.mark.parametrize("state", [FireState(), VERIFYING, BURNING])
def test_a_panel_survives_storage(state):
    assert from_json(json.loads(json.dumps(to_json(state)))) == state


def test_an_alarm_survives_storage_alone():
    assert BURNING.alarm is not None
    assert alarm_from_json(json.loads(json.dumps(alarm_to_json(BURNING.alarm)))) == BURNING.alarm


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"version": 99},
        [],
        to_json(BURNING) | {"zones": {"hall-1": ["ajar", "2026-01-05T00:00:00+00:00"]}},
        to_json(BURNING) | {"zones": {"hall-1": ["open", "soon"]}},
        to_json(BURNING) | {"alarm": {"id": "x"}},
    ],
)
def test_damaged_storage_is_one_kind_of_error(data):
    with pytest.raises(ValueError, match="stored fire panel cannot be read"):
        from_json(data)
