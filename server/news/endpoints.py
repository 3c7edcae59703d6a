"""`/api/v1/news`: everybody reads what is shown today, the library writes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, status

from carrel.clock import local_date
from server.deps import DESK, CoreDep, Principal, ReadSession, WriteSession, public, require
from server.news import service
from server.news.schemas import NewsListResponse, NewsRequest, NewsResponse

router = APIRouter(prefix="/api/v1/news", tags=["news"])

Desk = Annotated[Principal, require(*DESK)]
Key = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("")
def news(session: ReadSession, core: CoreDep, _caller: Annotated[Principal | None, public()]) -> NewsListResponse:
    """What is shown today."""
    today = local_date(core.clock.now(), core.settings.common.library.zone)
    return NewsListResponse(news=[NewsResponse.model_validate(one) for one in service.shown(session, today)])


@router.get("/all")
def every(session: ReadSession, _desk: Desk) -> NewsListResponse:
    """What was, is and will be shown."""
    return NewsListResponse(news=[NewsResponse.model_validate(one) for one in service.every(session)])


@router.post("", status_code=status.HTTP_201_CREATED)
def write(body: NewsRequest, session: WriteSession, core: CoreDep, desk: Desk) -> NewsResponse:
    """Write news."""
    key = service.write(session, new_of(body), actor=desk.subject, at=core.clock.now())
    return NewsResponse.model_validate(service.get(session, key))


@router.put("/{news_id}")
def rewrite(news_id: Key, body: NewsRequest, session: WriteSession, core: CoreDep, *, desk: Desk) -> NewsResponse:
    """Write it anew."""
    service.rewrite(session, news_id, new_of(body), actor=desk.subject, at=core.clock.now())
    return NewsResponse.model_validate(service.get(session, news_id))


@router.delete("/{news_id}", status_code=204)
def remove(news_id: Key, session: WriteSession, core: CoreDep, desk: Desk) -> None:
    """Take it away."""
    service.remove(session, news_id, actor=desk.subject, at=core.clock.now())


def new_of(body: NewsRequest) -> service.NewNews:
    """A request's body as the service takes it."""
    return service.NewNews(**body.model_dump())
