"""The device classes as data."""

import pytest

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.models import BASIC, MODELS, POLL_CONTROL, POWER

NAMES = "TH LUX OCC CO2 CURTAIN AC VENT PLUG SMOKE FLAME SIREN"


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_start_value_fits_its_type(model):
    for tables in (model.server, model.client):
        for table in tables.values():
            for attribute in table.values():
                zcl.encode_value(attribute.type, attribute.value)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_battery_devices_say_so_in_every_place(model):
    assert (POWER in model.server, POLL_CONTROL in model.server) == (model.sleepy, model.sleepy)
    assert model.server[BASIC][7].value == (3 if model.sleepy else 1)
    assert not (model.sleepy and model.router)


def test_names_are_told_apart():
    names = {model.server[BASIC][5].value for model in MODELS.values()}
    assert names == set(MODELS) == {f"SIM-{name}" for name in NAMES.split()}
