"""`/api/v1/network`: the Zigbee network's devices, its join window, its backup."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import HTTPConnection

from carrel.contracts.network import Ieee
from server.deps import STAFF, Principal, Role, require
from server.devices.schemas import (
    Gateway,
    GatewayRequest,
    JoinRequest,
    NameRequest,
    NetworkResponse,
    NetworksResponse,
    OrderResponse,
)
from server.devices.service import Asked, Naming, Networks

router = APIRouter(prefix="/api/v1/network", tags=["devices"])

Staff = Annotated[Principal, require(*STAFF)]
Administrator = Annotated[Principal, require(Role.ADMINISTRATOR)]


def networks_of(connection: HTTPConnection) -> Networks:
    """The networks of this process; put there by `server.live.part`."""
    networks = connection.app.state.network
    assert isinstance(networks, Networks)
    return networks


NetworksDep = Annotated[Networks, Depends(networks_of)]
GatewayQuery = Annotated[Gateway, Query()]


@router.get("")
def network(networks: NetworksDep, _caller: Staff) -> NetworksResponse:
    """Every network with its devices, as its gateway last told of it."""
    return NetworksResponse(
        networks=[
            NetworkResponse(gateway=found.gateway, online=found.online, **dict(found.state)) for found in networks.all()
        ]
    )


@router.post("/join", status_code=201)
def open_window(body: JoinRequest, response: Response, *, networks: NetworksDep, principal: Staff) -> OrderResponse:
    """Let devices join for a while."""
    return _told(networks.permit(body.seconds, gateway=body.gateway, by=principal), response)


@router.delete("/join")
def close_window(
    response: Response, *, networks: NetworksDep, principal: Staff, gateway: GatewayQuery = None
) -> OrderResponse:
    """Shut the join window before its time."""
    return _told(networks.simply("close", gateway=gateway, by=principal), response)


@router.patch("/devices/{ieee}")
def name_device(
    ieee: Ieee, body: NameRequest, response: Response, *, networks: NetworksDep, principal: Staff
) -> OrderResponse:
    """Give a device its name, room and kind."""
    return _told(networks.name(ieee, Naming(body.device, body.zone, body.device_kind), by=principal), response)


@router.delete("/devices/{ieee}")
def remove_device(ieee: Ieee, response: Response, *, networks: NetworksDep, principal: Staff) -> OrderResponse:
    """Ask a device to leave and forget it."""
    return _told(networks.about("remove", ieee, by=principal), response)


@router.post("/devices/{ieee}/reinterview")
def reinterview(ieee: Ieee, response: Response, *, networks: NetworksDep, principal: Staff) -> OrderResponse:
    """Ask a device everything again."""
    return _told(networks.about("reinterview", ieee, by=principal), response)


@router.post("/backup")
def back_up(body: GatewayRequest, response: Response, *, networks: NetworksDep, principal: Staff) -> OrderResponse:
    """Write a backup of the network now."""
    return _told(networks.simply("backup", gateway=body.gateway, by=principal), response)


@router.post("/form", status_code=201)
def form(body: GatewayRequest, response: Response, *, networks: NetworksDep, principal: Administrator) -> OrderResponse:
    """Make a network on a radio that has none."""
    return _told(networks.simply("form", gateway=body.gateway, by=principal), response)


def _told(asked: Asked, response: Response) -> OrderResponse:
    if asked.status == "sent":
        response.status_code = 202
    return OrderResponse(id=asked.id, status=asked.status)
