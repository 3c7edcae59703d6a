import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import ProtocolError
from devices.modbus.map import MODULE_MAPS, Block, Space, changed_inputs, coil_runs, decode, named

ADAM = MODULE_MAPS["adam-4150"]
NAMES = {"smoke": 0, "flame": 1}


def test_one_read_of_an_adam_holds_all_inputs_and_outputs() -> None:
    bits = [False] * 24
    bits[0] = bits[2] = bits[16] = True  # the worked frame 01 01 03 05 00 01: DI0, DI2 and DO0 on
    image = decode(ADAM, {ADAM.polls[0]: bits})
    assert image.inputs == (True, False, True, False, False, False, False)
    assert image.outputs == (True, *[False] * 7)


@pytest.mark.parametrize("name", ["waveshare-io8", "ebyte"])
def test_modules_with_two_blocks_take_inputs_and_outputs_from_their_own(name: str) -> None:
    module = MODULE_MAPS[name]
    inputs, outputs = module.polls
    count = inputs.count
    image = decode(module, {inputs: [True] * count, outputs: [False] * count})
    assert (image.inputs, image.outputs) == ((True,) * count, (False,) * count)


@pytest.mark.parametrize("module", MODULE_MAPS.values(), ids=MODULE_MAPS)
def test_every_map_polls_all_its_points(module) -> None:
    image = decode(module, {block: [True] * block.count for block in module.polls})
    assert all(image.inputs)
    assert len(image.inputs) == module.inputs.count
    assert all(image.outputs)
    assert len(image.outputs) == module.outputs.count


def test_a_short_answer_is_no_reading() -> None:
    with pytest.raises(ProtocolError, match="8 bits in the answer to a read of 24"):
        decode(ADAM, {ADAM.polls[0]: [True] * 8})


def test_an_answer_about_other_points_is_no_reading() -> None:
    with pytest.raises(ProtocolError, match="no answer covers"):
        decode(ADAM, {Block(Space.DISCRETE, 0, 24): [True] * 24})


def test_everything_is_news_when_nothing_was_known() -> None:
    assert changed_inputs(None, (True, False), NAMES) == {"smoke": True, "flame": False}


def test_only_named_inputs_that_differ_are_news() -> None:
    assert changed_inputs((True, False, True), (False, False, False), NAMES) == {"smoke": False}


def test_points_are_told_by_name() -> None:
    assert named((True, False), NAMES) == {"smoke": True, "flame": False}


def test_neighbouring_outputs_go_in_one_write() -> None:
    assert coil_runs({2: True, 0: True, 1: False}, None) == [(0, [True, False, True])]


def test_a_gap_is_filled_with_what_is_known_so_that_all_act_together() -> None:
    assert coil_runs({0: True, 3: True}, [False, True, False, False]) == [(0, [True, True, False, True])]


def test_a_gap_splits_the_write_while_nothing_is_known() -> None:
    assert coil_runs({0: True, 3: False}, None) == [(0, [True]), (3, [False])]


@given(st.dictionaries(st.integers(0, 7), st.booleans(), min_size=1), st.lists(st.booleans(), min_size=8, max_size=8))
def test_a_write_changes_the_wanted_outputs_and_no_other(wanted: dict[int, bool], known: list[bool]) -> None:
    after = list(known)
    for first, states in coil_runs(wanted, known):
        after[first : first + len(states)] = states
    assert after == [wanted.get(number, state) for number, state in enumerate(known)]
    assert len(coil_runs(wanted, known)) == 1
