import pytest
from pydantic import ValidationError

from security.config import SecurityConfig

AREA = {"id": "reading-room"}
SMOKE = {"id": "smoke-1", "area": "reading-room", "module": "io-1", "input": "smoke"}

DETECTOR = {"id": "s", "area": "reading-room", "detector": "smoke-9"}


def test_an_empty_section_is_a_house_without_detectors():
    config = SecurityConfig()
    assert (config.fire_zone, config.outputs.siren, config.verify_window_s) == ((), (), 60.0)


def test_a_zone_is_a_single_normally_closed_smoke_detector_unless_it_says_otherwise():
    config = SecurityConfig.model_validate({"area": [AREA], "fire_zone": [SMOKE]})
    zone = config.fire_zone[0]
    assert (zone.kind, zone.normally, zone.tamper_input, config.area[0].mode) == ("smoke", "closed", None, "single")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"area": [AREA], "fire_zone": [SMOKE | {"area": "cellar"}]},
            "area 'cellar' (there are: reading-room)",
        ),
        ({"fire_zone": [SMOKE]}, "unknown area 'reading-room' (there are: none)"),
        ({"area": [AREA, AREA]}, "area id 'reading-room' is used twice"),
        ({"area": [AREA], "fire_zone": [SMOKE, SMOKE]}, "fire zone id 'smoke-1' is used twice"),
        ({"area": [AREA], "fire_zone": [SMOKE, SMOKE | {"id": "smoke-2"}]}, "input 'io-1.smoke' is used twice"),
        ({"area": [AREA], "fire_zone": [SMOKE | {"tamper_input": "smoke"}]}, "input 'io-1.smoke' is used twice"),
        ({"area": [AREA], "fire_zone": [{"id": "s", "area": "reading-room"}]}, "give module and input, or detector"),
        ({"area": [AREA], "fire_zone": [SMOKE | {"detector": "d"}]}, "a detector has no module, input"),
        ({"area": [AREA], "fire_zone": [DETECTOR | {"normally": "open"}]}, "a detector has no module, input"),
        ({"area": [AREA], "fire_zone": [DETECTOR, DETECTOR | {"id": "t"}]}, "input 'smoke-9.alarm' is used twice"),
        ({"outputs": {"lamp": ["io-1.x"], "siren": ["io-1.x"]}}, "output point 'io-1.x' is used twice"),
        ({"outputs": {"lamp": ["lamp"]}}, "String should match pattern"),
        ({"escalation_level_2_s": 60, "escalation_level_3_s": 60}, "escalation_level_3_s must be later"),
        ({"fire_zones": []}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_section_is_refused_with_what_exists(section, message):
    with pytest.raises(ValidationError) as caught:
        SecurityConfig.model_validate(section)
    assert message in str(caught.value)


def test_a_zone_names_a_detector_that_speaks_for_itself():
    zone = SecurityConfig.model_validate({"area": [AREA], "fire_zone": [DETECTOR]}).fire_zone[0]
    assert (zone.source, zone.inputs) == ("smoke-9", ("alarm", "tamper", "trouble"))
