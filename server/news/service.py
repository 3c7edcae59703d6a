"""News: written by the library in both languages, shown to readers from one day to another."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from server.audit import service as audit
from server.news import repository
from server.news.errors import NewsDatesError, UnknownNewsError
from server.news.models import NewsRow


@dataclass(frozen=True, slots=True)
class NewNews:
    """Title and text, plain with empty lines between paragraphs, and the first and the last day it is shown."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class News:
    """News that is kept."""

    id: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    from_on: date
    until_on: date | None

    def shown_on(self, day: date) -> bool:
        """Whether readers see it on a day of the library's."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


def shown(session: Session, on: date, *, limit: int = 50) -> list[News]:
    """What readers see on a day of the library's, newest first."""
    return [_value(row) for row in repository.find(session, on, limit)]


def every(session: Session, *, limit: int = 200) -> list[News]:
    """All news, of the past and of the future too, newest first."""
    return [_value(row) for row in repository.find(session, None, limit)]


def get(session: Session, news_id: int) -> News:
    """One; raises UnknownNewsError."""
    return _value(_known(session, news_id))


def write(session: Session, new: NewNews, *, actor: str, at: datetime) -> int:
    """New news; its key. Raises NewsDatesError."""
    _check(new)
    row = NewsRow(**asdict(new), changed_at=at, changed_by=actor[:80])
    repository.add(session, row)
    audit.record(session, actor=actor, action="news.write", target=f"news:{row.id}", at=at)
    return row.id


def rewrite(session: Session, news_id: int, new: NewNews, *, actor: str, at: datetime) -> None:
    """Other words or days in place of the old ones; raises UnknownNewsError, NewsDatesError."""
    _check(new)
    row = _known(session, news_id)
    for name, value in asdict(new).items():
        setattr(row, name, value)
    row.changed_at, row.changed_by = at, actor[:80]
    audit.record(session, actor=actor, action="news.rewrite", target=f"news:{news_id}", at=at)


def remove(session: Session, news_id: int, *, actor: str, at: datetime) -> None:
    """Take it away for good; raises UnknownNewsError."""
    repository.remove(session, _known(session, news_id))
    audit.record(session, actor=actor, action="news.remove", target=f"news:{news_id}", at=at)


def _check(new: NewNews) -> None:
    if new.until_on is not None and new.until_on < new.from_on:
        raise NewsDatesError


def _known(session: Session, news_id: int) -> NewsRow:
    row = repository.get(session, news_id)
    if row is None:
        raise UnknownNewsError
    return row


def _value(row: NewsRow) -> News:
    return News(
        row.id, row.title_zh, row.title_en, row.text_zh, text_en=row.text_en, from_on=row.from_on, until_on=row.until_on
    )  # fmt: skip
