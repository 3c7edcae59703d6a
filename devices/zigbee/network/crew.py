"""All devices: those that people have named, and those on the network that still wait for a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from carrel.clock import Clock
from devices.zigbee.config import ZigbeeDeviceConfig
from devices.zigbee.member import Member


class Crew:
    """Members by address and by id."""

    def __init__(self, devices: Iterable[ZigbeeDeviceConfig], clock: Clock) -> None:
        self._clock = clock
        self._by_ieee = {device.ieee: Member(device.ieee, device, clock) for device in devices}

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._by_ieee.values()))

    @property
    def devices(self) -> tuple[ZigbeeDeviceConfig, ...]:
        """Those that have a name."""
        return tuple(member.config for member in self if member.config is not None)

    def at(self, ieee: str) -> Member | None:
        """The member with this address."""
        return self._by_ieee.get(ieee)

    def named(self, id_: str) -> Member | None:
        """The member with this id."""
        return next((member for member in self if member.config is not None and member.config.id == id_), None)

    def meet(self, ieee: str) -> Member:
        """The member with this address, made without a name when it is new."""
        return self._by_ieee.setdefault(ieee, Member(ieee, None, self._clock))

    def configure(self, devices: Iterable[ZigbeeDeviceConfig]) -> None:
        """These have names from now on, and no others."""
        wanted = {device.ieee: device for device in devices}
        for ieee, member in list(self._by_ieee.items()):
            if member.config != wanted.get(ieee):
                member.configure(wanted.get(ieee))
        for ieee, device in wanted.items():
            if ieee not in self._by_ieee:
                self._by_ieee[ieee] = Member(ieee, device, self._clock)

    def forget(self, ieee: str) -> None:
        """It has left for good."""
        member = self._by_ieee.pop(ieee, None)
        if member is not None:
            member.lost()
            member.detach()
