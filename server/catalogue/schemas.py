"""Bodies of the catalogue endpoints."""

from __future__ import annotations

from pydantic import BaseModel


class RecordResponse(BaseModel):
    """A title and how many of its items can be borrowed now."""

    id: int
    title: str
    author: str
    year: str
    edition: str
    language: str
    isbn: str
    class_number: str
    call_number: str
    items_total: int
    items_available: int


class RecordPage(BaseModel):
    """One page of what a search found; `total` counts all pages."""

    total: int
    limit: int
    offset: int
    records: list[RecordResponse]


class ItemResponse(BaseModel):
    """One item; `status` is in_stock, on_loan, missing or withdrawn."""

    barcode: str
    title: str
    author: str
    location: str
    call_number: str
    status: str
    for_loan: bool


class RecordDetailResponse(RecordResponse):
    """A title with its items."""

    items: list[ItemResponse]
