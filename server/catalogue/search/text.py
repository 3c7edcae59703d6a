"""What the index holds of a text, and what a search makes of the same letters. Pure.

Both databases get words that are cut and folded here; none of their own tokenisers, dictionaries or Unicode tables
decides anything. A word is one character of Chinese, Japanese or Korean, or a run of other letters and digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from server.catalogue.isbn import isbn10, isbn13
from server.catalogue.search.variants import VARIANTS

WORD_LENGTH = 64
"""Longer words are cut, in the index and in queries."""

BETWEEN = "\ue000"
"""Stands between the values of a field; no word contains it."""

CJK = (
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3"
    "\uf900-\ufad9\U0001b000-\U0001b167\U00020000-\U0003fffd"
)
"""Ranges for a regular expression, extension planes included."""

_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_ASCII_WORD = re.compile("[0-9a-z]+")
"""The same of normalised ASCII, in half the time."""
_IS_CJK = re.compile(f"[{CJK}]")
_MARK = re.compile("[\u02b9-\u02bf\u0300-\u036f\ufe20-\ufe2f]")
"""Accents, halves of ligatures, and what stands for ayn, hamza, soft signs and aspiration in romanisations."""

_APOSTROPHE = re.compile(r"['`\u2018\u2019\u2032\uff07\u02b9-\u02bf]")
_INSIDE = re.compile(_APOSTROPHE.pattern + r"(?<=[^\W\d_].)(?=[^\W\d_])")
"""An apostrophe, or a letter that many type as one, between two letters."""

_ISBN = re.compile(r"[0-9]{9}[0-9x]|97[89][0-9]{10}")
_DASHES = dict.fromkeys(map(ord, "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"))
_HYPHENS = dict.fromkeys(_DASHES, "-")
_ISBN_BEGINS = re.compile(
    r"97[89]-*[0-9][0-9-]*|7-(?:0[0-9]|[0-9]{3,6})-?"
    r"|(?:[0-57]|8[0-9]|9[0-4]|6[0-9]{2}|9[5-8][0-9]|99[0-9]{2,3})-[0-9]{2,7}-[0-9]{1,6}-?"
)
"""Of the older form a country, a publisher and, but for China, a number: no `7-11`, no `2001-05-12`."""

_SIGNS = {"c++": "cplusplus", "c#": "csharp"}
"""Names of which a word's letters alone would leave a single c."""

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
"""Letters with a stroke and the like, which Unicode does not take apart."""

_SAME = VARIANTS | dict(zip("著瞭藉於馀覆彷妳牠", "着了借于余复仿你它", strict=True))
"""With Traditional characters whose Simplified form depends on the word they are in; alone they stay as they are."""


def normalise(text: str) -> str:
    """Width, case, Latin accents, Traditional and variant characters made alike (NFKC, case folding); idempotent.

    Characters are converted one by one, without regard to their neighbours, so that any part of a title becomes what
    it is in the whole.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    if not folded.isascii():
        bare = _MARK.sub("", unicodedata.normalize("NFKD", folded)).casefold().translate(_LETTERS)
        folded = unicodedata.normalize("NFC", bare)
        if _IS_CJK.search(folded):
            folded = folded.translate(_simplified())
    for sign, name in _SIGNS.items():
        folded = folded.replace(sign, name)
    return folded


def words(text: str) -> list[str]:
    """The words of any text, in order."""
    folded = normalise(text)
    found: list[str] = (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)
    return found if len(folded) <= WORD_LENGTH else [word[:WORD_LENGTH] for word in found]


def is_cjk(word: str) -> bool:
    """Whether a word is a single Chinese, Japanese or Korean character."""
    return len(word) == 1 and _IS_CJK.match(word) is not None


def bare_isbn(text: str) -> str:
    """An ISBN's digits without hyphens and spaces, or nothing if it is not one of 10 or 13 digits."""
    bare = "".join(text.casefold().translate(_DASHES).split())
    return bare if _ISBN.fullmatch(bare) else ""


def isbn_forms(text: str) -> tuple[str, ...]:
    """Both forms of the ISBN in a text; the digits as they are if it is wrong; none for anything else."""
    isbn = isbn13(text)
    if isbn is None:
        return (bare,) if (bare := bare_isbn(text)) else ()
    older = isbn10(isbn)
    return (isbn, older.lower()) if older else (isbn,)


def isbn_beginning(text: str) -> str:
    """The digits of what can only be the beginning of an ISBN, such as `978-7` or `7-02-000`; else nothing."""
    bare = text.translate(_HYPHENS)
    return bare.replace("-", "") if _ISBN_BEGINS.fullmatch(bare) else ""


def joined(values: Iterable[str]) -> str:
    """Index text of a field that may have several values; no phrase reaches from one into the next."""
    texts = {
        " ".join(words(form)): None
        for value in values
        for form in (_spellings(value) if _APOSTROPHE.search(value) else (value,))
    }
    texts.pop("", None)
    return f" {BETWEEN} ".join(texts)


def _spellings(value: str) -> Iterable[str]:
    """A value as it is and, since nobody knows how L'amour, T'ang and Qur'an are typed, without and parted at those."""
    yield value
    text = unicodedata.normalize("NFC", value)
    if _INSIDE.search(text):
        yield _INSIDE.sub("", text)
        yield _INSIDE.sub(" ", text)


class _Simplified(dict[int, str]):
    """The Simplified form of each character or of what it is a variant of, looked up when it is first met."""

    def __init__(self) -> None:
        super().__init__({ord(one): other for one, other in _SAME.items()})
        from opencc import OpenCC  # noqa: PLC0415  # its dictionaries are for whoever meets a Chinese character

        self._convert = OpenCC("t2s").convert

    def __missing__(self, code: int) -> str:
        one = chr(code)
        simple = self._convert(one) if _IS_CJK.match(one) else one
        # What 薴 becomes becomes another in its turn, and so may a variant be what comes out.
        self[code] = simple = one if simple == one else simple.translate(self)
        return simple


@cache
def _simplified() -> _Simplified:
    return _Simplified()
