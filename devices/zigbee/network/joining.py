"""How far a device has come on its way in: one line a step, for the page. Pure, but for looking at zigpy's device."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from zigpy.device import ZigbeeDevice

from carrel.contracts.network import JoinStep, JoinStepName

STEPS: tuple[JoinStepName, ...] = get_args(JoinStepName)
INTERVIEW: tuple[JoinStepName, ...] = ("joined", "node", "endpoints", "descriptors", "basic")
ASKED_AGAIN = "no answer; it is asked again by itself"


class JoinReport:
    """The steps of one device; a new one begins with each join and each re-interview."""

    def __init__(self) -> None:
        self._steps = {name: JoinStep(name=name, state="waiting") for name in STEPS}
        self.complete = False
        """Whether every step is done."""

    @property
    def steps(self) -> tuple[JoinStep, ...]:
        """In the order of JoinStepName."""
        return tuple(self._steps.values())

    def finished_before(self, moment: datetime) -> bool:
        """Whether every step was done before then."""
        return all(step.state == "done" and step.at is not None and step.at < moment for step in self._steps.values())

    def running(self, name: JoinStepName, at: datetime) -> None:
        """A step has begun."""
        self._set(name, "running", at)

    def done(self, name: JoinStepName, at: datetime, detail: str = "") -> None:
        """A step is over; one that was done before keeps its time."""
        if self._steps[name].state != "done" or detail != self._steps[name].detail:
            self._set(name, "done", at, detail)

    def failed(self, at: datetime, detail: str) -> None:
        """What was going on did not work; it is tried again."""
        step = next((step for step in self._steps.values() if step.state != "done"), None)
        if step is not None:
            self._set(step.name, "failed", at, detail)

    def look(self, device: ZigbeeDevice, at: datetime) -> bool:
        """Take over what zigpy's interview has come to; whether anything changed."""
        before = self.steps
        for name, reached in zip(INTERVIEW, _reached(device), strict=True):
            if reached:
                self.done(name, at)
                continue
            if device.initializing or device.reinterviewing:
                self.running(name, at)
            elif self._steps[name].state == "running":
                self._set(name, "failed", at, ASKED_AGAIN)
            break
        return self.steps != before

    def _set(self, name: JoinStepName, state: str, at: datetime, detail: str = "") -> None:
        if self._steps[name].state != state or self._steps[name].detail != detail:
            self._steps[name] = JoinStep.model_validate({"name": name, "state": state, "detail": detail, "at": at})
            self.complete = all(step.state == "done" for step in self._steps.values())


def _reached(device: ZigbeeDevice) -> tuple[bool, ...]:
    known = device.node_desc is not None
    found = known and device.has_non_zdo_endpoints
    described = found and device.all_endpoints_init
    return True, known, found, described, described and not device.initializing
