"""The table of models, and config.toml above it."""

from devices.config import ZigbeeDeviceConfig
from devices.zigbee.models import STANDARD, table, traits_of

DEVICE = ZigbeeDeviceConfig(id="blind-1", ieee="02:ca:77:e1:00:00:00:01", zone="stacks", kind="curtain")


def test_a_model_that_nobody_wrote_down_keeps_to_the_standard() -> None:
    assert traits_of("SIM-TH", "Carrel-Sim") == STANDARD


def test_a_line_fits_by_model_and_by_manufacturer_where_it_names_one() -> None:
    assert traits_of("KADRILJ roller blind", "IKEA of Sweden").battery == "whole"
    assert traits_of("KADRILJ roller blind", "somebody else").battery == "half"
    assert traits_of("lumi.sensor_motion.aq2", "LUMI").lux == "linear"


def test_configuration_stands_above_the_table() -> None:
    own = DEVICE.model_copy(update={"battery": "half", "invert": True})
    traits = traits_of("KADRILJ roller blind", "IKEA of Sweden", own)
    assert (traits.battery, traits.invert, traits.kind) == ("half", True, "curtain")


def test_each_model_occurs_once() -> None:
    names = [(line.model, line.manufacturer) for line in table()]
    assert len(names) == len(set(names)) > 0
