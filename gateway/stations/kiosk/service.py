"""The kiosk's talk with the server, over REST with the machine token. What does not answer is a value, not an error."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from carrel.contracts.circulation import (
    BatchResult,
    CheckinRequest,
    CheckoutRequest,
    ItemRef,
    ItemResult,
    PatronStanding,
    PreviewRequest,
)
from carrel.contracts.ids import CardNumber

log = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)

ANSWER_WITHIN_S = 3.0
API = "/api/v1"
CARD: TypeAdapter[str] = TypeAdapter(CardNumber)
ASK_AGAIN = frozenset(
    {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}
)
"""Client errors that say nothing about the request: the token is being changed, or the server is busy."""


class Lending:
    """One kiosk's client. Methods return None when the server did not answer."""

    def __init__(self, server_url: str, token_file: Path) -> None:
        """The token is read at each call, as the server makes the file at its first start."""
        self._token_file = token_file
        self._client = httpx.AsyncClient(base_url=server_url, timeout=ANSWER_WITHIN_S, trust_env=False)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def alive(self) -> bool:
        """Whether the server is ready to lend."""
        try:
            return (await self._client.get("/readyz")).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    async def standing(self, card: str) -> PatronStanding | str:
        """A patron's standing, or a code: `unknown_card`, `server_timeout`."""
        try:
            CARD.validate_python(card)
        except ValidationError:
            return "unknown_card"  # what a tag says may be anything; no server knows this
        answer = await self._ask("GET", f"{API}/patrons/by-card/{quote(card, safe='')}/standing")
        if answer is None or answer.status_code in ASK_AGAIN:
            return "server_timeout"
        if answer.status_code == httpx.codes.OK:
            return _read(PatronStanding, answer) or "server_timeout"
        return str(_problem_code(answer) or "server_timeout")

    async def preview(self, card: str, barcodes: Iterable[str]) -> tuple[ItemResult, ...] | None:
        """What would happen to these items."""
        body = PreviewRequest(card=card, items=_refs(barcodes))
        answer = await self._ask("POST", f"{API}/circulation/preview", body)
        result = _read(BatchResult, answer)
        return result.results if result else None

    async def checkout(self, request_id: str, card: str, barcodes: Iterable[str]) -> tuple[ItemResult, ...] | None:
        """Lend; the same request_id may be asked again and gives the same answer."""
        return await self._change("checkouts", CheckoutRequest(request_id=request_id, card=card, items=_refs(barcodes)))

    async def checkin(self, request_id: str, barcodes: Iterable[str]) -> tuple[ItemResult, ...] | None:
        """Take back; the same request_id may be asked again and gives the same answer."""
        return await self._change("checkins", CheckinRequest(request_id=request_id, items=_refs(barcodes)))

    async def _change(self, what: str, body: CheckoutRequest | CheckinRequest) -> tuple[ItemResult, ...] | None:
        answer = await self._ask("POST", f"{API}/circulation/{what}", body)
        if answer is not None and answer.is_client_error and answer.status_code not in ASK_AGAIN:
            code = _problem_code(answer) or "refused"
            return tuple(ItemResult(barcode=item.barcode, status="refused", code=code) for item in body.items)
        result = _read(BatchResult, answer)
        return result.results if result else None

    async def _ask(self, method: str, path: str, body: BaseModel | None = None) -> httpx.Response | None:
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
            return await self._client.request(
                method,
                path,
                content=body.model_dump_json(exclude_unset=True) if body else None,
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            )
        except (httpx.HTTPError, OSError, UnicodeDecodeError) as error:
            log.info("server did not answer %s %s: %s", method, path.rsplit("/", 1)[-1], type(error).__name__)
            return None


def _refs(barcodes: Iterable[str]) -> tuple[ItemRef, ...]:
    return tuple(ItemRef(barcode=barcode) for barcode in barcodes)


def _read(kind: type[T], answer: httpx.Response | None) -> T | None:
    if answer is None or answer.status_code != httpx.codes.OK:
        return None
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        log.error("the server's answer does not fit: %s", error)
        return None


def _problem_code(answer: httpx.Response) -> str | None:
    """The stable code of a problem document (RFC 9457)."""
    try:
        code = answer.json().get("code")
    except (ValueError, AttributeError):
        return None
    return code if isinstance(code, str) else None
