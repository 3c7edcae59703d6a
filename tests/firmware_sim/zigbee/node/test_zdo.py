"""What a node tells of itself."""

import pytest

from firmware_sim.zigbee.node import zdo
from firmware_sim.zigbee.node.device import Binding
from firmware_sim.zigbee.node.models import CURTAIN, TH
from tests.support.zigbee import COORDINATOR, Air

TO_COORDINATOR = b"\x03" + COORDINATOR + b"\x01"


@pytest.fixture
def node():
    device = Air(TH).device
    device.nwk = 0x1234
    return device


def test_addresses_are_told_to_who_asks_for_this_node(node):
    assert zdo.answer(node, zdo.NWK_ADDR, node.ieee + b"\x00\x00") == b"\x00" + node.ieee + b"\x34\x12"
    assert zdo.answer(node, zdo.NWK_ADDR, COORDINATOR + b"\x00\x00") is None
    assert zdo.answer(node, zdo.IEEE_ADDR, b"\x34\x12\x01\x00") == b"\x00" + node.ieee + b"\x34\x12\x00\x00"


def test_descriptors_are_told(node):
    assert zdo.answer(node, zdo.NODE_DESC, b"\x34\x12") == b"\x00\x34\x12" + node.node_descriptor()
    assert zdo.answer(node, zdo.ACTIVE_EP, b"\x34\x12") == b"\x00\x34\x12\x01\x01"
    simple = zdo.answer(node, zdo.SIMPLE_DESC, b"\x34\x12\x01")
    assert simple == b"\x00\x34\x12" + bytes((len(node.simple_descriptor(1)),)) + node.simple_descriptor(1)


@pytest.mark.parametrize(
    ("cluster", "body", "answer"),
    [
        (zdo.SIMPLE_DESC, "34 12 02", "83 34 12 00"),
        (zdo.SIMPLE_DESC, "34 12 00", "82 34 12 00"),
        (zdo.SIMPLE_DESC, "35 12 01", "81 35 12 00"),
        (zdo.NODE_DESC, "35 12", "81 35 12"),
        (zdo.ACTIVE_EP, "35 12", "81 35 12 00"),
        (zdo.ACTIVE_EP, "34", "80"),
        (zdo.MGMT_LQI, "00", "84"),
        (zdo.MGMT_RTG, "00", "84"),
    ],
)
def test_what_cannot_be_told_gets_a_status(node, cluster, body, answer):
    assert zdo.answer(node, cluster, bytes.fromhex(body)).hex(" ") == answer


def test_a_question_that_no_device_answers_stays_unanswered(node):
    assert zdo.answer(node, 0x0030, b"\x00") is None


def test_bindings_are_made_once_listed_and_removed(node):
    body = node.ieee + b"\x01\x02\x04" + TO_COORDINATOR
    assert zdo.answer(node, zdo.BIND, body) == b"\x00"
    assert zdo.answer(node, zdo.BIND, body) == b"\x00"
    assert node.bindings == [Binding(0x0402, 1, COORDINATOR, 1)]
    assert zdo.answer(node, zdo.MGMT_BIND, b"\x00") == b"\x00\x01\x00\x01" + body
    assert zdo.answer(node, zdo.UNBIND, body) == b"\x00"
    assert zdo.answer(node, zdo.UNBIND, body) == b"\x88"


def test_a_binding_to_a_group_is_kept_as_such(node):
    assert zdo.answer(node, zdo.BIND, node.ieee + b"\x01\x02\x04\x01\x05\x00") == b"\x00"
    assert node.bindings == [Binding(0x0402, 1, b"\x05\x00", None)]
    assert zdo.answer(node, zdo.MGMT_BIND, b"\x00")[4:] == node.ieee + b"\x01\x02\x04\x01\x05\x00"


@pytest.mark.parametrize(
    ("source", "endpoint", "mode", "status"), [(COORDINATOR, 1, 3, 0x80), (None, 9, 3, 0x82), (None, 1, 2, 0x80)]
)
def test_a_wrong_binding_is_refused(node, source, endpoint, mode, status):
    body = (source or node.ieee) + bytes((endpoint, 2, 4, mode)) + TO_COORDINATOR[1:]
    assert zdo.answer(node, zdo.BIND, body) == bytes((status,))


def test_the_binding_table_can_be_full(node):
    statuses = [zdo.answer(node, zdo.BIND, node.ieee + bytes((1, n, 0)) + TO_COORDINATOR)[0] for n in range(33)]
    assert statuses == [0] * 32 + [0x8C]


def test_long_tables_come_in_pages(node):
    for number in range(5):
        zdo.answer(node, zdo.BIND, node.ieee + bytes((1, number, 0)) + TO_COORDINATOR)
    assert zdo.answer(node, zdo.MGMT_BIND, b"\x00")[:4] == bytes((0, 5, 0, 3))
    assert zdo.answer(node, zdo.MGMT_BIND, b"\x03")[:4] == bytes((0, 5, 3, 2))


def test_a_router_names_its_neighbours():
    device = Air(CURTAIN).device
    device.neighbours = lambda: [bytes(22)]
    assert zdo.answer(device, zdo.MGMT_LQI, b"\x00") == b"\x00\x01\x00\x01" + bytes(22)
    assert zdo.answer(device, zdo.MGMT_RTG, b"\x00") == bytes(4)


def test_a_device_leaves_only_when_it_is_meant(node):
    assert zdo.answer(node, zdo.MGMT_LEAVE, node.ieee + b"\x00") == b"\x00"
    assert zdo.answer(node, zdo.MGMT_LEAVE, COORDINATOR + b"\x00") == b"\x81"
