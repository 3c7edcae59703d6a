"""Opens a backup and checks it whole before anything is made of it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from server.backup import manifest
from server.backup.errors import BackupError
from server.backup.making import CHUNK
from server.backup.manifest import Manifest, Part
from server.migrations.apply import known

MOST_MANIFEST = 16 << 20


class Archive:
    """A backup of which every part is as its manifest says."""

    def __init__(self, zipped: ZipFile, found: Manifest) -> None:
        self._zipped = zipped
        self.manifest = found

    def chunks(self, part: Part) -> Iterator[bytes]:
        """A part's bytes."""
        with self._zipped.open(part.name) as opened:
            while chunk := opened.read(CHUNK):
                yield chunk

    def lines(self, part: Part) -> Iterator[bytes]:
        """A table's rows."""
        with self._zipped.open(part.name) as opened:
            yield from opened


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """Raises BackupError for a file that is no backup, is damaged, or is of a newer Carrel; OSError."""
    try:
        with ZipFile(file) as zipped:
            archive = Archive(zipped, _manifest(zipped))
            for part in archive.manifest.parts:
                _check(archive, part)
            yield archive
    except (BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
        raise BackupError(f"{file} is no whole backup ({error}): it was cut off or altered; take another one") from None


def _manifest(zipped: ZipFile) -> Manifest:
    if zipped.getinfo(manifest.NAME).file_size > MOST_MANIFEST:
        raise BackupError("the backup's manifest is longer than any: this is no backup of Carrel")
    try:
        found = Manifest.model_validate_json(zipped.read(manifest.NAME))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        raise BackupError(
            f"the backup's manifest cannot be read ({where}: {first['msg']}): "
            "a newer Carrel wrote it, or it was altered"
        ) from None
    names = [part.name for part in found.parts]
    if sorted([*names, manifest.NAME]) != sorted(zipped.namelist()):
        raise BackupError("the backup holds other files than its manifest names: it was altered; take another one")
    if not known(found.revision):
        raise BackupError(
            f"the backup's tables are of version {found.revision}, newer than this program's: "
            f"install Carrel {found.program} or later, then restore"
        )
    return found


def _check(archive: Archive, part: Part) -> None:
    digest, size = hashlib.sha256(), 0
    for chunk in archive.chunks(part):
        digest.update(chunk)
        size += len(chunk)
        if size > part.size:
            break
    if (size, digest.hexdigest()) != (part.size, part.sha256):
        raise BackupError(f"the backup's '{part.name}' is not what was backed up: it was altered; take another one")
