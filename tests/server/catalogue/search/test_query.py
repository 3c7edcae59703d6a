"""What a search looks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.search.query import MAX_TERM_LENGTH, MAX_TERMS, MAX_UNITS, Query, Term, parse


def term(text: str, field: str | None = None) -> Term:
    """`a b*` as a term."""
    return Term(tuple(text.removesuffix("*").split()), prefix=text.endswith("*"), field=field)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("红楼梦 曹", [term("红 楼 梦"), term("曹")]),
        ("紅樓夢", [term("红 楼 梦")]),
        ("pride prej", [term("pride*"), term("prej*")]),
        ("a", [term("a")]),
        ("C语言", [term("c 语 言")]),
        ('"the sea"', [term("the sea")]),
        ("“the sea", [term("the sea")]),
        ("《红楼梦》", [term("红 楼 梦")]),
        ("author:austen", [term("austen*", "author")]),
        ('TITLE:"the sea"', [term("the sea", "title")]),
        ("題名：紅樓", [term("红 楼", "title")]),
        ("作者:鲁迅 主题:小说", [term("鲁 迅", "author"), term("小 说", "subject")]),
        ("title: sea", [term("title*"), term("sea*")]),
        ("http://x.org", [term("http x org*")]),
        ("9787020002207", [term("9787020002207", "other")]),
        ("ISBN 978-7-02-000220-7", [term("9787020002207", "other")]),
        ("ISBN-13: 978-7-02-000220-7", [term("9787020002207", "other")]),
        ("978-7-02-000220-7（平装）：CNY39.00", [term("9787020002207", "other")]),
        ("isbn 702000220x (pbk.)", [term("702000220x", "other")]),
        ("ISBN(10) 7-02-000220-X", [term("702000220x", "other")]),
        ("urn:isbn:9787020002207", [term("9787020002207", "other")]),
        ("ISBN 1034567890", [term("1034567890", "other")]),
        ("978 7 02 000220 7", [term("9787020002207", "other")]),
        ("7‑02‑000220‑X", [term("702000220x", "other")]),
        ("红楼梦 7-02-000220-X", [term("红 楼 梦"), term("702000220x")]),
        ("isbn:702000220X", [term("702000220x", "other")]),
        ("978-7-02", [term("978702*")]),
        ("978-7-", [term("9787*")]),
        ("7-02-000", [term("702000*")]),
        ("986-133-4", [term("9861334*")]),
        ("7-11 24-7 2001-05-12", [term("7 11*"), term("24 7"), term("2001 05 12*")]),
        ("1914-1918", [term("1914 1918*")]),
        ("I247.57/12", [term("i247 57 12*")]),
        ("I247.5 TP3-0", [term("i247 5*"), term("tp3 0*")]),
        ("a.b 5 o'b v.5", [term("a b"), term("5"), term("o b"), term("v 5")]),
        ("sea sea", [term("sea*")]),
        ("% _ ' --", []),
        ("  \t\x00 ", []),
    ],
)
def test_a_query_is_its_terms(query: str, terms: list[Term]) -> None:
    assert list(parse(query).terms) == terms


@pytest.mark.parametrize(("query", "asked"), [("", False), (" \n\x00", False), ("%", True), ("红", True)])
def test_nothing_is_not_the_same_as_nothing_that_can_be_found(query: str, asked: bool) -> None:
    assert parse(query).asked is asked


@given(st.text(max_size=400) | st.text(alphabet="红\"《:( )*^'-aé author", max_size=400))
def test_any_query_becomes_few_short_terms(query: str) -> None:
    found = parse(query)
    assert len(found.terms) <= MAX_TERMS
    assert all(term.words and sum(map(len, term.words)) <= 4 * MAX_TERM_LENGTH for term in found.terms)
    assert len(found.units) <= MAX_UNITS


def test_a_long_quotation_is_cut_and_left_open() -> None:
    (found,) = parse('"' + "abcdefg " * 20 + '"').terms
    assert found.prefix
    assert len(" ".join(found.words)) <= MAX_TERM_LENGTH


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("红楼梦学刊", [term("红 楼"), term("楼 梦"), term("梦 学"), term("学 刊")]),
        ("红楼梦学刊 曹", [term("红 楼"), term("楼 梦"), term("梦 学"), term("学 刊"), term("曹")]),
        ("pride prejudice", [term("pride*"), term("prejudice*")]),
        ("pride", []),
        ("红楼梦", []),
    ],
)
def test_a_near_match_has_some_of_these(query: str, units: list[Term]) -> None:
    assert list(parse(query).units) == units


def test_only_words_that_a_title_may_hold_make_it_an_exact_title() -> None:
    found = parse("author:austen title:pride and")
    assert found.title == "pride and"
    assert Query((), asked=False).title == ""
