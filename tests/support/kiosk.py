"""A browser's side of the kiosk's WebSocket (docs/kiosk.md), for tests that need no pixels."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any

from websockets.sync.client import connect


class KioskScreen:
    """What the kiosk shows, and fingers to touch it with."""

    def __init__(self, address: str) -> None:
        self._socket = connect(address.replace("http://", "ws://") + "/kiosk/live", proxy=None)
        self.now: dict[str, Any] = json.loads(self._socket.recv(timeout=10))

    def __enter__(self) -> KioskScreen:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._socket.close()

    def touch(self, name: str) -> None:
        """Touch the screen now shown, once it is quiet: a touch on a screen that is gone is dropped."""
        while self._newer(0.3):
            pass
        self._socket.send(json.dumps({"touch": name, "seq": self.now["seq"]}))

    def say(self, text: str) -> None:
        """Send anything at all."""
        self._socket.send(text)

    def until(self, screen: str, *words: str, within_s: float = 20.0, staying: bool = False) -> dict[str, Any]:
        """Wait until the kiosk shows this screen with all of these words in it; staying: and ask for more time."""
        deadline = time.monotonic() + within_s
        while not (self.now["screen"] == screen and all(word in self.now["html"] for word in words)):
            left = deadline - time.monotonic()
            assert left > 0, f"no screen '{screen}' with {words}; it shows {self.now['screen']}: {self.now['html']}"
            if staying and self.now["countdown_s"] is not None:
                self.touch("more_time")
            self._newer(left)
        return self.now

    def _newer(self, within_s: float) -> bool:
        """Take the next screen, if one comes."""
        try:
            self.now = json.loads(self._socket.recv(timeout=within_s))
        except TimeoutError:
            return False
        return True
