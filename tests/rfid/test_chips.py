"""Layouts by UID prefix."""

from rfid.chips import Layout, assumed_layout


def test_known_prefixes_have_their_layout_and_others_the_smallest() -> None:
    assert assumed_layout("E0040150A1B2C3D4") == Layout(28, 4)
    assert assumed_layout("E007000000000001") == Layout(64, 4)
    assert assumed_layout("E016000000000001") == Layout(8, 4)
