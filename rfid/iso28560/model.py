"""What a tag's memory says, whatever its data model: the result of every decoder here."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Self


class Status(StrEnum):
    """How far the content of a tag can be believed."""

    OK = "ok"
    BLANK = "blank"  # never written
    CORRUPT = "corrupt"  # broken bytes; the listed fields are still good
    TORN = "torn"  # a write stopped half-way: old and new blocks mixed
    INCONSISTENT = "inconsistent"  # readable, contradictory
    FOREIGN = "foreign"  # another data model, recognised
    UNKNOWN = "unknown"


class Model(StrEnum):
    """Data models that are recognised."""

    NONE = "none"
    ISO28560_2 = "iso28560-2"
    ISO28560_3 = "iso28560-3"
    M3_ALPHANUMERIC = "3m-alphanumeric"
    M3_BLANK = "3m-blank"


# Contradictions about these put in doubt which item the tag stands for.
_IDENTITY_PROBLEMS = frozenset({"set", "missing:1", "duplicate:1", "duplicate:3", "duplicate:4", "duplicate:5"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """Fields of a tag; None where the tag does not tell.

    `usage` is hex: two digits in ISO 28560-2, the class digit alone in -3. `owner_width` is the room that -3 left for
    `owner_raw`, so that a name cut by it can be told from another name.
    """

    model: Model
    status: Status
    pii: str | None = None
    owner: str | None = None
    owner_raw: str | None = None
    owner_width: int | None = None
    content_parameter: tuple[int, ...] | None = None
    set_parts: int | None = None
    set_part: int | None = None
    usage: str | None = None
    shelf_location: str | None = None
    onix_media_format: str | None = None
    marc_media_format: str | None = None
    title: str | None = None
    ill_borrower: str | None = None
    ill_transaction: str | None = None
    local_data_a: str | None = None
    media_format: str | None = None
    item_type: int | None = None
    version: int | None = None
    other: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether the identity (item id, owner, set, usage) may be acted on."""
        if self.status is Status.OK:
            return self.pii is not None
        return (
            self.status is Status.INCONSISTENT
            and self.pii is not None
            and not _IDENTITY_PROBLEMS.intersection(self.problems)
        )

    def owned_by(self, isil: str) -> bool | None:
        """Tell whether the tag names this library as owner; None when it names none."""
        if self.owner_raw is not None and self.owner_width is not None:
            return self.owner_raw == isil.replace("-", "", 1)[: self.owner_width] if self.owner_raw else None
        return None if self.owner is None else self.owner == isil

    def with_problems(self, status: Status, *problems: str) -> Self:
        """Return the same fields under another status, with problems added."""
        return replace(self, status=status, problems=(*self.problems, *problems))

    def to_json(self) -> dict[str, object]:
        """Return what is known as plain JSON values, under the field names of this class."""
        known: dict[str, object] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "owner_width" or value is None or (each.name == "other" and not value):
                continue
            known[each.name] = dict(value) if each.name == "other" else _plain(value)
        return known


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
