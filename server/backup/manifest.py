"""What a backup says of itself: `manifest.json` in the archive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Literal["carrel-backup"] = "carrel-backup"
VERSION: Literal[1] = 1
NAME = "manifest.json"

PartKind = Literal["table", "gateway", "zigbee", "zigbee-backup", "config", "token"]


class Part(BaseModel):
    """One file of the archive. A table's is a JSON array a line, in the order of `columns`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")]
    kind: PartKind
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rows: Annotated[int, Field(ge=0)] = 0
    columns: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The name without folder and ending: a table's own name."""
        return self.name.rpartition("/")[2].removesuffix(".jsonl")


class Manifest(BaseModel):
    """`revision` is the schema's, `program` the version of Carrel that wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["carrel-backup"] = FORMAT
    version: Literal[1] = VERSION
    made_at: datetime
    program: str
    library: str
    database: Literal["sqlite", "postgresql"]
    revision: str
    parts: tuple[Part, ...]

    def of(self, kind: PartKind) -> tuple[Part, ...]:
        """The parts of a kind."""
        return tuple(part for part in self.parts if part.kind == kind)
