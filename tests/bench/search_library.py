"""A library of made-up titles, Chinese and Latin, with an item each: words of very different frequency, as in life."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import insert

from server.catalogue.models import ItemRow, RecordRow
from server.db import Base, Database

SEED = 7
CHINESE_SHARE = 0.6
AT_ONCE = 5000
ONSETS = [*"bcdfglmnprstv", "st", "tr", "ch", "sh"]
VOWELS = [*"aeiou", "ea", "ou"]
ENDS = ["", *"nrslt", "nd"]
COMMON = ["the", "of", "and", "a", "in", "history", "introduction", "to", "for", "new", "life", "world"]


@dataclass(frozen=True, slots=True)
class Book:
    """A title and who wrote it."""

    title: str
    author: str

    @property
    def chinese(self) -> bool:
        """Whether the title is."""
        return ord(self.title[0]) > 0x3000


class _Words:
    """A vocabulary; the n-th word is chosen about 1/n as often as the first."""

    def __init__(self, chance: random.Random, words: list[str]) -> None:
        self.chance, self.words = chance, words
        self.weights = list(accumulate(1 / (n + 3) for n in range(len(words))))

    def some(self, most: int) -> list[str]:
        """From one to so many words."""
        return self.chance.choices(self.words, cum_weights=self.weights, k=self.chance.randint(1, most))


def books(number: int) -> Iterator[Book]:
    """Always the same ones."""
    chance = random.Random(SEED)
    chinese, latin = _chinese(chance), _latin(chance)
    for _ in range(number):
        if chance.random() < CHINESE_SHARE:
            yield Book("".join(chinese.some(7)), "".join(chinese.some(2)))
        else:
            yield Book(" ".join(latin.some(8)).capitalize(), " ".join(latin.some(2)).title())


def _chinese(chance: random.Random) -> _Words:
    """Words of characters of the first level of GB 2312."""
    characters = [bytes([row, cell]).decode("gb2312") for row in range(0xB0, 0xD7) for cell in range(0xA1, 0xFF)]
    chance.shuffle(characters)
    weights = list(accumulate(1 / (n + 8) for n in range(len(characters))))
    lengths = (1, 2, 2, 2, 2, 3)
    words = ("".join(chance.choices(characters, cum_weights=weights, k=chance.choice(lengths))) for _ in range(9000))
    return _Words(chance, list(words))


def _latin(chance: random.Random) -> _Words:
    syllables = [onset + vowel + end for onset in ONSETS for vowel in VOWELS for end in ENDS]
    made = ["".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3)))) for _ in range(20_000)]
    return _Words(chance, COMMON + made)


def fill(database: Database, number: int) -> None:
    """Store them, not indexed; the keys are 1, 2, ... in the order of `books`."""
    tables = Base.metadata.tables
    chance, numbered = random.Random(SEED), enumerate(books(number), 1)
    while some := list(islice(numbered, AT_ONCE)):
        with database.writing() as session:
            session.execute(insert(tables[RecordRow.__tablename__]), [_record(key, book) for key, book in some])
            session.execute(insert(tables[ItemRow.__tablename__]), [_item(key, chance) for key, _ in some])


def _record(key: int, book: Book) -> dict[str, Any]:
    now = datetime.now(UTC)
    facts = {"year": str(1900 + key % 126), "language": "zh" if book.chinese else "en", "publisher": "馆藏出版社"}
    numbers = {"class_number": f"{'ABCDEFGHIJKNOPQRSTUVXZ'[key % 22]}{key % 997}", "control_number": f"b{key}"}
    return {
        "id": key,
        "title": book.title,
        "author": book.author,
        "created_at": now,
        "updated_at": now,
        **facts,
        **numbers,
    }


def _item(key: int, chance: random.Random) -> dict[str, Any]:
    status = "on_shelf" if chance.random() < 0.8 else "on_loan"
    branch = chance.choice(("main", "east"))
    return {"id": key, "barcode": str(key), "record_id": key, "status": status, "branch": branch, "at_branch": branch}
