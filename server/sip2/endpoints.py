"""`/api/v1/sip2/terminals`: how the self-service terminals are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from server.deps import STAFF, Principal, require
from server.sip2.terminals import Terminals

router = APIRouter(prefix="/api/v1/sip2", tags=["sip2"])

Staff = Annotated[Principal, require(*STAFF)]


class TerminalResponse(BaseModel):
    """A terminal that config.toml names, as it was last heard. `state` is what it said of itself (message 99)."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    place: str
    branch: str
    online: bool
    connections: int
    addresses: tuple[str, ...]
    state: Literal["ok", "paper_out", "shutting_down", "unknown"]
    since: datetime | None
    last_message: str | None
    last_message_at: datetime | None
    last_status: str | None
    messages: int
    refused: int
    garbled: int


class TerminalsResponse(BaseModel):
    """All terminals. `listening` is the port, or null when none is served; `strangers` have not signed in yet."""

    listening: int | None
    terminals: list[TerminalResponse]
    strangers: int
    turned_away: int


@router.get("/terminals")
async def terminals(request: Request, _caller: Staff) -> TerminalsResponse:
    """Every terminal: connected or not, what it last asked for, and whether it is out of paper."""
    known, listener = request.app.state.terminals, request.app.state.sip2
    assert isinstance(known, Terminals)
    return TerminalsResponse(
        listening=listener.port if listener else None,
        terminals=[TerminalResponse.model_validate(row) for row in known.all()],
        strangers=known.strangers,
        turned_away=known.turned_away,
    )
