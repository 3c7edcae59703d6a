"""Serves the server's pages with a made-up building: `python -m tests.dev.pages PORT`.

/dev/fire, /dev/fault, /dev/quiet, /dev/offline change the building.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import uvicorn
from fastapi import Request

from tests.support.pages_app import build
from tests.support.sample_building import SampleBuilding, fault, fire


def change(what: str, request: Request) -> str:
    building: SampleBuilding = request.app.state.building
    made = {"fire": [fire(now=building.now)], "fault": [fault(now=building.now)], "quiet": []}
    building.open_alarms = made.get(what, building.open_alarms)
    building.online = what != "offline"
    building.rev += 1
    return what


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        app = build(Path(scratch))
        app.add_api_route("/dev/{what}", change)
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8099, log_level="warning")
