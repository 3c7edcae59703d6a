"""Who acts through which door."""

import pytest

from server.lending.occasion import Channel
from server.rehearse.commands.table import COMMANDS
from server.rehearse.doors import OF_A_READER, OF_A_TERMINAL, Door, door_of


@pytest.mark.parametrize(
    ("actor", "door"),
    [
        ("desk", Door(Channel.DESK, "user:desk")),
        ("desk:anna", Door(Channel.DESK, "user:anna")),
        ("Anna Berg", Door(Channel.DESK, "user:Anna Berg")),
        ("desk@north", Door(Channel.DESK, "user:desk", branch="north")),
        ("kiosk", Door(Channel.KIOSK, "machine:kiosk")),
        ("kiosk-2", Door(Channel.KIOSK, "machine:kiosk-2")),
        ("sip2", Door(Channel.SIP2, "sip2:terminal")),
        ("sip2:hall", Door(Channel.SIP2, "sip2:hall")),
        ("sip2-2", Door(Channel.SIP2, "sip2:sip2-2")),
        ("terminal-3", Door(Channel.SIP2, "sip2:terminal-3")),
        ("book-drop", Door(Channel.SIP2, "sip2:book-drop")),
        ("Self-check 1", Door(Channel.KIOSK, "machine:Self-check 1")),
        ("self", Door(Channel.READER, "card")),
        ("reader", Door(Channel.READER, "card")),
        ("reader:P1", Door(Channel.READER, "card:P1", "P1")),
        ("P1", Door(Channel.READER, "card:P1", "P1")),
        ("P1@north", Door(Channel.READER, "card:P1", "P1", "north")),
        ("nightly", Door(Channel.DESK, "nightly")),
        ("replay", Door(Channel.REPLAY, "machine:kiosk")),
    ],
)
def test_an_actor_comes_through_a_door(actor: str, door: Door) -> None:
    assert door_of(actor, {"P1"}) == door


def test_the_desk_may_everything_and_others_what_their_door_is_for() -> None:
    assert all(door_of("desk", ()).allows(cmd) for cmd in COMMANDS)
    assert {cmd for cmd in COMMANDS if door_of("reader", ()).allows(cmd)} == OF_A_READER
    assert {cmd for cmd in COMMANDS if door_of("sip2", ()).allows(cmd)} == OF_A_TERMINAL
    assert not door_of("kiosk", ()).allows("waive")
    assert {cmd for cmd in COMMANDS if door_of("nightly", ()).allows(cmd)} == {"nightly"}
