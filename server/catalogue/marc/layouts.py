"""Where MARC 21 and CNMARC keep what the catalogue shows, as data.

MARC 21 Format for Bibliographic Data; CNMARC (WH/T 0503-1996), which follows UNIMARC. A place is a tag, the subfields
wanted, and how their values are joined; of several places the first that has something counts, or all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from server.catalogue.marc.record import MarcFormat


class Place(NamedTuple):
    """Subfields of a field; `between` joins their values, `each` makes every value one of its own.

    `where` asks for a subfield's value too: ("2", "clc").
    """

    tag: str
    codes: str
    between: str = " "
    each: bool = False
    where: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Of one format. `before` is what stands before a subfield's value in a title."""

    control_source: str
    title: Place
    before: Mapping[str, str]
    other_titles: tuple[Place, ...]
    authors: tuple[Place, ...]
    other_authors: tuple[Place, ...]
    responsibility: Place
    author_forms: tuple[Place, ...]
    isbn: Place
    edition: Place
    publisher: tuple[Place, ...]
    date: tuple[Place, ...]
    coded_date: tuple[str, str, int]
    language: Place
    coded_language: tuple[str, int] | None
    class_number: tuple[Place, ...]
    call_number: tuple[Place, ...]
    subjects: tuple[Place, ...]
    summary: Place
    kinds: Mapping[str, str]


_SUBDIVISIONS = "abcdqtxyzv"

MARC21 = Layout(
    control_source="003",
    title=Place("245", "abnp"),
    before={},
    other_titles=(
        Place("130", "adnp"), Place("240", "amnp"), Place("246", "abnp"), Place("247", "abnp"), Place("740", "anp"),
    ),
    authors=(Place("100", "abcq"), Place("110", "ab"), Place("111", "a")),
    other_authors=(Place("700", "abcq"), Place("710", "ab"), Place("711", "a")),
    responsibility=Place("245", "c"),
    author_forms=(),
    isbn=Place("020", "a", each=True),
    edition=Place("250", "ab"),
    publisher=(Place("264", "b", "; "), Place("260", "b", "; ")),
    date=(Place("264", "c"), Place("260", "c")),
    coded_date=("008", "", 7),
    language=Place("041", "a", each=True),
    coded_language=("008", 35),
    class_number=(
        Place("093", "a"), Place("084", "a", where=("2", "clc")), Place("090", "a"), Place("050", "a"),
        Place("082", "a"), Place("084", "a"),
    ),
    call_number=(Place("090", "ab"), Place("099", "a"), Place("050", "ab"), Place("082", "ab")),
    subjects=(
        *(Place(tag, _SUBDIVISIONS, "--") for tag in ("600", "610", "611", "630", "648", "650", "651", "655")),
        Place("653", "a", each=True),
    ),
    summary=Place("520", "ab"),
    kinds={
        "c": "score", "d": "score", "e": "map", "f": "map", "g": "video", "i": "audio", "j": "audio", "k": "picture",
        "m": "electronic", "o": "kit", "p": "kit", "r": "object",
    },
)  # fmt: skip

CNMARC = Layout(
    control_source="",
    title=Place("200", "aehi"),
    before={"e": " : ", "h": ". ", "i": ". "},
    other_titles=(
        Place("200", "dc", each=True), Place("200", "9A", each=True), Place("500", "ahi"), Place("510", "aehi"),
        Place("512", "ae"), Place("514", "ae"), Place("516", "ae"), Place("517", "aehi"), Place("540", "a"),
        Place("541", "ae"),
    ),
    authors=(Place("700", "ab", ", "), Place("701", "ab", ", "), Place("710", "ab"), Place("711", "ab")),
    other_authors=(Place("702", "ab", ", "), Place("712", "ab")),
    responsibility=Place("200", "f", "; "),
    author_forms=tuple(Place(tag, "9A", each=True) for tag in ("700", "701", "702", "710", "711", "712")),
    isbn=Place("010", "a", each=True),
    edition=Place("205", "ab"),
    publisher=(Place("210", "c", "; "),),
    date=(Place("210", "dh"),),
    coded_date=("100", "a", 9),
    language=Place("101", "a", each=True),
    coded_language=None,
    class_number=(Place("690", "a"), Place("686", "a"), Place("676", "a"), Place("680", "a"), Place("675", "a")),
    call_number=(Place("905", "de", "/"), Place("690", "a")),
    subjects=(
        *(Place(tag, "abcdfhtxyzj", "--") for tag in ("600", "601", "602", "604", "605", "606", "607")),
        Place("610", "a", each=True),
    ),
    summary=Place("330", "a"),
    kinds={
        "c": "score", "d": "score", "e": "map", "f": "map", "g": "video", "i": "audio", "j": "audio", "k": "picture",
        "l": "electronic", "m": "kit", "r": "object",
    },
)  # fmt: skip

LAYOUTS: Mapping[MarcFormat, Layout] = {"marc21": MARC21, "cnmarc": CNMARC}

LANGUAGES: Mapping[str, str] = {
    "ara": "ar", "bul": "bg", "cat": "ca", "ces": "cs", "chi": "zh", "cze": "cs", "dan": "da", "deu": "de", "dut": "nl",
    "ell": "el", "eng": "en", "epo": "eo", "est": "et", "fas": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "ger": "de",
    "gre": "el", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu", "ice": "is", "ind": "id", "isl": "is", "ita": "it",
    "jpn": "ja", "kaz": "kk", "kor": "ko", "lat": "la", "lav": "lv", "lit": "lt", "may": "ms", "mon": "mn", "msa": "ms",
    "nld": "nl", "nor": "no", "per": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "san": "sa",
    "slo": "sk", "slv": "sl", "spa": "es", "srp": "sr", "swe": "sv", "tam": "ta", "tha": "th", "tib": "bo", "tur": "tr",
    "uig": "ug", "ukr": "uk", "urd": "ur", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""MARC's codes of three letters as ISO 639-1 has them; a language without such a code keeps its three."""
