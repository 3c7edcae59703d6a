"""Non-volatile memory of the coordinator: items by (system, item, sub-item), kept in a JSON file.

OSAL items are items of system 1, item 0, with their number as the sub-item, as in Z-Stack 3.30.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

LOGGER: Final = logging.getLogger(__name__)
ZSTACK: Final = 1
LEGACY: Final = 0

Key = tuple[int, int, int]


def osal(item: int) -> Key:
    """Key of an item of the old numbering."""
    return (ZSTACK, LEGACY, item)


def entry(table: int, index: int) -> Key:
    """Key of one entry of an extended table."""
    return (ZSTACK, table, index)


def load_json(path: Path | None) -> dict[str, Any]:
    """What `save_json` kept; empty when there is no file. A file that is no JSON object is set aside as *.broken."""
    if path is None or not path.exists():
        return {}
    try:
        data = json.loads(path.read_text("utf-8"))
        if isinstance(data, dict):
            return data
    except ValueError:
        pass
    broken = path.with_name(path.name + ".broken")
    path.replace(broken)
    LOGGER.warning("%s is unreadable; starting blank, the old file is kept as %s", path, broken.name)
    return {}


def save_json(path: Path, data: dict[str, Any]) -> None:
    """Put `data` in place of the file in one step, so that a kill leaves either the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(data, indent=0, sort_keys=True), "utf-8")
    fresh.replace(path)


class Nv:
    """The items. `on_change` is called at each change, so that the owner can save soon."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._items: dict[Key, bytes] = {}
        for name, value in load_json(path).items():
            system, item, sub = (int(part, 16) for part in name.split("/"))
            self._items[system, item, sub] = bytes.fromhex(value)
        self.on_change: Callable[[], None] = lambda: None

    def get(self, key: Key) -> bytes:
        """Content, empty when the item is missing."""
        return self._items.get(key, b"")

    def put(self, key: Key, data: bytes) -> None:
        """Create or replace an item."""
        if self._items.get(key) != data:
            self._items[key] = data
            self.on_change()

    def patch(self, key: Key, offset: int, data: bytes) -> bool:
        """Overwrite part of an item; False when it is missing or `data` would not fit."""
        old = self._items.get(key, b"")
        end = offset + len(data)
        if not old or end > len(old):
            return False
        self.put(key, old[:offset] + data + old[end:])
        return True

    def delete(self, key: Key) -> bool:
        """Remove an item; False when it was missing."""
        if self._items.pop(key, None) is None:
            return False
        self.on_change()
        return True

    def table(self, number: int) -> list[bytes]:
        """All entries of an extended table, from 0 to the first gap."""
        entries: list[bytes] = []
        while data := self.get(entry(number, len(entries))):
            entries.append(data)
        return entries

    def save(self) -> None:
        """Write the file; does nothing without a path."""
        if self._path is not None:
            save_json(self._path, {f"{s:x}/{i:x}/{n:04x}": data.hex() for (s, i, n), data in self._items.items()})
