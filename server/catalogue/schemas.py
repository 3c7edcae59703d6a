"""Bodies of the catalogue endpoints."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from server.catalogue.policy import Status


class SearchQuery(BaseModel):
    """What titles are searched for; docs/search.md tells what `q` may say."""

    q: Annotated[str, Field(max_length=400, description="words of the title, author, subject, ISBN or call number")] = (
        ""
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    kind: Annotated[str | None, Field(max_length=20)] = None
    language: Annotated[str | None, Field(max_length=16)] = None
    class_letter: Annotated[str | None, Field(alias="class", max_length=4, description="main class")] = None
    year_from: Annotated[int | None, Field(ge=0, le=9999)] = None
    year_to: Annotated[int | None, Field(ge=0, le=9999)] = None
    branch: Annotated[str | None, Field(max_length=63, description="titles with a copy there")] = None
    available: Annotated[bool, Field(description="titles of which a copy can be borrowed now")] = False
    facets: Annotated[bool, Field(description="tell how the hits divide")] = False


class BranchResponse(BaseModel):
    """A title's copies at one branch: those not gone, and those that can be borrowed now."""

    branch: str
    total: int
    available: int


class RecordResponse(BaseModel):
    """A title and how many of its items can be borrowed now; `items_total` leaves out what is lost or withdrawn."""

    id: int
    title: str
    author: str
    year: str
    edition: str
    language: str
    isbn: str
    class_number: str
    call_number: str
    kind: str
    publisher: str
    items_total: int
    items_available: int
    branches: list[BranchResponse]


class FacetsResponse(BaseModel):
    """How the newest `of` hits divide: value and number of titles; `partial` when there are more hits than that."""

    kind: list[tuple[str, int]]
    language: list[tuple[str, int]]
    decade: list[tuple[str, int]]
    class_letter: Annotated[list[tuple[str, int]], Field(serialization_alias="class")]
    branch: list[tuple[str, int]]
    available: int
    of: int
    partial: bool


class RecordPage(BaseModel):
    """One page of what a search found; `total` counts all pages, and `more` says that there are more than that.

    When `near` is true, the first `exact` titles of all pages hold every word, and the others come near it.
    """

    total: int
    more: bool
    exact: int
    near: bool
    limit: int
    offset: int
    records: list[RecordResponse]
    facets: FacetsResponse | None


class HoldingResponse(BaseModel):
    """One item as everybody may see it; `at_branch` is where it is now."""

    barcode: str
    title: str
    author: str
    branch: str
    at_branch: str
    location: str
    call_number: str
    type: str
    status: Status
    for_loan: bool


class ItemResponse(HoldingResponse):
    """One item as colleagues see it. `price` in the library's currency; `tags`: parts with a tag of their own."""

    id: int
    record_id: int
    price: Decimal | None
    tags: int
    transit_to: str | None
    note: str
    last_seen_at: AwareDatetime | None


class RecordDetailResponse(RecordResponse):
    """A title with its items."""

    subjects: list[str]
    summary: str
    title_alt: list[str]
    items: list[HoldingResponse]
