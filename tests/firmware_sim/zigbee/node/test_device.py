"""How a device answers ZCL frames and what it remembers."""

import pytest

from firmware_sim.zigbee import zcl
from firmware_sim.zigbee.node.device import Binding
from firmware_sim.zigbee.node.models import AC, CURTAIN, IDENTIFY, MANUFACTURER_CODE, OTA, TEMPERATURE, TH, THERMOSTAT
from firmware_sim.zigbee.node.reporting import Rule
from tests.support.zigbee import COORDINATOR, Air


@pytest.fixture
def air():
    return Air(TH)


def test_a_client_cluster_has_no_server_side(air):
    assert air.ask(OTA, "00 07 00 02 00") == "18 07 0b 00 c3"


def test_a_default_response_is_owed_unless_waived(air):
    assert air.ask(IDENTIFY, "01 05 00 0A 00") == "18 05 0b 00 00"
    assert air.ask(IDENTIFY, "11 05 00 0A 00") is None


def test_errors_are_answered_even_when_waived(air):
    assert air.ask(IDENTIFY, "11 05 77") == "18 05 0b 77 81"
    assert air.ask(0x0006, "11 05 01") == "18 05 0b 01 c3"
    assert air.ask(IDENTIFY, "01 05 00 0A") == "18 05 0b 00 80"
    assert air.ask(TEMPERATURE, "10 05 00 00") == "18 05 0b 00 80"
    assert air.ask(TEMPERATURE, "10 05 22") == "18 05 0b 22 81"


def test_a_manufacturers_own_things_are_unknown_here(air):
    assert air.ask(0x0000, "04 5F 11 09 00 04 00") == "1c 5f 11 09 01 04 00 86"
    assert air.ask(IDENTIFY, "05 5F 11 09 00 0A 00") == "1c 5f 11 09 0b 00 84"


@pytest.mark.parametrize("frame", ["18 01 0B 0A 00", "00 01 0B 0A 00", "18", "", "02 01 00"])
def test_responses_and_scraps_are_not_answered(air, frame):
    assert air.ask(TEMPERATURE, frame) is None


def test_a_broadcast_is_obeyed_but_not_answered(air):
    assert air.ask(IDENTIFY, "01 05 00 0A 00", broadcast=True) is None
    assert air.device.number((IDENTIFY, 0)) == 10


def test_identifying_is_told_and_ends(air):
    assert air.ask(IDENTIFY, "01 06 01") == "18 06 0b 01 00"
    air.ask(IDENTIFY, "01 05 00 02 00")
    assert air.ask(IDENTIFY, "01 06 01") == "19 06 00 02 00"
    air.device.sample()
    air.device.sample()
    assert air.device.number((IDENTIFY, 0)) == 0


def test_reports_go_only_to_a_bound_coordinator(air):
    air.device.reporter.configure((TEMPERATURE, 0), Rule(zcl.INT16, 0, 60, 1))
    air.device.set((TEMPERATURE, 0), 2451)
    assert air.sent == []
    air.device.bindings.append(Binding(TEMPERATURE, 1, bytes(8), 1))
    air.device.bindings.append(Binding(TEMPERATURE, 1, COORDINATOR, 2))
    air.device.reporter.configure((TEMPERATURE, 0), Rule(zcl.INT16, 0, 60, 1))
    air.device.set((TEMPERATURE, 0), 2452)
    assert [(cluster, endpoint) for cluster, endpoint, _ in air.sent] == [(TEMPERATURE, 2)]
    assert air.sent[0][2][2:].hex(" ") == "0a 00 00 29 94 09"


def test_the_node_descriptor_names_role_and_manufacturer():
    end_device, router = Air(TH).device.node_descriptor(), Air(CURTAIN).device.node_descriptor()
    assert (len(end_device), end_device[0] & 7, router[0] & 7) == (13, 2, 1)
    assert int.from_bytes(router[3:5], "little") == MANUFACTURER_CODE
    assert MANUFACTURER_CODE not in (0, 0x1002, 0x120B)


def test_the_simple_descriptor_lists_clusters(air):
    descriptor = air.device.simple_descriptor(1).hex(" ")
    assert descriptor == "01 04 01 02 03 01 04 00 00 03 00 02 04 05 04 01 19 00"
    assert air.device.simple_descriptor(2) is None


def test_memory_survives_a_power_cut():
    old = Air(AC)
    old.ask(THERMOSTAT, "00 01 02 1C 00 30 03 11 00 29 60 09")
    old.ask(THERMOSTAT, "00 01 06 00 00 00 29 05 00 58 02 14 00")
    old.device.nwk, old.device.membership = 0x1234, "net"
    old.device.bindings.append(Binding(THERMOSTAT, 1, COORDINATOR, 1))
    new = Air(AC)
    new.device.restore(old.device.snapshot())
    assert new.device.snapshot() == old.device.snapshot()
    assert new.device.number((THERMOSTAT, 0x11)) == 2400
    assert new.device.bindings == old.device.bindings
    assert new.device.reporter.rules == {(THERMOSTAT, 0): Rule(zcl.INT16, 5, 600, 20)}


def test_leaving_forgets_network_bindings_and_reporting(air):
    air.device.nwk, air.device.membership = 0x1234, "net"
    air.device.bindings.append(Binding(TEMPERATURE, 1, COORDINATOR, 1))
    air.device.reporter.configure((TEMPERATURE, 0), Rule(zcl.INT16, 0, 60, 1))
    air.device.forget_network()
    assert (air.device.nwk, air.device.membership, air.device.bindings, air.device.reporter.rules) == (
        None,
        None,
        [],
        {},
    )
