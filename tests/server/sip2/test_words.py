"""What a terminal shows: lines that fit, in the patron's language, in the terminal's own words if it has any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.web.words import REFUSALS
from server.sip2 import words
from tests.support.sip2 import profile


@given(st.text(st.characters(blacklist_categories=("Cc", "Cs")), max_size=300))
def test_every_line_fits_and_nothing_is_lost(text: str) -> None:
    lines = words.lines(text)
    wordless = "".join(text.split())
    assert "".join("".join(lines).split()) == wordless
    if all(len(word) <= 20 for word in text.split()):
        assert all(words.cells(line) <= words.LINE_CELLS for line in lines)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_has_words_in_both_languages(language: str) -> None:
    for code in (*words.SPOKEN, *REFUSALS):
        assert all(
            words.cells(line) <= words.LINE_CELLS
            for line in words.say(profile(), language, code)
            if code in words.SPOKEN
        )
    assert words.say(profile(), "zh-CN", "lent") == ("借书成功",)
    assert words.say(profile(), "en", "lent") == ("Borrowed.",)


def test_a_terminal_may_have_its_own_words() -> None:
    own = profile(messages={"lent": "Enjoy your book!"})
    assert words.say(own, "en", "lent") == ("Enjoy your book!",)
    assert words.say(own, "en", "renewed") == ("Renewed.",)


def test_a_code_nobody_knows_is_shown_as_it_is() -> None:
    assert "(some_new_code)" in " ".join(words.say(profile(), "en", "some_new_code"))
