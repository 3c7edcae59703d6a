"""What the catalogue's pages show, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

from babel import Locale

from carrel.sections import Common, Placed, placed
from carrel.web.i18n import N_, Language, Words, in_language
from server.catalogue.classification.service import main_classes
from server.catalogue.service import Facets, Filters, Found, Item
from server.lending.names import Names

KINDS = {
    "book": N_("Book"), "serial": N_("Periodical"), "score": N_("Printed music"), "map": N_("Map"),
    "video": N_("Film"), "audio": N_("Sound recording"), "picture": N_("Picture"), "electronic": N_("Electronic"),
    "kit": N_("Kit"), "object": N_("Object"),
}  # fmt: skip
STATUSES = {
    "on_shelf": ("ok", N_("On the shelf")),
    "on_loan": ("", N_("On loan")),
    "on_hold_shelf": ("", N_("Kept for another reader")),
    "in_transit": ("", N_("On its way to another branch")),
    "in_processing": ("", N_("Being prepared")),
    "repair": ("", N_("Being repaired")),
    "missing": ("warn", N_("Missing")),
    "lost": ("warn", N_("Lost")),
}
VALUES_SHOWN = 8
NOTHING: Mapping[str, str] = {}

Counts = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that results can be limited to. `number` is None where not all hits were looked at."""

    name: str
    number: int | None
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The choices of one kind."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the visitor asked for: a text, filters as they stand in the address, a page; `place` is its path."""

    query: str
    filters: tuple[tuple[str, str], ...]
    page: int = 1
    place: str = "/search"

    def address(self, page: int = 1, changed: Mapping[str, str] = NOTHING) -> str:
        """Of the same question with other filters; an empty value takes one off."""
        kept = {name: value for name, value in {**dict(self.filters), **changed}.items() if value}
        asked = {"q": self.query, **kept} if self.query else kept
        return f"{self.place}?" + urlencode(asked | ({"page": str(page)} if page > 1 else {}))

    def limits(self) -> Filters:
        """As the search takes them; a decade that is none is left out."""
        told = dict(self.filters)
        decade = int(told["decade"]) if told.get("decade", "").isdecimal() else None
        return Filters(
            kind=told.get("kind"),
            language=told.get("language"),
            class_letter=told.get("class"),
            year_from=decade,
            year_to=None if decade is None else decade + 9,
            branch=told.get("branch"),
            available="available" in told,
        )


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of a search."""

    asked: Asked
    found: Found
    pages: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class FloorMap:
    """A floor's plan: (where, name, whether a copy stands there)."""

    name: str
    places: tuple[tuple[Placed, str, bool], ...]


def groups(asked: Asked, facets: Facets | None, words: Words, names: Names) -> tuple[Group, ...]:
    """What the results can be limited to, as far as it divides them; what they are limited to is always there."""
    if facets is None:
        return ()
    free = (("1", facets.available),) if facets.available else ()
    columns: tuple[tuple[str, str, Counts, Callable[[str], str]], ...] = (
        ("available", words.gettext("Available"), free, lambda _value: words.gettext("On the shelf now")),
        ("branch", words.gettext("Branch"), facets.branch, names.branch),
        ("kind", words.gettext("Kind"), facets.kind, lambda kind: words.gettext(KINDS.get(kind, kind))),
        ("language", words.gettext("Language"), facets.language, _language_names(words.language)),
        ("class", words.gettext("Class"), facets.class_letter, _class_names(words.language)),
        ("decade", words.gettext("Published"), facets.decade[::-1], lambda year: f"{year}–{year[:-1]}9"),
    )
    made = []
    for key, name, counts, named in columns:
        told = tuple((value, None if facets.partial else number) for value, number in counts)
        choices = tuple(_choices(asked, key, told, named))
        if len(choices) > 1 or key == "available" or key in dict(asked.filters):
            made.append(Group(name, choices))
    return tuple(group for group in made if group.choices)


def _choices(
    asked: Asked, key: str, told: Sequence[tuple[str, int | None]], named: Callable[[str], str]
) -> Iterator[Choice]:
    chosen = dict(asked.filters).get(key)
    if chosen:
        yield Choice(named(chosen), None, asked.address(changed={key: ""}), chosen=True)
        return
    for value, number in told[:VALUES_SHOWN]:
        yield Choice(named(value), number, asked.address(changed={key: value}), chosen=False)


def place(common: Common, id_: str, language: Language) -> str:
    """The name of a place; a location that is none of those that config.toml names stands for itself."""
    return in_language(language, common.places.get(id_, (id_, "")))


def maps(common: Common, items: Iterable[Item], language: Language) -> list[FloorMap]:
    """The floors of this building on which copies stand."""
    here = ("", common.library.branch)
    marked = {item.location for item in items if item.status == "on_shelf" and item.at_branch in here}
    return [
        FloorMap(
            in_language(language, (floor.name, floor.name_zh)),
            tuple((at, place(common, at.id, language), at.id in marked) for at in drawn),
        )
        for floor in common.floors
        if (drawn := placed(floor.plan)) and any(at.id in marked for at in drawn)
    ]


def item_state(words: Words, item: Item) -> tuple[str, str]:
    """(tone, words) of where an item is."""
    if item.status == "on_shelf" and not item.for_loan:
        return "info", words.gettext("For use in the library")
    tone, text = STATUSES.get(item.status, ("", item.status))
    return tone, words.gettext(text)


@cache
def _class_names(language: Language) -> Callable[[str], str]:
    names = {code: f"{code} {zh if language == 'zh-CN' else en}" for code, zh, en in main_classes()}
    return lambda code: names.get(code, code)


@cache
def _language_names(language: Language) -> Callable[[str], str]:
    names = Locale.parse("zh_Hans_CN" if language == "zh-CN" else "en").languages
    return lambda code: str(names.get(code, code))
