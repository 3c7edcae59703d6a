"""What the control socket's command `zigbee` does: devices that join, leave, fail and raise alarms, and the radio."""

from collections.abc import Callable
from typing import Any, Final

from firmware_sim.control import Request
from firmware_sim.fields import Fields
from firmware_sim.zigbee.faults import CHANNEL_BUSY, STATUSES, DeviceFaults
from firmware_sim.zigbee.network import ZigbeeNetwork

REASONS: Final = {"power-up": 0, "external": 1, "watchdog": 2}
_SPOILT_MOST: Final = 10_000
_STORM_MOST_S: Final = 3600.0

Answer = dict[str, Any]


class ZigbeeCommands:
    """One request: `do` names what, the other fields say to whom."""

    def __init__(self, network: ZigbeeNetwork) -> None:
        self._network = network
        self._verbs: dict[str, Callable[[Fields], Answer]] = {
            "list": self._list,
            "join": self._join,
            "leave": self._leave,
            "rejoin": self._rejoin,
            "clash": self._clash,
            "fault": self._fault,
            "alarm": self._alarm,
            "battery": self._battery,
            "check-in": self._check_in,
            "reset": self._reset,
            "hang": self._hang,
            "spoil": self._spoil,
            "load": self._load,
            "storm": self._storm,
        }

    async def run(self, request: Request) -> Answer:
        """Carry one request out; ValueError or KeyError to refuse it."""
        fields = Fields(request)
        name = fields.text("do")
        verb = self._verbs.get(name)
        if verb is None:
            raise ValueError(f"zigbee cannot {name!r}; there are: {', '.join(self._verbs)}")
        return verb(fields)

    def _list(self, fields: Fields) -> Answer:
        fields.done()
        return self._network.describe()

    def _join(self, fields: Fields) -> Answer:
        device = fields.text("device")
        fields.done()
        if not self._network.join(device):
            raise ValueError(f"no join window is open; {device} is off the network and joins in the next one")
        return {}

    def _leave(self, fields: Fields) -> Answer:
        device, comes_back = fields.text("device"), fields.flag("rejoin") or False
        fields.done()
        self._network.leave(device, rejoin=comes_back)
        return {}

    def _rejoin(self, fields: Fields) -> Answer:
        device, new_address = fields.text("device"), fields.flag("new_address") or False
        fields.done()
        self._network.rejoin(device, new_address=new_address)
        return {"nwk": self._network.device(device).nwk}

    def _clash(self, fields: Fields) -> Answer:
        device, owner = fields.text("device"), fields.text("owner")
        fields.done()
        self._network.clash(device, owner)
        return {"nwk": self._network.device(device).nwk}

    def _fault(self, fields: Fields) -> Answer:
        device, mode, share, status = fields.text("device"), fields.text("mode"), *_extras(fields)
        fields.done()
        if mode == "restore":
            self._network.heal(device)
            return {"faults": []}
        trial = DeviceFaults()
        trial.put(mode, share=share, status=status)
        faults = self._network.faults(device)
        faults.put(mode, share=share, status=status)
        return {"faults": faults.names()}

    def _alarm(self, fields: Fields) -> Answer:
        device, event = fields.text("device"), fields.text("event")
        fields.done()
        self._network.alarm(device, event)
        return self._state(device)

    def _battery(self, fields: Fields) -> Answer:
        device, percent = fields.text("device"), fields.needed("percent")
        fields.done()
        self._network.device(device).set_battery(percent)
        return {"battery": self._network.device(device).battery_pct}

    def _check_in(self, fields: Fields) -> Answer:
        device = fields.text("device")
        fields.done()
        return {"sent": self._network.check_in(device)}

    def _reset(self, fields: Fields) -> Answer:
        reason = fields.text("reason") if fields.has("reason") else "power-up"
        fields.done()
        if reason not in REASONS:
            raise ValueError(f"no reason {reason!r} for a reset; there are: {', '.join(REASONS)}")
        self._network.coordinator.reboot(REASONS[reason])
        return {}

    def _hang(self, fields: Fields) -> Answer:
        fields.done()
        self._network.coordinator.hang()
        return {}

    def _spoil(self, fields: Fields) -> Answer:
        frames = fields.octets("frames")
        fields.done()
        if frames > _SPOILT_MOST:
            raise ValueError(f"frames={frames} is outside 0..{_SPOILT_MOST}")
        self._network.coordinator.spoil(frames)
        return {}

    def _storm(self, fields: Fields) -> Answer:
        seconds = fields.needed("seconds")
        status = fields.octets("status") if fields.has("status") else CHANNEL_BUSY
        fields.done()
        if not 0 <= seconds <= _STORM_MOST_S or status not in STATUSES:
            known = ", ".join(f"0x{number:02X} {text}" for number, text in STATUSES.items())
            raise ValueError(f"a storm lasts 0..{_STORM_MOST_S:g} s and has one of these statuses: {known}")
        self._network.coordinator.storm(seconds, status)
        return {}

    def _load(self, fields: Fields) -> Answer:
        rate_s, unbound = fields.needed("reports_per_s"), fields.flag("unbound") or False
        fields.done()
        self._network.start_load(rate_s, bound_only=not unbound)
        return self._network.load.describe()

    def _state(self, device: str) -> Answer:
        behaviour = self._network.device(device).behaviour
        return {"state": {} if behaviour is None else behaviour.state()}


def _extras(fields: Fields) -> tuple[float | None, int | None]:
    share = fields.number("share")
    return share, fields.octets("status") if fields.has("status") else None
