"""`[server.catalogue]` of config.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from carrel.config import Section
from carrel.contracts.ids import Slug
from server.catalogue.marc.record import MarcFormat


class SruConfig(Section):
    """`[[server.catalogue.sru]]`: another library's catalogue, asked by SRU for an ISBN that is not known here."""

    name: Slug
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", max_length=180)]
    version: Literal["1.1", "1.2"] = "1.1"
    record_schema: Annotated[str, Field(pattern=r"^[\w:./-]+$")] = "marcxml"
    format: MarcFormat = "marc21"
    index: Annotated[str, Field(pattern=r"^[\w.]+$")] = "bath.isbn"
    timeout_s: float = Field(default=5.0, gt=0, le=30)


class CatalogueConfig(Section):
    """`[server.catalogue]`: the folder of covers; how long answers of other catalogues are kept, and which are
    asked, in this order."""

    covers: Path | None = None
    sru_cache_days: int = Field(default=30, ge=0, le=3650)
    sru: tuple[SruConfig, ...] = ()
