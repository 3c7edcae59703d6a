"""Whichever form of a character, of a romanised name or of a number somebody types, the same books are found."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from server.catalogue import service as catalogue
from server.catalogue.search.service import Wanted, find
from server.catalogue.service import NewItem, NewRecord
from server.db import Database

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SHELF = (
    NewRecord("槪論", "尹一淸", call_number="I247.5/3"),
    NewRecord("红学研究", "钱锺书", call_number="I247.57/12"),
    NewRecord("硏究飮食", "甯姪妝", call_number="I247.53/21"),
    NewRecord("鬪魚 戦争と平和", "鼇頭", call_number="I24/5"),
    NewRecord("Zapiski i︠u︡gu", "I︠U︡riĭ Gogolʹ", call_number="823.84/2"),
    NewRecord("Nuʻmānī", "ʻAṭīyah", call_number="PS3545.I33"),
    NewRecord("Tʻang shih", "Qurʼān", call_number="B5"),
    NewRecord("T'ang jen", "O'Neil", call_number="B57"),
    NewRecord("L’amour 5", "Nobody", isbn="7-02-000220-X", call_number="57"),
    NewRecord("PM2.5", "", isbn="978-7-111-00000-4", call_number="X513"),
)


@pytest.fixture
def session(empty_url: str) -> Iterator[Session]:
    """Of a library with the shelf."""
    database = Database(make_url(empty_url))
    with database.writing() as writing:
        for number, new in enumerate(SHELF):
            key = catalogue.add_record(writing, new, at=NOW)
            catalogue.add_item(writing, key, NewItem(f"{number}", call_number=new.call_number))
    with database.reading() as reading:
        yield reading
    database.close()


def found(session: Session, query: str) -> set[str]:
    listing = find(session, Wanted(query, 100))
    return {record.title for record in catalogue.records_of(session, listing.ids[: listing.exact])}


@pytest.mark.parametrize(
    ("title", "queries"),
    [
        ("槪論", ("尹一清", "尹一淸", "概论", "概論")),
        ("红学研究", ("钱钟书", "錢鍾書", "钱锺书", "錢鐘書", "紅學硏究")),
        ("硏究飮食", ("研究饮食", "硏究飲食", "宁侄妆", "寧姪粧")),
        ("鬪魚 戦争と平和", ("斗鱼", "鬥魚", "战争", "戰爭", "鳌头", "鰲頭")),
        ("Zapiski i︠u︡gu", ("iurii gogol", "I︠U︡riĭ", "IUriĭ Gogolʹ", "gogol'", "iugu")),
        ("Nuʻmānī", ("numani", "Nu'mani", "Nu’mānī", "Nuʻmānī", "atiyah", "ʻAṭīyah", "'atiyah")),
        ("Tʻang shih", ("tang shih", "T'ang shih", "Tʻang shih", "Qur'an", "quran", "qurʼān")),
        ("T'ang jen", ("tang jen", "T'ang jen", "tʻang jen", "o'neil", "oneil", "neil", "O’Neil")),
        ("L’amour 5", ("amour", "l'amour", "l’amour", "lamour")),
    ],
)
def test_any_form_finds_every_other(session: Session, title: str, queries: tuple[str, ...]) -> None:
    assert [(query, found(session, query)) for query in queries] == [(query, {title}) for query in queries]


def test_a_form_finds_all_that_have_another(session: Session) -> None:
    assert found(session, "研究") == found(session, "硏究") == {"红学研究", "硏究飮食"}
    assert found(session, "tang") == found(session, "t'ang") == {"Tʻang shih", "T'ang jen"}


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("I247.5", {"槪論", "红学研究", "硏究飮食"}),
        ("i247.5/3", {"槪論"}),
        ("I247.57/1", {"红学研究"}),
        ("823.8", {"Zapiski i︠u︡gu"}),
        ("ps3545.i", {"Nuʻmānī"}),
        ("PM2.5", {"PM2.5"}),
        ("5", {"槪論", "鬪魚 戦争と平和", "L’amour 5", "PM2.5"}),
        ("b", set()),
        ('"I247.5"', {"槪論"}),
        ("978-7", {"L’amour 5", "PM2.5"}),
        ("978-7-111", {"PM2.5"}),
        ("7-02", {"L’amour 5"}),
        ("7-02-000", {"L’amour 5"}),
        ("7-02-0002", {"L’amour 5"}),
        ("isbn:7‑02‑000", {"L’amour 5"}),
        ("702000", {"L’amour 5"}),
    ],
)
def test_a_number_is_found_by_its_beginning_and_a_lone_digit_only_as_a_word(
    session: Session, query: str, titles: set[str]
) -> None:
    assert found(session, query) == titles
