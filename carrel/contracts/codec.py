"""Contract <-> JSON bytes. Bad bytes become a ContractError with one clear sentence."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from carrel.contracts.actuation import EDGE_COMMAND, EdgeOrder
from carrel.contracts.base import Contract

C = TypeVar("C", bound=Contract)

MAX_PAYLOAD = 1 << 20
"""Bytes; a telemetry batch stays far below."""


class ContractError(ValueError):
    """A payload that does not fit its contract."""


def encode(message: Contract) -> bytes:
    """Compact UTF-8 JSON; fields that are None are left out."""
    return message.model_dump_json(exclude_none=True).encode()


def decode(kind: type[C], payload: bytes) -> C:
    """Read one message; raises ContractError."""
    _check_size(payload)
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        raise ContractError(_sentence(kind.__name__, error)) from error


def decode_command(payload: bytes) -> EdgeOrder:
    """Read any command to the edge; raises ContractError."""
    _check_size(payload)
    try:
        return EDGE_COMMAND.validate_json(payload)
    except ValidationError as error:
        raise ContractError(_sentence("command", error)) from error


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise ContractError(f"payload of {len(payload)} bytes is over the limit of {MAX_PAYLOAD}")


def _sentence(kind: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "payload"
    return f"not a {kind}: {where}: {first['msg']}"
