"""Pictures of covers: files in a folder of the library's, named by ISBN (`9787020002207.jpg`) or by the title's number
(`title-17.png`), the number that stands in the address of its page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from server.catalogue.isbn import isbn13

TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
TITLE = re.compile(r"title-0*([1-9]\d*)")


class Covers:
    """The pictures of one folder, or none without a folder. What is put into it or taken out is heeded at once."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: tuple[int, Mapping[str, str]] = (-1, {})

    def of(self, record_id: int, isbn: str) -> str:
        """The name of a title's picture; its own goes before that of its ISBN. Empty where there is none."""
        names = self._names()
        return names.get(f"title-{record_id}") or names.get(isbn13(isbn) or "", "")

    def file(self, name: str) -> tuple[Path, str] | None:
        """Where a picture lies and its media type; None for what is no picture of ours."""
        if self._folder is None or name not in self._names().values():
            return None
        return self._folder / name, TYPES[Path(name).suffix.lower()]

    def _names(self) -> Mapping[str, str]:
        """What a picture is of -> its name, as of the folder's last change; a folder that is away has none."""
        if self._folder is None:
            return {}
        try:
            changed = self._folder.stat().st_mtime_ns
            if changed != self._known[0]:
                self._known = changed, _read(self._folder)
        except OSError:
            return {}
        return self._known[1]


def _read(folder: Path) -> Mapping[str, str]:
    return {
        of: file.name for file in sorted(folder.iterdir()) if file.suffix.lower() in TYPES and (of := _of(file.stem))
    }


def _of(stem: str) -> str:
    title = TITLE.fullmatch(stem)
    return f"title-{title[1]}" if title else isbn13(stem) or ""
