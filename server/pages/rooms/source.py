"""The rooms' pages, read from the rooms' service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from carrel.contracts.telemetry import DeviceInfo, Quantity
from carrel.web.i18n import Language
from environment.config import EnvironmentConfig
from server.deps import Core
from server.pages.dashboard.source import ServerBuilding
from server.pages.dashboard.views import ActuatorKind, RoomTile
from server.pages.rooms.views import DeviceValue, DeviceView, RoomPage, Strip, StripQuantity, charted
from server.rooms import policy
from server.rooms.policy import RoomValue
from server.rooms.service import Rooms, RoomView

TOLD_AS: dict[ActuatorKind, StripQuantity] = {"curtain": "position", "ac": "on", "vent": "level"}


class ServerRooms:
    """Satisfies `views.RoomBook`; of one server process, for any thread."""

    def __init__(self, core: Core, rooms: Rooms, building: ServerBuilding) -> None:
        self._rooms = rooms
        self._building = building
        environment = core.settings.document.section("environment", EnvironmentConfig)
        self._devices: Mapping[str, str] = {actuator.id: actuator.device for actuator in environment.actuator}

    def rooms(self, language: Language) -> Sequence[RoomTile]:
        """Every room."""
        return self._building.overview(language).rooms

    def page(self, room: str, language: Language) -> RoomPage | None:
        """One room in full; None if there is none of that id."""
        tile = self._building.room(room, language)
        if tile is None:
            return None
        view = self._rooms.one(room)
        return RoomPage(
            tile=tile,
            charted=charted(tile.measurements),
            dew_point=_dew_point(view),
            strips=[strip for actuator in tile.actuators if (strip := self._strip(actuator.id, actuator.kind, tile))],
            devices=[self._device(device) for device in view.devices],
            devices_rev=self._rooms.picture.devices_rev(room),
            rules=self._rooms.picture.rules_of(room),
            rules_rev=self._rooms.picture.rules_rev(room),
            stale_after_s=int(self._rooms.plan.stale_after.total_seconds()),
        )

    def _strip(self, actuator: str, kind: ActuatorKind, tile: RoomTile) -> Strip | None:
        device, quantity = self._devices.get(actuator), TOLD_AS.get(kind)
        if device is None or quantity is None:
            return None
        name = next(a.name for a in tile.actuators if a.id == actuator)
        return Strip(actuator, name, device, quantity)

    def _device(self, info: DeviceInfo) -> DeviceView:
        state = self._rooms.picture.state_of(info.id)
        known = (
            {q: DeviceValue(q.value, value, state.at.get(q, state.ts)) for q, value in state.values.items()}
            if state
            else {}
        )
        return DeviceView(
            id=info.id,
            kind=info.kind,
            model=info.model,
            values=[value for quantity, value in known.items() if quantity is not Quantity.BATTERY],
            battery=known.get(Quantity.BATTERY),
            heard_at=max((value.at for value in known.values()), default=None),
        )


def _dew_point(view: RoomView) -> float | None:
    unknown = RoomValue()
    return policy.dew_point(view.values.get(Quantity.TEMP, unknown), view.values.get(Quantity.RH, unknown)).value
