"""The devices' page, for staff. Every form works without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.responses import Response

from carrel.contracts.ids import DeviceId, RoomId
from carrel.contracts.network import DeviceKind, Ieee
from carrel.web.i18n import in_language
from carrel.web.words import refusal
from server.deps import Principal, Role, public
from server.devices.endpoints import NetworksDep
from server.devices.service import Asked, Naming
from server.errors import DomainError
from server.pages.dashboard import words as building_words
from server.pages.devices import words as device_words
from server.pages.devices.views import NetworkView, network_view
from server.pages.rooms import words as room_words
from server.pages.shell import VisitDep
from server.rooms.endpoints import rooms_of
from server.rooms.service import Rooms

router = APIRouter(include_in_schema=False, dependencies=[public()])

JOIN_SECONDS = (60, 120, 240)
RoomsDep = Annotated[Rooms, Depends(rooms_of)]
Gateway = Annotated[str, Form(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Desk:
    """What every form of the page needs: who asks, and how the answer is shown."""

    def __init__(self, visit: VisitDep, networks: NetworksDep, rooms: RoomsDep) -> None:
        self.visit = visit
        self.networks = networks
        self.rooms = rooms

    def views(self) -> list[NetworkView]:
        """Every network as the page shows it."""
        names = self.room_names()
        return [network_view(network, names, self.rooms.picture.state_of) for network in self.networks.all()]

    def room_names(self) -> dict[str, str]:
        """Id -> name in the visitor's language, in the order of config.toml."""
        configs = [plan.config for plan in self.rooms.plan.rooms.values()]
        return {c.id: in_language(self.visit.language, (c.name, c.name_zh)) for c in configs}

    def show(self, template: str, *, told: str = "", refused: str = "", status: int = 200) -> Response:
        """The page or its changing part."""
        context: dict[str, Any] = {
            "networks": self.views(),
            "rev": self.rooms.picture.network_rev(),
            "rooms": self.room_names(),
            "dw": device_words,
            "rw": room_words,
            "bw": building_words,
            "join_seconds": JOIN_SECONDS,
            "may_form": self.visit.caller is not None and self.visit.caller.has(Role.ADMINISTRATOR),
        }
        return self.visit.page(template, status=status, told=told, refused=refused, **context)

    def carry_out(self, action: str, ask: Callable[[Principal], Asked]) -> Response:
        """Ask the gateway, and answer with the page."""
        if (caller := self.visit.staff()) is None:
            return self.visit.to_sign_in()
        words, told, refused = self.visit.words, "", ""
        try:
            asked = ask(caller)
            answer = device_words.SENT if asked.status == "sent" else device_words.DONE[action]
            told = words.gettext(answer)
        except DomainError as error:
            refused = refusal(words, error.code, error.params)
        if self.visit.by_htmx:
            return self.show("devices/_desk.html", told=told, refused=refused)
        return self.show("devices/devices.html", told=told, refused=refused, status=409 if refused else 200)


DeskDep = Annotated[Desk, Depends()]


@router.get("/devices")
def devices(desk: DeskDep) -> Response:
    """The networks and their devices."""
    return desk.visit.to_sign_in() if desk.visit.staff() is None else desk.show("devices/devices.html")


@router.get("/fragments/network")
def network_fragment(desk: DeskDep) -> Response:
    """The part of the page that changes."""
    return desk.visit.to_sign_in() if desk.visit.staff() is None else desk.show("devices/_network.html")


@router.post("/devices/join")
def join(desk: DeskDep, gateway: Gateway, seconds: Annotated[int, Form(ge=1, le=254)]) -> Response:
    """Open the join window."""
    return desk.carry_out("permit", lambda by: desk.networks.permit(seconds, gateway=gateway, by=by))


@router.post("/devices/network/{action}")
def simply(action: Literal["close", "backup", "form"], desk: DeskDep, gateway: Gateway) -> Response:
    """Close the join window, write a backup, or, for administrators, form a network."""
    caller = desk.visit.caller
    if action == "form" and caller is not None and not caller.has(Role.ADMINISTRATOR):
        raise HTTPException(403)
    return desk.carry_out(action, lambda by: desk.networks.simply(action, gateway=gateway, by=by))


@router.post("/devices/{ieee}/name")
def name(
    ieee: Ieee,
    desk: DeskDep,
    *,
    device: Annotated[DeviceId, Form()],
    zone: Annotated[RoomId, Form()],
    device_kind: Annotated[DeviceKind | Literal[""], Form()] = "",
) -> Response:
    """Name a device, or move it to another room."""
    naming = Naming(device, zone, device_kind or None)
    return desk.carry_out("name", lambda by: desk.networks.name(ieee, naming, by=by))


@router.post("/devices/{ieee}/{action}")
def about(ieee: Ieee, action: Literal["remove", "reinterview"], desk: DeskDep) -> Response:
    """Remove a device, or ask it everything again."""
    return desk.carry_out(action, lambda by: desk.networks.about(action, ieee, by=by))
