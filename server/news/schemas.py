"""Bodies of the news endpoints."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from server.deps import Day
from server.prose import WrittenLine, WrittenProse


class NewsRequest(BaseModel):
    """News in both languages: plain text, with empty lines between paragraphs."""

    model_config = ConfigDict(extra="forbid")

    title_zh: WrittenLine
    title_en: WrittenLine
    text_zh: WrittenProse
    text_en: WrittenProse
    from_on: Day
    until_on: Day | None = None


class NewsResponse(BaseModel):
    """News; it is shown from the first to the last day, or without a last one for good."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    from_on: date
    until_on: date | None


class NewsListResponse(BaseModel):
    """Newest first."""

    news: list[NewsResponse]
