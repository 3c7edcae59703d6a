"""What counts as card, item or problem on a pad."""

import pytest

from gateway.stations.pad_state import PadItem, PadProblem, PadProblemCode, PadState, judge
from rfid.iso28560.model import Decoded, Model, Status
from rfid.reader import TagError, TagFault

OURS = "CN-000001-DEMO"


def tag(
    pii: str | None = "30000001",
    *,
    status: Status = Status.OK,
    owner: str | None = OURS,
    usage: str | None = "10",
    part: int | None = None,
) -> Decoded:
    parts = None if part is None else 3
    return Decoded(Model.ISO28560_2, status, pii=pii, owner=owner, usage=usage, set_parts=parts, set_part=part)


def card(number: str = "90000001", *, owner: str | None = OURS) -> Decoded:
    return tag(number, usage="80", owner=owner)


def test_a_card_and_items_are_told_apart_by_their_usage() -> None:
    state = judge({"A": tag("30000001"), "B": card(), "C": tag("30000002", part=2)}, OURS)
    assert state == PadState(
        card="90000001",
        items=(PadItem("A", "30000001", "10"), PadItem("C", "30000002", "10", set_parts=3, set_part=2)),
        online=True,
    )


@pytest.mark.parametrize(
    ("content", "code", "barcode"),
    [
        (TagError(TagFault.GONE), PadProblemCode.UNREADABLE, None),
        (tag(None, status=Status.UNKNOWN), PadProblemCode.UNREADABLE, None),
        (tag(None, status=Status.BLANK), PadProblemCode.BLANK, None),
        (tag(status=Status.CORRUPT), PadProblemCode.DAMAGED, "30000001"),
        (tag(None, status=Status.TORN), PadProblemCode.DAMAGED, None),
        (tag(status=Status.FOREIGN, owner=None), PadProblemCode.UNKNOWN_OWNER, "30000001"),
        (tag(owner=None), PadProblemCode.UNKNOWN_OWNER, "30000001"),
        (tag(owner="XX-1"), PadProblemCode.FOREIGN_ITEM, "30000001"),
        (card(owner="XX-1"), PadProblemCode.FOREIGN_CARD, "90000001"),
        (tag(usage="80", status=Status.CORRUPT), PadProblemCode.DAMAGED, "30000001"),
    ],
)
def test_a_tag_that_must_not_be_lent_is_a_problem_and_nothing_else(
    content: Decoded | TagError, code: PadProblemCode, barcode: str | None
) -> None:
    state = judge({"A": content, "B": tag("30000002")}, OURS)
    assert state.problems == (PadProblem("A", code, barcode),)
    assert (state.card, [item.barcode for item in state.items]) == (None, ["30000002"])


def test_a_card_need_not_name_a_library() -> None:
    assert judge({"A": card(owner=None)}, OURS).card == "90000001"


def test_two_cards_are_no_card() -> None:
    state = judge({"A": card("90000001"), "B": card("90000002")}, OURS)
    assert state.card is None
    assert [problem.code for problem in state.problems] == [PadProblemCode.TWO_CARDS] * 2


def test_two_tags_of_one_item_block_both() -> None:
    state = judge({"A": tag("30000001"), "B": tag("30000001"), "C": tag("30000002")}, OURS)
    assert [item.uid for item in state.items] == ["C"]
    assert [(problem.uid, problem.code) for problem in state.problems] == [
        ("A", PadProblemCode.DUPLICATE),
        ("B", PadProblemCode.DUPLICATE),
    ]


def test_parts_of_one_set_are_no_duplicates() -> None:
    state = judge({"A": tag("30000001", part=1), "B": tag("30000001", part=2)}, OURS)
    assert [item.set_part for item in state.items] == [1, 2]
    assert state.problems == ()
