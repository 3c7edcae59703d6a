"""The commands of the control socket, by name: they check a request's fields and hand them to the bench."""

from collections.abc import Callable
from typing import Any, Final, Literal

from firmware_sim.bench import Bench
from firmware_sim.control import PROTOCOL, Command, Request
from firmware_sim.fields import Fields
from firmware_sim.zigbee.commands import ZigbeeCommands

_MOST: Final = {"drop": 1.0, "duplicate": 1.0, "delay_s": 60.0}


def commands(bench: Bench) -> dict[str, Command]:
    """Every command of the protocol."""
    handlers = _Handlers(bench)
    table: dict[str, Command] = {
        "set": handlers.set_room,
        "place": handlers.place,
        "remove": handlers.remove,
        "contact": handlers.contact,
        "fault": handlers.fault,
        "observe": handlers.observe,
        "timing": handlers.timing,
        "speed": handlers.speed,
        "report": handlers.report,
        "people": handlers.people,
        "zigbee": ZigbeeCommands(bench.network).run,
    }

    async def hello(request: Request) -> dict[str, Any]:
        Fields(request).done()
        return {"protocol": PROTOCOL, "commands": [*table]}

    table["hello"] = hello
    return table


class _Handlers:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def set_room(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        room, temp, rh = fields.text("room"), fields.number("temp"), fields.number("rh")
        lux: float | Literal["auto"] | None = "auto" if fields.take("lux", "auto") else fields.number("lux")
        fields.done()
        if temp is None and rh is None and lux is None:
            raise ValueError("nothing to set; give temp, rh or lux")
        self._bench.building.set(room, temp=temp, rh=rh, lux=lux)
        return {"room": self._bench.building.room(room).observe()}

    async def place(self, request: Request) -> dict[str, Any]:
        return self._lay(request, self._bench.place)

    async def remove(self, request: Request) -> dict[str, Any]:
        return self._lay(request, self._bench.remove)

    async def contact(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        point, state = fields.text("point"), fields.text("state")
        fields.done()
        self._bench.contact(point, state)
        return {}

    async def fault(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        link, mode = fields.text("link"), fields.text("mode")
        extra = {name: fields.number(name) for name in _MOST}
        fields.done()
        for name, value in extra.items():
            if value is not None and not 0 <= value <= _MOST[name]:
                raise ValueError(f"{name}={value:g} is outside 0..{_MOST[name]:g}")
        await self._bench.fault(link, mode)
        for name, value in extra.items():
            if value is not None:
                setattr(self._bench.faults(link), name, value)
        return {}

    async def observe(self, request: Request) -> dict[str, Any]:
        Fields(request).done()
        return self._bench.observe()

    async def timing(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        pad, air, serial = fields.text("pad"), fields.flag("air"), fields.flag("serial")
        fields.done()
        timing = self._bench.pad(pad).timing
        timing.air = timing.air if air is None else air
        timing.serial = timing.serial if serial is None else serial
        return {"air": timing.air, "serial": timing.serial}

    async def speed(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        value = fields.number("speed")
        fields.done()
        if value is None:
            raise ValueError("speed is missing")
        self._bench.speed = value
        return {"speed": value}

    async def people(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        room = fields.text("room")
        count = None if fields.take("count", "auto") else fields.needed("count")
        fields.done()
        self._bench.building.set_people(room, count)
        return {"room": self._bench.building.room(room).observe()}

    async def report(self, request: Request) -> dict[str, Any]:
        fields = Fields(request)
        ieee, cluster = fields.text("ieee"), fields.octets("cluster")
        attribute, value = fields.octets("attribute"), fields.raw("value")
        fields.done()
        return {"sent": self._bench.network.report_now(ieee, cluster, attribute, value)}

    def _lay(self, request: Request, action: Callable[[str, list[str]], None]) -> dict[str, Any]:
        fields = Fields(request)
        pad, names = fields.text("pad"), fields.texts("names")
        fields.done()
        action(pad, names)
        return {}
