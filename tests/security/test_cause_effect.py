import pytest

from security.cause_effect import PHASES, Outputs, outputs_for, points_for, stopped_actuators
from security.config import SecurityConfig
from security.fire_state import Acknowledge, Isolate, Silence, ZonesRead
from tests.support.fire_house import CONFIG, Watch, faulty, opened

QUIET = Outputs(siren="off", lamp="off", buzzer="off", door_release=False, ventilation_stop=False)


def after(*events) -> Outputs:
    watch = Watch()
    for second, event in enumerate(events, start=1):
        watch.at(second, event)
    return outputs_for(watch.state, CONFIG)


@pytest.mark.parametrize(
    ("events", "outputs"),
    [
        ([], QUIET),
        ([opened("hall-1")], Outputs("fire", "fast", "off", True, True)),
        ([opened("hall-1"), Acknowledge("ann")], Outputs("fire", "fast", "off", True, True)),
        ([opened("hall-1"), Silence("ann")], Outputs("off", "fast", "off", True, True)),
        ([opened("stacks-1")], Outputs("off", "slow", "fire_prealarm", False, False)),
        ([faulty("hall-1")], Outputs("off", "off", "fault", False, False)),
        ([ZonesRead({"hall-1": "tamper"})], Outputs("off", "steady", "fault", False, False)),
        ([ZonesRead({"hall-1": "tamper"}), Isolate("hall-1", "admin")], QUIET),
        ([faulty("hall-2"), opened("hall-1")], Outputs("fire", "fast", "fault", True, True)),
    ],
)
def test_outputs_follow_from_the_state(events, outputs):
    assert after(*events) == outputs


def test_a_fire_drives_every_configured_point_and_stops_the_air():
    fire = after(opened("hall-1"))
    assert points_for(fire, CONFIG) == {
        "io-1.lamp": "fast",
        "io-1.siren": "steady",
        "io-1.buzzer": "off",
        "io-1.door-release": "steady",
    }
    assert stopped_actuators(fire, CONFIG) == ("vent", "ac")


def test_a_quiet_panel_claims_nothing():
    assert set(points_for(QUIET, CONFIG).values()) == {"off"}
    assert stopped_actuators(QUIET, CONFIG) == ()
    assert points_for(QUIET, SecurityConfig()) == {}


def test_a_verification_blinks_slowly_and_buzzes():
    points = points_for(after(opened("stacks-1")), CONFIG)
    assert (points["io-1.lamp"], points["io-1.buzzer"], points["io-1.siren"]) == ("slow", "fast", "off")
    assert [sum(PHASES[name]) for name in ("slow", "fast")] == [2.0, 0.5]
