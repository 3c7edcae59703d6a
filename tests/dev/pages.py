"""Serves the server's pages with a made-up building: `python -m tests.dev.pages PORT`.

/dev/fire, /dev/fault, /dev/quiet, /dev/offline change the building, /dev/network/{running, joining, failed, empty,
none, down} the Zigbee network, /dev/stage/{queued, sent, ... confirmed} how far the last wish for an actuator came.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from fastapi import Request

from server.rooms.policy import Stage
from tests.support.pages_app import build
from tests.support.sample_building import FLOORS, SampleBuilding, fault, fire
from tests.support.sample_network import show


def change(what: str, request: Request) -> str:
    building: SampleBuilding = request.app.state.building
    made = {"fire": [fire(now=building.now)], "fault": [fault(now=building.now)], "quiet": []}
    building.open_alarms = made.get(what, building.open_alarms)
    building.online = what != "offline"
    building.rev += 1
    return what


def change_network(what: str, request: Request) -> str:
    rooms = request.app.state.rooms
    show(rooms.picture, datetime.now(UTC), what)
    return what


def change_stage(what: Stage, request: Request) -> str:
    building: SampleBuilding = request.app.state.building
    for actuator in building.overrides:
        building.comes_to(what, actuator, code="no_answer")
    return what


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        app = build(Path(scratch))
        app.state.building.floors = FLOORS
        app.add_api_route("/dev/{what}", change)
        app.add_api_route("/dev/network/{what}", change_network)
        app.add_api_route("/dev/stage/{what}", change_stage)
        show(app.state.rooms.picture, datetime.now(UTC), "joining")
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8099, log_level="warning")
