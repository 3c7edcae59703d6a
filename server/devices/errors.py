"""Refusals of the networks."""

from __future__ import annotations

from server.errors import DomainError


class NetworkUnknownError(DomainError):
    """No gateway has told of a Zigbee network yet, or none of that name."""

    code = "network_unknown"
    status = 404
    title = "No gateway has told of such a Zigbee network yet."


class SeveralNetworksError(DomainError):
    """`gateways` names those to choose from."""

    code = "several_networks"
    status = 422
    title = "Several gateways have a Zigbee network: name one."


class UnknownDeviceError(DomainError):
    """No network has a device of this address."""

    code = "unknown_device"
    status = 404
    title = "There is no such device on the network."


class UnknownZoneError(DomainError):
    """`rooms` names those that exist."""

    code = "unknown_room"
    status = 409
    title = "There is no such room."


class DeviceNameTakenError(DomainError):
    """`ieee` is the device that has the name."""

    code = "device_name_taken"
    status = 409
    title = "Another device has this name."


class NetworkRefusedError(DomainError):
    """The gateway said no; its code is passed on."""

    title = "The gateway refused."

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        super().__init__(**({"detail": detail} if detail else {}))
