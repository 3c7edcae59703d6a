"""The rooms' pages. Everybody may look; staff may take control."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from carrel.contracts.ids import RequestId
from carrel.web.words import refusal
from server.deps import public
from server.pages.dashboard import words as building_words
from server.pages.dashboard.endpoints import CHOICE, BuildingDep, actuators, plain
from server.pages.dashboard.views import Building, Refusal, Wish
from server.pages.rooms import words as room_words
from server.pages.rooms.views import RoomBook, RoomPage
from server.pages.shell import Visit, VisitDep

router = APIRouter(include_in_schema=False, dependencies=[public()])

Where = Literal["tile", "room"]
"""Which page the form stands on: the overview's tile, or the room's own page."""


class WishForm(BaseModel):
    """What a person wants, for how long; the key makes two presses of the button one wish."""

    value: float = Field(ge=0, le=100, allow_inf_nan=False)
    minutes: int = Field(ge=1, le=720)
    key: RequestId | None = None


def book_of(request: Request) -> RoomBook:
    """The rooms as the composition root provides them in `app.state.room_book`."""
    book: RoomBook = request.app.state.room_book
    return book


BookDep = Annotated[RoomBook, Depends(book_of)]
On = Annotated[Where, Query()]


@router.get("/rooms")
def rooms(visit: VisitDep, book: BookDep) -> Response:
    """Every room in a row."""
    return _page(visit, "rooms/list.html", rooms=book.rooms(visit.language))


@router.get("/rooms/{room}")
def room(room: str, visit: VisitDep, book: BookDep) -> Response:
    """One room in full."""
    return _room(visit, _known(book, room, visit))


@router.get("/fragments/rooms/{room}/decisions")
def decisions(room: str, visit: VisitDep, book: BookDep) -> Response:
    """What the actuators of a room were told, what they report, and why."""
    return _part(visit, "rooms/_decisions.html", _known(book, room, visit))


@router.get("/fragments/rooms/{room}/rules")
def rules(room: str, visit: VisitDep, book: BookDep) -> Response:
    """How the rules of a room stand."""
    return _part(visit, "rooms/_rules.html", _known(book, room, visit))


@router.get("/fragments/rooms/{room}/devices")
def devices(room: str, visit: VisitDep, book: BookDep) -> Response:
    """The devices of a room."""
    return _part(visit, "rooms/_devices.html", _known(book, room, visit))


@router.post("/rooms/{room}/actuators/{actuator}/override")
def take_control(
    room: str,
    actuator: str,
    *,
    form: Annotated[WishForm, Form()],
    visit: VisitDep,
    building: BuildingDep,
    book: BookDep,
    on: On = "tile",
) -> Response:
    """Set an actuator by hand until a time. With scripts the answer comes at once and the page tells how it goes on."""
    if (caller := visit.staff()) is None:
        return visit.to_sign_in()
    wish = Wish(form.value, form.minutes * 60, key=form.key, wait=not visit.by_htmx)
    refused = building.take_control(room, actuator, wish, by=caller)
    return _answer(visit, building, book, room=room, on=on, refused=refused)


@router.post("/rooms/{room}/overrides/{override}/cancel")
def give_back(
    room: str, override: str, *, visit: VisitDep, building: BuildingDep, book: BookDep, on: On = "tile"
) -> Response:
    """Give an actuator back to the rules."""
    if (caller := visit.staff()) is None:
        return visit.to_sign_in()
    refused = building.give_back(override, by=caller)
    return _answer(visit, building, book, room=room, on=on, refused=refused)


def _answer(
    visit: Visit, building: Building, book: RoomBook, *, room: str, on: Where, refused: Refusal | None
) -> Response:
    if on == "tile":
        return actuators(visit, building, room, refused) if visit.by_htmx else plain(visit, building, refused)
    page = _known(book, room, visit)
    if visit.by_htmx:
        return _part(visit, "rooms/_decisions.html", page, refused)
    return _room(visit, page, refused) if refused else visit.back(f"/rooms/{room}")


def _known(book: RoomBook, room: str, visit: Visit) -> RoomPage:
    page = book.page(room, visit.language)
    if page is None:
        raise HTTPException(404)
    return page


def _room(visit: Visit, page: RoomPage, refused: Refusal | None = None) -> Response:
    return _part(visit, "rooms/room.html", page, refused, status=409 if refused else 200)


def _part(
    visit: Visit, template: str, page: RoomPage, refused: Refusal | None = None, *, status: int = 200
) -> Response:
    words = refusal(visit.words, refused.code, refused.params) if refused else ""
    return _page(visit, template, status=status, page=page, room=page.tile, refused=words)


def _page(visit: Visit, template: str, *, status: int = 200, **context: Any) -> Response:
    return visit.page(template, status=status, bw=building_words, rw=room_words, choice=CHOICE, **context)
