"""`/api/v1/gateways`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.requests import HTTPConnection

from carrel.contracts.ids import Slug
from server.deps import Principal, Role, require
from server.gateways.service import Gateways

router = APIRouter(prefix="/api/v1/gateways", tags=["gateways"])

Administrator = Annotated[Principal, require(Role.ADMINISTRATOR)]
GatewayId = Annotated[Slug, Path(description="As `[gateway] id` in its config.toml.")]

EvenIfOnline = Annotated[bool, Query(description="It is long gone, and the broker still says that it is online.")]


def gateways_of(connection: HTTPConnection) -> Gateways:
    """The gateways of this process; put there by `server.live.part`."""
    gateways = connection.app.state.gateways
    assert isinstance(gateways, Gateways)
    return gateways


GatewaysDep = Annotated[Gateways, Depends(gateways_of)]


@router.delete("/{gateway}", status_code=204)
def retire(
    gateway: GatewayId, gateways: GatewaysDep, principal: Administrator, *, even_if_online: EvenIfOnline = False
) -> None:
    """Forget a gateway that will not come back: what the broker retains of it is cleared, and its alarms end."""
    gateways.retire(gateway, by=principal, even_if_online=even_if_online)
