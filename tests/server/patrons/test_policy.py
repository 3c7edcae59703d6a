"""Shown names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.patrons.policy import shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张伟", "张*"),
        ("欧阳 修", "欧*"),
        ("Lena Weber", "L. W."),
        ("oliver stone reed", "O. S. R."),
        ("Plato", "P."),
        ("A B C D E", "A. B. C."),
        ("Émile Zola", "É. Z."),
        ("  ", "*"),
        ("", "*"),
    ],
)
def test_a_kiosk_shows_a_surname_or_initials(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text(max_size=80))
def test_a_shown_name_is_short_whatever_the_name(name: str) -> None:
    assert len(shown_name(name)) <= 15
