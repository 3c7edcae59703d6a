"""How terms and documents are written for each database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.search import postgresql, sqlite
from server.catalogue.search.query import parse
from server.catalogue.search.text import BETWEEN


@pytest.mark.parametrize(
    ("query", "fts5", "tsquery"),
    [
        ("pride", '"pride" *', "('pride':*)"),
        ('"the sea" 红', '"the sea" AND "红"', "('the' <1> 'sea') & ('红')"),
        ("红楼", '"红 楼"', "('红楼')"),
        ("红楼梦", '"红 楼 梦"', "('红楼' <1> '楼梦')"),
        ("c语言x", '"c 语 言 x"', "('c' <1> '语言' <2> 'x')"),
        ("author:bo 主题:天文", 'author : "bo" * AND subject : "天 文"', "('bo':*B) & ('天文':C)"),
    ],
)
def test_terms_are_quoted(query: str, fts5: str, tsquery: str) -> None:
    terms = parse(query).terms
    assert sqlite.expression(terms) == fts5
    assert postgresql.expression(terms) == tsquery


@given(st.text(max_size=100))
def test_nothing_leaves_its_quotes(query: str) -> None:
    terms = parse(query).terms
    assert sqlite.expression(terms).count('"') == 2 * len(terms)
    assert postgresql.expression(terms).count("'") % 2 == 0


def test_a_vector_tells_words_pairs_places_and_fields() -> None:
    document = {"title": f"{BETWEEN} 红 楼 {BETWEEN} red {BETWEEN}", "author": "red", "subject": "", "other": "x"}
    assert postgresql.vector(document) == "'红':2A '红楼':2A '楼':3A 'red':5A,8B 'x':11D"


def test_a_vector_keeps_to_what_the_database_can_hold() -> None:
    document = {"title": "一 " * 20_000, "author": "x", "subject": "", "other": ""}
    places = postgresql.vector(document)
    assert places.count(",") == 2 * (postgresql.MOST_POSITIONS - 1)
    assert "'x'" not in places
