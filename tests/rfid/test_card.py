"""Patron cards among tags."""

import pytest

from rfid.card import card_number, is_card
from rfid.iso28560.model import Decoded, Model, Status


@pytest.mark.parametrize(
    ("usage", "status", "number"),
    [
        ("80", Status.OK, "90000001"),
        ("83", Status.OK, "90000001"),
        ("8", Status.OK, "90000001"),
        ("10", Status.OK, None),
        (None, Status.OK, None),
        ("80", Status.CORRUPT, None),
    ],
)
def test_usage_class_eight_is_a_card(usage: str | None, status: Status, number: str | None) -> None:
    tag = Decoded(Model.ISO28560_2, status, pii="90000001", usage=usage)
    assert card_number(tag) == number
    assert is_card(tag) == (usage is not None and usage[0] == "8")
