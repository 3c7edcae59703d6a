"""The chain: what is sealed cannot be changed, removed, replaced or cut off unseen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.audit.policy import canonical, seal, verify
from server.audit.values import FIRST, Entry, Sealed

AT = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)


def entry(number: int) -> Entry:
    return Entry("user:librarian", "patron.edit", f"patron:{number}", AT + timedelta(seconds=number), '{"a":1}')


def after(before: Sealed | None, added: Entry) -> Sealed:
    seq, prev = (before.seq + 1, before.hash) if before else (1, FIRST)
    return Sealed(seq, added, prev, seal(seq, added, prev))


def chain(length: int) -> list[Sealed]:
    rows: list[Sealed] = []
    for number in range(1, length + 1):
        rows.append(after(rows[-1] if rows else None, entry(number)))
    return rows


def test_a_whole_chain_is_in_order() -> None:
    verdict = verify(chain(5))
    assert (verdict.checked, verdict.broken) == (5, None)


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "user:somebody"}, {"action": "patron.block"}, {"target": "patron:99"},
        {"at": AT + timedelta(days=1)}, {"detail": '{"a":2}'},
    ],
)  # fmt: skip
def test_a_changed_row_is_found_and_named(change: dict) -> None:
    rows = chain(5)
    rows[2] = replace(rows[2], entry=rows[2].entry._replace(**change))
    verdict = verify(rows)
    assert (verdict.checked, verdict.code) == (2, "changed")
    assert "row 3" in str(verdict.broken)
    assert "changed" in str(verdict.broken)


def test_a_removed_row_is_found() -> None:
    rows = chain(5)
    del rows[2]
    assert verify(rows).broken == "row 3 is missing: after row 2 comes row 4, so rows were removed"
    assert verify(rows).code == "removed"


def test_the_first_row_cannot_be_removed_either() -> None:
    assert "row 1 is missing" in str(verify(chain(3)[1:]).broken)


def test_a_row_sealed_anew_does_not_fit_the_next() -> None:
    rows = chain(5)
    rows[2] = after(rows[1], rows[2].entry._replace(actor="user:other"))
    verdict = verify(rows)
    assert (verdict.checked, verdict.broken) == (3, "row 4 does not follow row 3: one of the two was replaced")
    assert verdict.code == "replaced"


def test_a_noted_row_shows_that_the_end_was_cut_off_or_replaced() -> None:
    rows = chain(5)
    noted = f"5:{rows[-1].hash}"
    assert verify(rows, noted).broken is None
    assert "its end was replaced" in str(verify(rows[:4], noted).broken)
    assert verify(rows[:4], noted).code == "cut"
    other = after(rows[3], entry(5)._replace(actor="user:other"))
    assert verify([*rows[:4], other]).broken is None
    assert verify([*rows[:4], other], noted).broken is not None


def test_the_zone_of_an_instant_does_not_matter() -> None:
    there = entry(1)._replace(at=entry(1).at.astimezone(timezone(timedelta(hours=8))))
    assert after(None, there).hash == chain(1)[0].hash


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8) | st.none() | st.booleans()))
def test_one_meaning_has_one_text(detail: dict) -> None:
    assert canonical(detail) == canonical(dict(reversed(detail.items())))


@given(st.lists(st.text(max_size=12), min_size=2, max_size=2, unique=True))
def test_different_entries_have_different_seals(names: list[str]) -> None:
    one, other = (seal(1, entry(1)._replace(actor=name), FIRST) for name in names)
    assert one != other
