"""Which records a search finds, in which order, on each database."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.catalogue.search import repository
from server.catalogue.search.service import Filters, Listing, Wanted, find
from server.catalogue.service import NewItem, NewRecord
from server.db import Database

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SHELF = (
    NewRecord("红楼梦", "曹雪芹", year="1982", language="zh", call_number="I242.4/1", isbn="7-02-000220-X"),
    NewRecord("紅樓夢研究", "俞平伯", year="民國四十一年 (1952)", language="zh", class_number="I207.411"),
    NewRecord("石头记", "曹雪芹", language="zh", title_alt=("Dream of the Red Chamber", "红楼梦"), year="清"),
    NewRecord("中国古典小说史略", "鲁迅", language="zh", subjects=("红楼梦", "小说史"), class_number="I207.41"),
    NewRecord("Les Misérables", "Victor Hugo", year="[1862]", language="fr", isbn="978-0-14-044430-8"),
    NewRecord("Emma", "Jane Austen", year="1815", language="en", kind="book"),
    NewRecord("Emma and Louisa", "Nobody", language="en", kind="ebook"),
    NewRecord("Dear Emma", "Somebody", language="en"),
    NewRecord("Letters", "Emma Goldman", language="en", author_alt=("Goldman, E.",), publisher="红旗出版社"),
    NewRecord("C++ Primer", "S. Lippman", language="en", class_number="TP312", control_number="ocm123"),
    NewRecord("𠀀字考", "𪚥", language="zh"),
    NewRecord("Letters to Emma, from Jane", "Austen scholars", language="en"),
)


@pytest.fixture
def session(empty_url: str) -> Iterator[Session]:
    """Of a library with the shelf; item n is of record n, those of even records are at the branch `east`."""
    database = Database(make_url(empty_url))
    with database.writing() as writing:
        for number, new in enumerate(SHELF, 1):
            key = catalogue.add_record(writing, new, at=NOW)
            branch = "main" if number % 2 else "east"
            status = "on_shelf" if number % 3 else "missing"
            catalogue.add_item(
                writing, key, NewItem(str(number), branch=branch, call_number=f"X{number}/7", status=status)
            )
    with database.reading() as reading:
        yield reading
    database.close()


def search(session: Session, text: str, limit: int = 100, offset: int = 0, **filters: object) -> Listing:
    return find(session, Wanted(text, limit, offset, Filters(**filters), facets=True))  # type: ignore[arg-type]


def titles(session: Session, text: str, **filters: object) -> list[str]:
    listing = search(session, text, **filters)
    found = catalogue.records_of(session, listing.ids[: listing.exact])
    return [record.title for record in found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("红楼梦", ["红楼梦", "石头记", "紅樓夢研究", "中国古典小说史略"]),
        ("紅樓", ["红楼梦", "紅樓夢研究", "石头记", "中国古典小说史略"]),
        ("楼梦", ["红楼梦", "紅樓夢研究", "石头记", "中国古典小说史略"]),
        ("梦", ["红楼梦", "紅樓夢研究", "石头记", "中国古典小说史略"]),
        ("曹 红楼", ["红楼梦", "石头记"]),
        ("title:红楼梦", ["红楼梦", "石头记", "紅樓夢研究"]),
        ("主题:红楼梦", ["中国古典小说史略"]),
        ("作者:曹雪芹", ["红楼梦", "石头记"]),
        ("红 chamber", ["石头记"]),
        ("chamber red", ["石头记"]),
        ('"chamber red"', []),
        ('"red chamber"', ["石头记"]),
        ("梦dream", []),
        ("MISÉR hugo", ["Les Misérables"]),
        ("ables", []),
        ("emma", ["Emma", "Emma and Louisa", "Dear Emma", "Letters to Emma, from Jane", "Letters"]),
        ("author:emma", ["Letters"]),
        ("emma austen", ["Emma", "Letters to Emma, from Jane"]),
        ("9780140444308", ["Les Misérables"]),
        ("0-14-044430-0", ["Les Misérables"]),
        ("978-7-02-000220-7", ["红楼梦"]),
        ("702000220x", ["红楼梦"]),
        ("isbn:9787020002207", ["红楼梦"]),
        ("9787020002208", []),
        ("i242.4", ["红楼梦"]),
        ("i207", ["中国古典小说史略", "紅樓夢研究"]),
        ("x4/7", ["中国古典小说史略"]),
        ("x4", ["中国古典小说史略"]),
        ("红旗", ["Letters"]),
        ("c++", ["C++ Primer"]),
        ("OCM123", ["C++ Primer"]),
        ("𠀀", ["𠀀字考"]),
        ("𪚥", ["𠀀字考"]),
        ("%", []),
        ("' OR 1=1 --", []),
        ('"', []),
        ("title:", []),
    ],
)
def test_a_search_finds(session: Session, query: str, found: list[str]) -> None:
    assert titles(session, query) == found


def test_no_query_lists_all_by_title(session: Session) -> None:
    listing = search(session, " \x00 ")
    assert (listing.total, listing.exact, listing.near, listing.more) == (12, 12, False, False)
    assert titles(session, "")[:4] == ["C++ Primer", "Dear Emma", "Emma", "Emma and Louisa"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"kind": "ebook"}, ["Emma and Louisa"]),
        ({"language": "fr"}, []),
        ({"branch": "east"}, ["Dear Emma"]),
        ({"available": True}, ["Emma and Louisa", "Dear Emma"]),
        ({"available": True, "branch": "main"}, ["Emma and Louisa"]),
        ({"year_from": 1800, "year_to": 1815}, ["Emma"]),
        ({"year_from": 1816}, []),
        ({"class_letter": "T"}, []),
    ],
)
def test_filters_limit_what_is_found(session: Session, filters: dict[str, object], found: list[str]) -> None:
    assert titles(session, "title:emma", **filters) == found


def test_filters_limit_the_list_of_all(session: Session) -> None:
    assert titles(session, "", language="fr") == ["Les Misérables"]
    assert titles(session, "", class_letter="T", available=False) == ["C++ Primer"]
    assert search(session, "", language="zh").total == 5


def test_facets_tell_how_the_hits_divide(session: Session) -> None:
    facets = search(session, "红楼梦").facets
    assert facets is not None
    assert facets.language == (("zh", 4),)
    assert facets.kind == (("book", 4),)
    assert facets.decade == (("1950", 1), ("1980", 1))
    assert facets.class_letter == (("I", 3),)
    assert facets.branch == (("east", 2), ("main", 1))
    assert (facets.available, facets.of, facets.partial) == (3, 4, False)
    everything = search(session, "").facets
    assert everything is not None
    assert (everything.of, everything.available) == (12, 8)
    assert search(session, "%").facets.of == 0  # type: ignore[union-attr]


def test_a_title_that_is_typed_nearly_right_is_found(session: Session) -> None:
    listing = search(session, "中国古典小说使略")
    assert (listing.exact, listing.near) == (0, True)
    assert [record.title for record in catalogue.records_of(session, listing.ids)] == ["中国古典小说史略"]


def test_near_titles_follow_the_few_exact_ones(session: Session) -> None:
    listing = search(session, "红楼梦研究")
    assert (listing.exact, listing.near) == (1, True)
    assert catalogue.records_of(session, listing.ids)[0].title == "紅樓夢研究"
    assert [record.title for record in catalogue.records_of(session, listing.ids)][1:3] == ["石头记", "红楼梦"]
    pages = [find(session, Wanted("红楼梦研究", 1, offset)).ids for offset in range(listing.total + 1)]
    assert tuple(record for page in pages for record in page) == listing.ids


def test_words_that_never_meet_find_what_has_some_of_them(session: Session) -> None:
    listing = search(session, "austen lippman goldman")
    assert (listing.exact, listing.near, listing.total) == (0, True, 4)


def test_near_titles_pass_the_filters(session: Session) -> None:
    assert search(session, "中国古典小说使略", language="en").total == 0


def test_copies_are_told_by_branch(session: Session) -> None:
    (record,) = catalogue.records_of(session, search(session, "isbn:702000220x").ids)
    assert [(b.branch, b.total, b.available) for b in record.branches] == [("main", 1, 1)]
    assert (record.items_total, record.items_available) == (1, 1)


class TestVeryManyHits:
    """More hits than are put in order: pretended with a small library."""

    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(repository, "RANKED", 2)

    def test_titles_that_begin_so_come_before_the_newest(self, session: Session) -> None:
        assert titles(session, "emma") == [
            "Emma", "Emma and Louisa", "Letters to Emma, from Jane", "Letters", "Dear Emma",
        ]  # fmt: skip
        assert titles(session, "红楼") == ["红楼梦", "紅樓夢研究", "中国古典小说史略", "石头记"]

    @pytest.mark.parametrize("query", ["emma", "author:曹", "红楼", '"letters"'])
    def test_pages_follow_each_other_without_gap_or_double(self, session: Session, query: str) -> None:
        whole = search(session, query)
        for size in (1, 2, 3):
            pages = [find(session, Wanted(query, size, at)).ids for at in range(0, whole.total + size, size)]
            assert tuple(record for page in pages for record in page) == whole.ids

    def test_what_is_beyond_the_count_is_not_listed(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("server.catalogue.search.repository.COUNTED", 3)
        monkeypatch.setattr("server.catalogue.search.service.COUNTED", 3)
        listing = search(session, "author:e")
        assert not listing.more
        listing = search(session, "emma")
        assert (listing.total, listing.more, listing.near) == (3, True, False)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=400) | st.text(alphabet="红楼梦\"《:( )*^'-+{}|&!<>\\é emma author", max_size=80))
def test_no_query_breaks_it(session: Session, query: str) -> None:
    listing = search(session, query)
    assert len(listing.ids) == min(100, listing.total)
