"""The same records are found in the same order on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from server.catalogue.search import facets, near, repository
from server.catalogue.search.documents import bring_up_to_date
from server.catalogue.search.service import Filters, Listing, Wanted, find
from server.db import Database
from server.migrations.apply import upgrade
from tests.bench import search_library
from tests.support.postgres import Cluster

TITLES = 1500
BOOKS = list(search_library.books(TITLES))
Pair = tuple[Database, Database]


@pytest.fixture(scope="module")
def both(postgres: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The same made-up library twice."""
    postgres.run("CREATE DATABASE same")
    urls = (f"sqlite:///{tmp_path_factory.mktemp('same')}/same.db", postgres.url("same"))
    pair = tuple(Database(make_url(url)) for url in urls)
    for database in pair:
        upgrade(database)
        search_library.fill(database, TITLES)
        bring_up_to_date(database)
    yield (pair[0], pair[1])
    for database in pair:
        database.close()


def answers(both: Pair, wanted: Wanted) -> list[Listing]:
    told = []
    for database in both:
        with database.reading() as session:
            told.append(find(session, wanted))
    return told


@st.composite
def pieces(draw: st.DrawFn) -> str:
    """Something that stands in a book, or nearly."""
    book = draw(st.sampled_from(BOOKS))
    text = draw(st.sampled_from((book.title, book.author, f"author:{book.author}", f'title:"{book.title}"')))
    start = draw(st.integers(0, max(0, len(text) - 1)))
    piece = text[start : start + draw(st.integers(1, 12))]
    return piece.replace(draw(st.sampled_from("aeio ")), draw(st.sampled_from(["a", "的", "", '"'])))


FILTERS = st.builds(
    Filters,
    language=st.sampled_from([None, "zh", "en"]),
    class_letter=st.sampled_from([None, "I", "T"]),
    year_from=st.sampled_from([None, 1950]),
    branch=st.sampled_from([None, "main"]),
    available=st.booleans(),
)
WANTED = st.builds(
    Wanted,
    st.lists(pieces(), min_size=1, max_size=2).map(" ".join)
    | st.text(max_size=100)
    | st.sampled_from(["", "the", "a"]),
    limit=st.sampled_from([1, 20, 100]),
    offset=st.sampled_from([0, 0, 7]),
    filters=FILTERS | st.just(Filters()),
    facets=st.booleans(),
)
relaxed = hypothesis_settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.postgres
@relaxed
@given(wanted=WANTED)
def test_any_search_is_answered_alike(both: Pair, wanted: Wanted) -> None:
    one, other = answers(both, wanted)
    assert one == other


@pytest.mark.postgres
@relaxed
@given(wanted=WANTED)
def test_searches_with_very_many_hits_are_answered_alike(both: Pair, wanted: Wanted) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository, "RANKED", 5)
        patch.setattr(repository, "COUNTED", 40)
        patch.setattr(facets, "FACETED", 30)
        patch.setattr(near, "RARE", 3)
        patch.setattr(near, "COMMON", 12)
        one, other = answers(both, wanted)
    assert one == other


def piece_of(title: str, seed: int) -> str:
    length = 1 + seed % min(6, len(title))
    start = seed * 7 % (len(title) - length + 1)
    return title[start : start + length]


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(60))
def test_every_piece_of_a_chinese_title_finds_every_title_that_holds_it(both: Pair, seed: int) -> None:
    titles = [(key, book.title) for key, book in enumerate(BOOKS, 1) if book.chinese]
    piece = piece_of(titles[seed * 11][1], seed)
    holding = {key for key, title in titles if piece in title}
    for listing in answers(both, Wanted(piece, TITLES)):
        assert holding <= set(listing.ids[: listing.exact])
