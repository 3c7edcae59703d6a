"""Refusals of the rooms."""

from __future__ import annotations

from server.errors import DomainError


class UnknownRoomError(DomainError):
    """`rooms` names those that exist."""

    code = "unknown_room"
    status = 404
    title = "There is no such room."


class UnknownDeviceError(DomainError):
    """No gateway tells of it and nothing of it is stored."""

    code = "unknown_device"
    status = 404
    title = "There is no such device."


class UnknownActuatorError(DomainError):
    """`actuators` names those of the room."""

    code = "unknown_actuator"
    status = 404
    title = "There is no such actuator in this room."


class UnknownOverrideError(DomainError):
    """No such manual control."""

    code = "unknown_override"
    status = 404
    title = "There is no such manual control."


class OverrideEndedError(DomainError):
    """It is over already."""

    code = "override_ended"
    status = 409
    title = "This manual control has already ended."


class BadRangeError(DomainError):
    """A time range that makes no sense."""

    code = "bad_range"
    status = 422
    title = "The range must end after it begins and be no longer than 400 days."


class EdgeUnknownError(DomainError):
    """No gateway has told of any actuator yet, so nobody can be asked."""

    code = "gateway_offline"
    status = 503
    title = "The building's gateway has not been heard of yet."


class RefusedByEdgeError(DomainError):
    """The gateway said no; its code is passed on."""

    title = "The gateway refused."

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        params = {"detail": detail} if detail else {}
        super().__init__(**params)
