"""Whether this server hears the gateways at all: without its broker the pages must not call anything quiet or live."""

from __future__ import annotations

import time
from collections.abc import Callable

from server.edge.connection import Connection
from server.rooms.picture import Picture

FORGIVEN_S = 10.0
"""A broker that restarts within 5 s is found again within 9.3 s, by the waits of server.edge.connection and of the
gateways' uplink."""


class Watch:
    """Tells the picture how the session with the broker stands and has it shown; in the event loop."""

    def __init__(
        self,
        picture: Picture,
        connection: Connection,
        show: Callable[[], None],
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._picture = picture
        self._connection = connection
        connection.on_session = self.begin
        self._show = show
        self._seconds = seconds
        self._was_connected = False
        self._since = seconds()

    def begin(self) -> None:
        """A session begins."""
        self._was_connected, self._since = True, self._seconds()
        self._picture.begin_session()
        self._show()

    def look(self) -> None:
        """Called now and then: what lasts longer than FORGIVEN_S counts."""
        connected, now = self._connection.connected, self._seconds()
        if connected != self._was_connected:
            self._was_connected, self._since = connected, now
        if now - self._since < FORGIVEN_S:
            return
        if connected:
            self._picture.settle()
        else:
            self._picture.lose()
        self._show()
