"""What faults do to a device's bytes."""

import random

import pytest

from firmware_sim.faults import LinkFaults


def test_healthy_link_changes_nothing() -> None:
    assert LinkFaults(random.Random(1)).outgoing(b"abc") == b"abc"


def test_silence_swallows_and_counts() -> None:
    faults = LinkFaults(random.Random(1), mode="silence")
    assert faults.outgoing(b"abc") == b""
    assert faults.lost == 1


def test_garbage_never_lets_an_answer_through_whole() -> None:
    faults = LinkFaults(random.Random(1), mode="garbage")
    answer = bytes(range(40))
    spoilt = [faults.outgoing(answer) for _ in range(300)]
    assert all(answer not in one for one in spoilt)
    assert len(set(map(len, spoilt))) > 3


def test_garbage_of_a_single_byte_and_of_nothing_is_made() -> None:
    faults = LinkFaults(random.Random(1), mode="garbage")
    assert faults.outgoing(b"a") != b"a"
    faults.outgoing(b"")


def test_drop_and_duplicate_are_shares_of_the_sends() -> None:
    faults = LinkFaults(random.Random(1), drop=0.5, duplicate=0.5)
    seen = [faults.outgoing(b"x") for _ in range(400)]
    assert 150 < seen.count(b"") < 250
    assert 60 < seen.count(b"xx") < 140


def test_clear_heals_everything() -> None:
    faults = LinkFaults(random.Random(1), mode="garbage", drop=1.0, duplicate=1.0, delay_s=1.0)
    faults.clear()
    assert faults.outgoing(b"abc") == b"abc"
    assert faults.delay_s == 0


def test_unknown_mode_names_the_modes() -> None:
    with pytest.raises(ValueError, match="none, unplug, silence, garbage"):
        LinkFaults(random.Random(1)).set_mode("fire")
