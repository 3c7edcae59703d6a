"""What a search looks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.policy import index_text, normalise, terms_of


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Les  Misérables", "les miserables"),
        ("ＡＢＣ１２３", "abc123"),
        ("Straße", "strasse"),
        ("红楼梦", "红楼梦"),
        ("a\x00b\tc\n", "a b c"),
        ("", ""),
    ],
)
def test_width_case_and_accents_do_not_matter(text: str, normal: str) -> None:
    assert normalise(text) == normal


def test_an_isbn_is_found_with_and_without_hyphens() -> None:
    assert terms_of("978-0-14-143951-8") == terms_of("9780141439518") == ["9780141439518"]
    assert index_text("", "0-8044-2957-X") == "080442957x"


@given(st.text(max_size=2000))
def test_any_query_becomes_few_short_clean_terms(query: str) -> None:
    terms = terms_of(query)
    assert len(terms) <= 12
    assert all(0 < len(term) <= 64 and "\x00" not in term and term == "".join(term.split()) for term in terms)


@given(st.text(max_size=60))
def test_normal_text_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
