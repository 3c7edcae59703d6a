"""The building of the dashboard's pages, read from the domains' services."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from carrel.contracts.actuation import ActuatorState
from carrel.contracts.alarms import AlarmCause, AlarmState
from carrel.contracts.telemetry import Quantity
from carrel.sections import FloorConfig, placed
from carrel.web.i18n import LANGUAGES, Language, Words, in_language, load
from server.alarms.book import AlarmBook, Told
from server.alarms.control import AlarmControl
from server.alarms.errors import PanelSilentError
from server.db import AWAY
from server.deps import Core, Principal
from server.errors import DomainError
from server.gateways.service import Gateways
from server.pages.dashboard.views import (
    ActuatorView,
    AlarmAction,
    AlarmsView,
    AlarmView,
    CauseView,
    FloorView,
    GatewayView,
    HealthView,
    LinkView,
    Measurement,
    OverrideView,
    Overview,
    PlaceView,
    Refusal,
    RoomTile,
    ShownQuantity,
    TerminalView,
    Unwatched,
    Wish,
)
from server.pages.dashboard.words import KINDS, PLACES
from server.rooms.control import Progress, RoomControl
from server.rooms.service import Rooms, RoomView
from server.sip2.terminals import Terminals
from server.telemetry.errors import HistoryUnavailableError

log = logging.getLogger(__name__)

NAMED: dict[str, ShownQuantity] = {"temp": "temp", "rh": "rh", "lux": "lux", "co2": "co2"}
HISTORY = timedelta(hours=2)
HISTORY_POINTS = 120

Names = Mapping[str, tuple[str, str]]
"""Id -> (English, Chinese) of places that config.toml names."""


class ServerBuilding:
    """Satisfies `views.Building`; of one server process, for any thread."""

    def __init__(
        self, core: Core, rooms: Rooms, *, room_control: RoomControl, alarm_control: AlarmControl,
        alarm_book: AlarmBook, gateways: Gateways, terminals: Terminals | None = None,
    ) -> None:  # fmt: skip
        self._core = core
        self._rooms = rooms
        self._room_control = room_control
        self._alarm_control = alarm_control
        self._alarm_book = alarm_book
        self._gateways = gateways
        self._terminals = terminals or Terminals()
        self._places = {**core.settings.common.places, **place_names(core.settings.document.data)}
        self._hung = hung(core.settings.document.data)
        zone = core.settings.common.library.zone
        self._words = {language: Words(language, zone, load(language)) for language in LANGUAGES}

    def overview(self, language: Language) -> Overview:
        """Everything of the overview page."""
        tiles = [self._tile(view, language) for view in self._rooms.all()]
        alarms = self.alarms(language)
        floors = floor_views(self._core.settings.common.floors, tiles, language, alarms.open)
        return Overview(tiles, alarms, self.health(), floors)

    def room(self, room: str, language: Language) -> RoomTile | None:
        """One room; None if there is none of that id."""
        return self._tile(self._rooms.one(room), language) if room in self._rooms.plan.rooms else None

    def alarms(self, language: Language) -> AlarmsView:
        """Alarms that are not over."""
        with self._core.database.reading() as session:
            found = self._alarms(self._alarm_book.open_alarms(session), language)
            rev = self._rooms.alarms_rev(self._alarm_book.rev(session))
            quiet_since = self._alarm_book.quiet_since(session)
        return AlarmsView(
            found, quiet_since, rev, self._unwatched(), unwritten=self._alarm_book.writes.trouble is not None
        )

    def alarm_log(self, language: Language, limit: int) -> Sequence[AlarmView]:
        """The newest alarms, over or not, newest first."""
        with self._core.database.reading() as session:
            return self._alarms(self._alarm_book.newest(session, limit), language)

    def health(self) -> HealthView:
        """Gateways and links."""
        gateways = []
        for gateway in self._rooms.gateways():
            links = [LinkView(x.link, x.kind, x.state, x.since, x.last_error, x.code) for x in gateway.links]
            seen = gateway.status is not None
            gateways.append(GatewayView(gateway.id, gateway.standing, seen, gateway.offline_at, links))
        return HealthView(gateways, self._rooms.health_rev() + self._terminals.rev(), self._heard_terminals())

    def _unwatched(self) -> Unwatched | None:
        if self._rooms.picture.unreached:
            return Unwatched("broker")
        gateways = self._rooms.gateways()
        if not gateways:
            return Unwatched("nobody")
        away = [gateway.id for gateway in gateways if gateway.standing != "online"]
        return Unwatched("gateways", away) if away else None

    def _heard_terminals(self) -> list[TerminalView]:
        return [
            TerminalView(one.id, one.place, one.online, one.state, one.since)
            for one in self._terminals.all()
            if one.online or one.last_message_at is not None
        ]

    def take_control(self, room: str, actuator: str, wish: Wish, *, by: Principal) -> Refusal | None:
        """Put a person's wish above the rules."""
        return _refusal(
            lambda: self._room_control.take(
                room, actuator, value=wish.value, duration_s=wish.duration_s, by=by, key=wish.key, wait=wish.wait
            )
        )

    def give_back(self, override: str, *, by: Principal) -> Refusal | None:
        """End a person's wish before its time."""
        return _refusal(lambda: self._room_control.give_back(override, by=by))

    def answer_alarm(self, alarm: str, action: AlarmAction, *, by: Principal) -> Refusal | None:
        """Acknowledge, silence or reset."""

        def ask() -> None:
            if not self._alarm_control.perform(alarm, action, by=by).done:
                raise PanelSilentError

        return _refusal(ask)

    def retire_gateway(self, gateway: str, *, by: Principal) -> Refusal | None:
        """Forget one that will not come back."""
        return _refusal(lambda: self._gateways.retire(gateway, by=by))

    def _tile(self, view: RoomView, language: Language) -> RoomTile:
        config = view.config
        progress = self._room_control.progress()
        words = self._words[language]
        return RoomTile(
            id=config.id,
            name=in_language(language, (config.name, config.name_zh)),
            outdoor=config.outdoor,
            measurements=self._measurements(view),
            actuators=[
                _actuator(state, view.actuators, progress.get((config.id, state.actuator)), words)
                for state in view.actuators
            ],
            rev=view.rev,
        )

    def _measurements(self, view: RoomView) -> list[Measurement]:
        room = view.config.id
        sensors = self._rooms.plan.rooms[room].sensors
        found = []
        for quantity, value in view.values.items():
            if quantity in sensors:
                history = self._history(room, quantity)
                band = view.bands.get(quantity)
                shown = Measurement(room, NAMED[quantity], value.value, value.at, band, history, heard=value.heard)
                found.append(shown)
        return found

    def _history(self, room: str, quantity: Quantity) -> list[tuple[datetime, float]]:
        now = self._core.clock.now()
        try:
            course = self._rooms.past.room(room, quantity, start=now - HISTORY, end=now, buckets=HISTORY_POINTS)
        except HistoryUnavailableError:
            return []  # the page goes on with live values
        return [(bucket.start, bucket.mean) for bucket in course.buckets]

    def _alarms(self, told: Told, language: Language) -> list[AlarmView]:
        return [self._alarm(alarm, language, recorded=alarm.id not in told.unrecorded) for alarm in told.alarms]

    def _alarm(self, alarm: AlarmState, language: Language, *, recorded: bool) -> AlarmView:
        causes = [
            CauseView(self._where(cause, language), cause.kind, cause.active, self._hung.get(cause.zone, ""))
            for cause in alarm.causes
        ]
        return AlarmView(
            id=alarm.id,
            kind=alarm.kind,
            severity=alarm.severity.value,
            place=self._place(alarm.place, language),
            state=alarm.state,
            raised_at=alarm.raised_at,
            causes=causes,
            silenced=alarm.silenced,
            acknowledged_at=alarm.acknowledged_at,
            acknowledged_by=alarm.acknowledged_by,
            reset_at=alarm.reset_at,
            reset_by=alarm.reset_by,
            recorded=recorded,
            place_id=alarm.place,
        )

    def _where(self, cause: AlarmCause, language: Language) -> str:
        """The place of a detector, or its own id where that tells more than its kind."""
        if (place := self._hung.get(cause.zone)) is not None:
            return self._place(place, language)
        return "" if cause.zone == cause.kind else self._place(cause.zone, language)

    def _place(self, id_: str, language: Language) -> str:
        if (names := self._places.get(id_)) is not None:
            return in_language(language, names)
        return self._words[language].gettext(PLACES.get(id_, id_))


def place_names(data: Mapping[str, Any]) -> Names:
    """The names of rooms, and of the panel's areas and zones, as config.toml gives them; actuators go by their room."""
    security = data.get("security", {})
    named = [*data.get("room", ()), *security.get("area", ()), *security.get("fire_zone", ())]
    names = {
        str(entry["id"]): (str(entry["name"]), str(entry.get("name_zh", "")))
        for entry in named
        if isinstance(entry, dict) and "id" in entry and "name" in entry
    }
    actuators = data.get("environment", {}).get("actuator", ())
    for id_, zone in [(str(a["id"]), a.get("zone")) for a in actuators if isinstance(a, dict) and "id" in a]:
        english, chinese = names.get(str(zone), ("", ""))
        if english:
            names.setdefault(id_, (f"{english}, {id_}", f"{chinese}，{id_}" if chinese else ""))
    return names


def hung(data: Mapping[str, Any]) -> dict[str, str]:
    """Where each fire zone's detector hangs, as config.toml tells it: fire zone -> room or place of a floor."""
    devices = data.get("zigbee", {}).get("device", ())
    of_device = {str(one.get("id")): str(one["zone"]) for one in devices if isinstance(one, dict) and "zone" in one}
    zones = [one for one in data.get("security", {}).get("fire_zone", ()) if isinstance(one, dict)]
    told = {str(one.get("id")): one.get("place", of_device.get(str(one.get("detector")))) for one in zones}
    return {zone: str(place) for zone, place in told.items() if place is not None}


def floor_views(
    floors: Sequence[FloorConfig], rooms: Sequence[RoomTile], language: Language, alarms: Sequence[AlarmView] = ()
) -> list[FloorView]:
    """The plans of config.toml with what is known of their rooms, and where there is a fire."""
    known = {room.id: room for room in rooms}
    fires = {place: alarm for alarm in reversed(alarms) if alarm.kind == "fire" for place in alarm.places}
    return [
        FloorView(
            in_language(language, (floor.name, floor.name_zh)),
            [
                PlaceView(at, room.name if room else in_language(language, floor.places[at.id]), room, fires.get(at.id))
                for at in placed(floor.plan)
                for room in (known.get(at.id),)
            ],
        )
        for floor in floors
    ]


def _actuator(
    state: ActuatorState, others: Sequence[ActuatorState], progress: Progress | None, words: Words
) -> ActuatorView:
    name = words.gettext(KINDS[state.kind])
    if sum(other.kind == state.kind for other in others) > 1:
        name = f"{name} {state.actuator}"
    newest = _newest(progress)
    return ActuatorView(
        id=state.actuator,
        kind=state.kind,
        name=name,
        wanted=state.wanted,
        commanded=state.commanded,
        reported=state.reported,
        cause=state.cause,
        reason=state.reason,
        params=state.params,
        override=newest if newest and newest.running else _held(state),
        rule=state.rule,
        refused=newest if newest and not newest.running else None,
    )


def _newest(progress: Progress | None) -> OverrideView | None:
    if progress is None:
        return None
    wish = progress.wish
    return OverrideView(wish.id, wish.by, wish.value, wish.until, progress.stage, wish.code, wish.asked_at)


def _held(state: ActuatorState) -> OverrideView | None:
    """As the gateway lists it; one that began without our database has no record of how far it came."""
    held = state.override
    return OverrideView(held.id, held.by, held.value, held.until) if held else None


def _refusal(ask: Callable[[], object]) -> Refusal | None:
    try:
        ask()
    except DomainError as error:
        return Refusal(error.code, error.params)
    except AWAY as error:
        log.error("the database took nothing: %s", type(error).__name__)
        return Refusal("database_unavailable")
    return None
