"""The fields of one action, read leniently and complained about clearly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from server.rehearse import values
from server.rehearse.values import RehearsalError

T = TypeVar("T")
_MISSING: Any = object()

PATRON = ("patron", "card", "patron_id", "reader", "user", "who")
ITEM = ("item", "barcode", "item_id", "copy")
USUAL = ("branch", "request_id", "request")
"""What any action may say, whether or not it matters to it."""
ITEMS = ("items", "barcodes", "item_ids", *ITEM)


class Fields:
    """Each reader takes the first of several keys that is there; what nobody has asked for is told by `unheeded`."""

    def __init__(self, where: str, cmd: str, data: Mapping[str, Any], zone: ZoneInfo) -> None:
        self.where = where
        self.cmd = cmd
        self.zone = zone
        self._data = data
        self._heeded: set[str] = {*PATRON, *USUAL}
        self._rows: list[Fields] = []
        self.remarks: list[str] = []

    def row(self, number: int, data: Any) -> Fields:
        """An entry of a list that the action holds."""
        if not isinstance(data, Mapping):
            raise self.mistake(f"row {number}: write an object")
        told = {key: value for key, value in data.items() if key not in values.REMARKS}
        self._rows.append(Fields(f"{self.where}, row {number}", self.cmd, told, self.zone))
        return self._rows[-1]

    def has(self, *keys: str) -> bool:
        """Whether the action says any of these, other than null."""
        return any(self._data.get(key) is not None for key in keys)

    def text(self, *keys: str, default: str = _MISSING) -> str:
        """A name."""
        return self._read(keys, values.text, default)

    def texts(self, *keys: str, default: list[str] = _MISSING) -> list[str]:
        """One name or several."""
        return self._read(keys, _names, default)

    def words(self, *keys: str, default: str = "") -> str:
        """Free text; a name or nothing."""
        return self._read(keys, lambda value: value if isinstance(value, str) else values.text(value), default)

    def flag(self, *keys: str, default: bool = False) -> bool:
        """true or false."""
        return self._read(keys, values.flag, default)

    def number(self, *keys: str, default: int | None = _MISSING) -> int | None:
        """A whole number."""
        return self._read(keys, values.number, default)

    def money(self, *keys: str, default: Decimal | None = _MISSING) -> Decimal | None:
        """An amount just as typed: the policy judges it."""
        return self._read(keys, values.typed_money, default)

    def day(self, *keys: str, default: date | None = None) -> date | None:
        """A calendar day; of a point in time the day."""
        return self._read(keys, lambda value: values.day(value[:10] if isinstance(value, str) else value), default)

    def instant(self, *keys: str, default: datetime | None = None) -> datetime | None:
        """A point in time, local unless it has an offset."""
        return self._read(keys, lambda value: values.instant(value, self.zone), default)

    def end(self, *keys: str, default: datetime | None = None) -> datetime | None:
        """A point in time at which something ends; of a day its end."""
        return self._read(keys, lambda value: values.end(value, self.zone), default)

    def label(self, *keys: str, default: str = _MISSING) -> str:
        """A card's number or a barcode."""
        return self._read(keys, values.number_on_it, default)

    def raw(self, *keys: str, default: Any = None) -> Any:
        """Whatever is written there."""
        return self._read(keys, lambda value: value, default)

    def table(self) -> dict[str, Any]:
        """All fields at once, for an action that is itself an entry of a table."""
        self._heeded |= set(self._data)
        return dict(self._data)

    def leave_out(self, keys: Iterable[str]) -> None:
        """Have these told by `unheeded`."""
        self._heeded -= set(keys)

    def mistake(self, what: str) -> RehearsalError:
        """A sentence about this action."""
        return RehearsalError(f"{self.where} ({self.cmd}): {what}")

    def remark(self, what: str) -> None:
        """Have something told that is no mistake, and counts for nothing."""
        self.remarks.append(f"{self.where} ({self.cmd}): {what}")

    def unheeded(self) -> Iterator[str]:
        """Keys that made no difference."""
        for key in self._data:
            if key not in self._heeded:
                yield f"{self.where} ({self.cmd}): '{key}' is not known and left out of account"
        for row in self._rows:
            yield from row.unheeded()

    def _read(self, keys: tuple[str, ...], read: Callable[[Any], T], default: T) -> T:
        self._heeded |= set(keys)
        for key in keys:
            if self._data.get(key) is not None:
                try:
                    return read(self._data[key])
                except ValueError as error:
                    raise self.mistake(f"{key}: {error}") from None
        if default is _MISSING:
            raise self.mistake(f'"{keys[0]}" is missing')
        return default


def _names(value: Any) -> list[str]:
    """Names, or objects that name an item."""
    entries = value if isinstance(value, list) else [value]
    found = [values.text(one.get("barcode", one.get("item")) if isinstance(one, dict) else one) for one in entries]
    if not found:
        raise ValueError("write at least one")
    return found
