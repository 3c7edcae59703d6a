"""The device classes as data."""

import pytest

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import AC, BASIC, CURTAIN, LIGHT, TH, VENT


@pytest.mark.parametrize("model", [TH, LIGHT, CURTAIN, AC, VENT], ids=lambda model: model.name)
def test_every_start_value_fits_its_type(model):
    for tables in (model.server, model.client):
        for table in tables.values():
            for attribute in table.values():
                zcl.encode_value(attribute.type, attribute.value)


def test_names_are_told_apart():
    names = {model.server[BASIC][5].value for model in (TH, LIGHT, CURTAIN, AC, VENT)}
    assert names == {"SIM-TH", "SIM-LUX", "SIM-CURTAIN", "SIM-AC", "SIM-VENT"}
