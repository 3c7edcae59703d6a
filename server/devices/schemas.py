"""Bodies of the network's endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from carrel.contracts.ids import DeviceId, RoomId, Slug
from carrel.contracts.network import DeviceKind, NetworkState

Gateway = Annotated[Slug | None, Field(description="Needed only where several gateways have a network.")]


class NetworkResponse(NetworkState):
    """A network as its gateway last told of it; `online` is whether that gateway is there now."""

    gateway: str
    online: bool


class NetworksResponse(BaseModel):
    """All Zigbee networks of the library."""

    networks: list[NetworkResponse]


class GatewayRequest(BaseModel):
    """Which network is meant. Unknown fields are refused: a misspelt one would open the network for another time."""

    model_config = ConfigDict(extra="forbid")

    gateway: Gateway = None


class JoinRequest(GatewayRequest):
    """How long the join window stays open: 254 s is the longest that Zigbee knows."""

    seconds: int = Field(default=120, ge=1, le=254)


class NameRequest(BaseModel):
    """What a device is called, where it hangs and what it is."""

    device: DeviceId
    zone: RoomId
    device_kind: DeviceKind | None = None


class OrderResponse(BaseModel):
    """`done`: the gateway has carried it out; `sent`: it has not answered yet."""

    id: str
    status: Literal["done", "sent"]
