from pathlib import Path

import pytest

from carrel.config import load
from carrel.contracts.actuation import SetOutput
from gateway.links.link import Link
from gateway.links.registry import LINK_FACTORIES, Wiring, make_link
from gateway.settings import GatewaySettings, read_settings
from gateway.stations.pad import Pad
from tests.support.field import FixedClock
from tests.support.sim import ROOT


@pytest.fixture
def settings() -> GatewaySettings:
    return read_settings(load(ROOT / "config.toml", environ={}))


def links_of(settings: GatewaySettings) -> list[Link]:
    pads = {
        reader.id: Pad(reader.id, owner=reader.owner, afi=reader.afi, on_change=lambda _: None)
        for reader in settings.readers
    }
    wiring = Wiring(clock=FixedClock(), pads=pads)
    return [
        make_link(settings.zigbee.kind, "zigbee", settings.zigbee, wiring),
        *[make_link("modbus", module.id, module, wiring) for module in settings.modbus],
        *[make_link(reader.kind, reader.id, reader, wiring) for reader in settings.readers],
    ]


def test_the_shipped_configuration_makes_its_three_links(settings: GatewaySettings) -> None:
    assert [(link.name, link.kind) for link in links_of(settings)] == [
        ("zigbee", "znp"),
        ("io-1", "modbus"),
        ("kiosk-1", "feig"),
    ]


async def test_every_link_answers_an_order_that_is_not_for_it(settings: GatewaySettings) -> None:
    for link in links_of(settings):
        result = await link.execute(SetOutput(output="somewhere.gong", on=True))
        assert result.code in ("not_supported", "unknown_output")


def test_every_kind_that_the_configuration_offers_can_be_made() -> None:
    assert set(LINK_FACTORIES) == {"znp", "bellows", "modbus", "feig"}


def test_paths_are_those_of_the_settings(settings: GatewaySettings) -> None:
    assert Path(settings.zigbee.path).is_absolute()
