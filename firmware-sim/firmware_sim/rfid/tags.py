"""The library's tags: which there are, where each lies, and what is on them, kept in a file over restarts."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from firmware_sim.rfid.chip import BLOCK_COUNT, BLOCK_SIZE, Tag
from firmware_sim.rfid.content import DSFID, PATRON, Label, encode

AFI_SECURED: Final = 0x07
AFI_ON_LOAN: Final = 0xC2
SAVE_DELAY_S: Final = 0.5

_VERSION: Final = 1
_UID_HEAD: Final = bytes.fromhex("E0040150")
_BOOK: Final = "BA"

_log = logging.getLogger(__name__)


class TagStoreError(KeyError):
    """What was asked for is not there; the message says what is."""

    def __str__(self) -> str:
        return str(self.args[0])


class UnknownTagError(TagStoreError):
    """No tag, or no pad, of this name."""


class TagNotThereError(TagStoreError):
    """The tag does not lie on this pad."""


class StateError(ValueError):
    """The state file cannot be used."""


class TagStore:
    """All tags by the barcode or card number printed on them.

    `spec`: {"items": {"first", "count", "on_loan": [...]}, "cards": {"first", "count"}, "owner": ISIL}, and "shelf"
    for the items' shelf location if they shall carry one. ValueError when it makes no sense, StateError when the
    file at `state_path` is damaged.
    """

    def __init__(self, spec: Mapping[str, Any], *, state_path: Path | None) -> None:
        self._path = state_path
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pads: set[str] = set()
        self._ranges: list[str] = []
        self._tags: dict[str, Tag] = {}
        self._make_items(spec)
        self._make_cards(spec)
        self.load()
        for tag in self._tags.values():
            tag.on_change = self._changed

    def add_pad(self, pad: str) -> None:
        """Announce a pad; from then on tags can be placed on announced pads only."""
        self._pads.add(pad)

    def place(self, pad: str, names: Sequence[str]) -> None:
        """Lay tags on a pad, taking them from wherever they lie; all or, with UnknownTagError, none."""
        if self._pads and pad not in self._pads:
            raise UnknownTagError(f"no pad {pad!r}; there are: {', '.join(sorted(self._pads))}")
        tags = [self.tag(name) for name in names]
        for tag in tags:
            if tag.pad != pad:
                tag.move(pad)

    def remove(self, pad: str, names: Sequence[str]) -> None:
        """Take tags off a pad; all or, with UnknownTagError or TagNotThereError, none."""
        tags = [self.tag(name) for name in names]
        for tag in tags:
            if tag.pad != pad:
                where = "on no pad" if tag.pad is None else f"on pad {tag.pad!r}"
                raise TagNotThereError(f"tag {tag.name!r} is not on pad {pad!r}; it lies {where}")
        for tag in tags:
            tag.move(None)

    def tag(self, name: str) -> Tag:
        """The tag of this barcode or card number."""
        if name not in self._tags:
            raise UnknownTagError(f"no tag {name!r}; {', '.join(self._ranges)}")
        return self._tags[name]

    def on_pad(self, pad: str) -> list[Tag]:
        """The tags in a pad's field."""
        return [tag for tag in self._tags.values() if tag.pad == pad]

    def observe(self) -> dict[str, dict[str, Any]]:
        """Every tag as it is: {name: {"pad", "uid", "afi", "blocks"}}, bytes as upper-case hex digits."""
        return {
            name: {
                "pad": tag.pad,
                "uid": tag.uid.hex().upper(),
                "afi": f"{tag.afi:02X}",
                "blocks": [block.hex().upper() for block in tag.blocks()],
            }
            for name, tag in self._tags.items()
        }

    def fail_next_writes(self, name: str, count: int) -> None:
        """Fault: the tag answers its next `count` write commands with "not programmed" (ISO error 13)."""
        self.tag(name).fail_writes = count

    def vanish_after(self, name: str, count: int) -> None:
        """Fault: the tag leaves its pad after `count` more commands to it (0: it does not answer the next one)."""
        self.tag(name).vanish_after = count

    def save(self) -> None:
        """Write the state file now, replacing the old one as a whole; OSError as it comes."""
        self._loop = None
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        state = {"version": _VERSION, "tags": {name: _dump(tag) for name, tag in self._tags.items()}}
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def load(self) -> None:
        """Read the state file if there is one; tags it does not know stay as they are. StateError when damaged."""
        if self._path is None or not self._path.exists():
            return
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
            if state["version"] != _VERSION:
                raise ValueError(f"version {state['version']}, expected {_VERSION}")
            known = {name: kept for name, kept in state["tags"].items() if name in self._tags}
            restored = {name: _restored(self._tags[name], kept) for name, kept in known.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateError(
                f"{self._path} is not a usable tag state file ({error}); delete it to start with fresh tags"
            ) from error
        self._tags.update(restored)

    def _make_items(self, spec: Mapping[str, Any]) -> None:
        names = self._range(spec["items"], "items")
        on_loan = {str(name) for name in spec["items"].get("on_loan", ())}
        if not on_loan <= set(names):
            raise ValueError(f"on_loan names no item: {', '.join(sorted(on_loan - set(names)))}; {self._ranges[-1]}")
        for name in names:
            label = Label(
                name,
                spec["owner"],
                set_info="11",
                shelf_location=spec.get("shelf", ""),
                onix_media_format=_BOOK,
            )
            lent = name in on_loan
            self._add(label, afi=AFI_ON_LOAN if lent else AFI_SECURED, eas=not lent)

    def _make_cards(self, spec: Mapping[str, Any]) -> None:
        for name in self._range(spec["cards"], "cards"):
            self._add(Label(name, spec["owner"], usage=PATRON), afi=0, eas=False)

    def _range(self, part: Mapping[str, Any], what: str) -> list[str]:
        first, count = int(part["first"]), int(part["count"])
        if count < 0 or not 0 < first + count <= 0xFFFFFFFF:
            raise ValueError(f"{what}: first {first} and count {count} make no numbers of at most ten digits")
        self._ranges.append(f"{what} {first}..{first + count - 1}" if count else f"no {what}")
        return [str(number) for number in range(first, first + count)]

    def _add(self, label: Label, *, afi: int, eas: bool) -> None:
        if label.item_id in self._tags:
            raise ValueError(f"{label.item_id} is both an item and a card")
        memory = bytearray(encode(label, BLOCK_COUNT * BLOCK_SIZE))
        self._tags[label.item_id] = Tag(
            label.item_id, uid_of(label.item_id), memory=memory, afi=afi, dsfid=DSFID, eas=eas
        )

    def _changed(self) -> None:
        """Save soon: many changes in a row make one write. Without a running loop, save now."""
        if self._path is None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.save()
            return
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(SAVE_DELAY_S, self._save_if_due)

    def _save_if_due(self) -> None:
        if self._loop is None:
            return
        try:
            self.save()
        except OSError as error:
            _log.error("tag state not saved: %s", error)


def uid_of(name: str) -> bytes:
    """The UID of a number's tag, E0 first: SLIX, its low 32 bits a scrambled but never repeated image of the number."""
    value = int(name)
    for _ in range(2):
        value = value * 0x9E3779B1 & 0xFFFFFFFF
        value ^= value >> 15
    return _UID_HEAD + value.to_bytes(4, "big")


def _dump(tag: Tag) -> dict[str, Any]:
    return {
        "pad": tag.pad,
        "afi": tag.afi,
        "dsfid": tag.dsfid,
        "eas": tag.eas,
        "blocks": [block.hex().upper() for block in tag.blocks()],
        "locked": sorted(tag.locked),
        "afi_locked": tag.afi_locked,
        "dsfid_locked": tag.dsfid_locked,
        "eas_locked": tag.eas_locked,
    }


def _restored(fresh: Tag, kept: Mapping[str, Any]) -> Tag:
    """The tag as the file has it; ValueError, KeyError or TypeError when the file is wrong."""
    memory = bytearray().join(bytes.fromhex(block) for block in kept["blocks"])
    if len(memory) != len(fresh.memory):
        raise ValueError(f"tag {fresh.name} has {len(memory)} bytes, expected {len(fresh.memory)}")
    pad = kept["pad"]
    if pad is not None and not isinstance(pad, str):
        raise TypeError(f"tag {fresh.name} lies on {pad!r}")
    return Tag(
        fresh.name,
        fresh.uid,
        memory=memory,
        afi=_byte(kept["afi"]),
        dsfid=_byte(kept["dsfid"]),
        eas=bool(kept["eas"]),
        locked={_byte(block) for block in kept["locked"]},
        afi_locked=bool(kept["afi_locked"]),
        dsfid_locked=bool(kept["dsfid_locked"]),
        eas_locked=bool(kept["eas_locked"]),
        pad=pad,
    )


def _byte(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= 0xFF:
        raise ValueError(f"{value!r} is not a byte")
    return value
