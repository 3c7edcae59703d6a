"""Structures in NV memory, judged by the structures that zigpy-znp has for them."""

import random

import pytest
import zigpy_znp.types as t
from zigpy_znp.znp.security import compute_key

from firmware_sim.zigbee.mt import layouts
from firmware_sim.zigbee.mt.nv import Nv, entry
from firmware_sim.zigbee.octets import ieee_octets
from tests.support.zigbee import COORDINATOR

DEVICE = ieee_octets("02:ca:77:e1:00:00:00:06")
NETWORK = layouts.Network(
    channel=20,
    channel_mask=1 << 15 | 1 << 20,
    pan=0x1A62,
    ext_pan=bytes(range(1, 9)),
    key=bytes(range(16)),
    update_id=3,
)


@pytest.fixture
def nv():
    nv = Nv(None)
    layouts.ensure_defaults(nv, random.Random(1), COORDINATOR, places=80)
    return nv


def test_a_blank_memory_has_tables_but_no_network(nv):
    assert layouts.read_network(nv) is None
    assert [len(nv.table(number)) for number in (1, 4, 6, 7)] == [80, 80, 10, 4]
    assert [len(nv.get(key)) for key in (layouts.NWKKEY, layouts.APS_LINK_KEYS, layouts.TCLK_SEED)] == [24, 62, 16]


def test_a_network_is_read_as_it_was_written(nv):
    layouts.write_network(nv, NETWORK)
    assert layouts.read_network(nv) == NETWORK


def test_the_nib_has_the_aligned_layout(nv):
    layouts.write_network(nv, NETWORK)
    nib, rest = t.NIB.deserialize(nv.get(layouts.NIB), align=True)
    assert rest == b""
    assert (nib.nwkLogicalChannel, nib.nwkPanId, nib.nwkUpdateId) == (20, 0x1A62, 3)
    assert (nib.extendedPANID.serialize(), nib.nwkCoordExtAddress.serialize()) == (NETWORK.ext_pan, COORDINATOR)
    assert int(nib.channelList) == NETWORK.channel_mask
    assert nib.nwkKeyLoaded
    assert (nib.SecurityLevel, nib.nwkProtocolVersion, nib.nwkManagerAddr) == (5, 2, 0)


def test_a_move_to_another_channel_is_kept(nv):
    layouts.write_network(nv, NETWORK)
    moved = layouts.move_channel(nv, NETWORK, 25)
    assert (moved.channel, moved.update_id) == (25, 4)
    assert layouts.read_network(nv) == moved


@pytest.mark.parametrize("option", [1, 2, 3])
def test_startup_option_clears_what_it_says_and_itself(nv, option):
    layouts.write_network(nv, NETWORK)
    nv.put(layouts.CHANLIST, b"\x00\x80\x00\x00")
    nv.put(layouts.STARTUP_OPTION, bytes((option,)))
    layouts.apply_startup_option(nv)
    layouts.ensure_defaults(nv, random.Random(1), COORDINATOR, places=80)
    assert (layouts.read_network(nv) is None) == bool(option & 2)
    assert (nv.get(layouts.CHANLIST) != b"\x00\x80\x00\x00") == bool(option & 1)
    assert nv.get(layouts.STARTUP_OPTION) == b"\x00"


def test_a_device_enters_address_manager_and_key_table_once(nv):
    for nwk in (0x1234, 0x5678):
        layouts.remember_device(nv, DEVICE, nwk, child=True, shift=5)
    address, _ = t.AddrMgrEntry.deserialize(nv.get(entry(1, 0)), align=True)
    assert (address.type, address.nwkAddr, address.extAddr.serialize()) == (3, 0x5678, DEVICE)
    key, _ = t.TCLKDevEntry.deserialize(nv.get(entry(4, 0)), align=True)
    assert (key.extAddr.serialize(), key.SeedShift_IcIndex) == (DEVICE, 5)
    seed = t.KeyData(nv.get(layouts.TCLK_SEED))
    assert len(compute_key(key.extAddr, seed, key.SeedShift_IcIndex)) == 16
    assert [nv.get(entry(table, 1))[:1] for table in (1, 4)] == [b"\xff", b"\x00"]
    layouts.forget_device(nv, DEVICE)
    assert not any(DEVICE in data for table in (1, 4) for data in nv.table(table))


def test_a_full_table_takes_no_more(nv):
    for number in range(layouts.places(12) + 1):
        layouts.remember_device(nv, number.to_bytes(8, "big"), number + 1, child=False, shift=0)
    assert len(nv.table(1)) == layouts.places(12)


def test_frame_counters_run_ahead_of_those_in_use(nv):
    layouts.write_network(nv, NETWORK)
    layouts.advance_frame_counters(nv, NETWORK.ext_pan)
    counters = [int.from_bytes(data[:4], "little") for data in nv.table(7)]
    assert counters == [1250, 0, 0, 1250]
