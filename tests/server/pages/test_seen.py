"""What a form means when somebody else has saved meanwhile."""

import pytest

from server.pages import seen

SHOWN = {"name": "Ann", "note": "one\ntwo", "tick": ""}


@pytest.mark.parametrize(
    ("sent", "now", "texts", "clashes"),
    [
        ({}, {}, {}, ()),
        ({"name": "Eve"}, {}, {"name": "Eve"}, ()),
        ({}, {"name": "Zoe"}, {"name": "Zoe"}, ()),
        ({"name": "Eve"}, {"note": "three"}, {"name": "Eve", "note": "three"}, ()),
        ({"name": "Eve"}, {"name": "Zoe"}, {"name": "Eve"}, ("name",)),
        ({"name": "Eve"}, {"name": "Eve"}, {"name": "Eve"}, ()),
        ({"note": " one\r\ntwo\r\n"}, {"note": "three"}, {"note": "three"}, ()),
        ({"tick": "on"}, {"tick": "on"}, {"tick": "on"}, ()),
    ],
)
def test_only_what_a_form_has_changed_counts(
    sent: dict[str, str], now: dict[str, str], texts: dict[str, str], clashes: tuple[str, ...]
) -> None:
    merged = seen.merge(SHOWN | sent, seen.mark(SHOWN), SHOWN | now)
    assert (merged.texts, merged.clashes) == (SHOWN | texts, clashes)
    assert set(merged.errors) == set(clashes)


def test_a_field_that_was_not_shown_stays() -> None:
    assert seen.merge({"new": ""}, seen.mark(SHOWN), {"new": "theirs"}).texts == {"new": "theirs"}


def test_without_a_mark_everything_counts_as_sent() -> None:
    assert seen.merge({"name": "Eve"}, None, {"name": "Zoe"}) == seen.Merged({"name": "Eve"})


def test_a_mark_that_is_none_changes_nothing() -> None:
    assert seen.merge({"name": "Eve"}, "?? name", SHOWN).texts == {"name": "Ann"}
