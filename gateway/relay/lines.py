"""Readings as InfluxDB's line protocol. Pure.

Measurement = quantity; tags branch, device, gateway, zone (sorted, as the documentation advises); one field `value`, a
float; time in milliseconds.
"""

from __future__ import annotations

from gateway.relay.spool import Row

SERIES_LIMIT = 10_000
"""Beginnings of lines remembered."""

_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})


class Lines:
    """Makes lines for one gateway."""

    def __init__(self, branch: str, gateway: str) -> None:
        self._branch = branch.translate(_TAG)
        self._gateway = gateway.translate(_TAG)
        self._beginnings: dict[tuple[str, str, str], str] = {}

    def line(self, row: Row) -> str:
        """One row without the end of line."""
        _, at_us, device, zone, quantity, value = row
        beginning = self._beginnings.get((quantity, device, zone))
        if beginning is None:
            beginning = self._begin(quantity, device, zone)
        return f"{beginning}{value!r} {at_us // 1000}"

    def _begin(self, quantity: str, device: str, zone: str) -> str:
        if len(self._beginnings) >= SERIES_LIMIT:
            self._beginnings.clear()
        tags = f"branch={self._branch},device={device.translate(_TAG)},gateway={self._gateway}"
        beginning = f"{quantity.translate(_MEASUREMENT)},{tags},zone={zone.translate(_TAG)} value="
        self._beginnings[quantity, device, zone] = beginning
        return beginning
