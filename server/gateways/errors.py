"""Refusals about gateways."""

from __future__ import annotations

from server.errors import DomainError


class UnknownGatewayError(DomainError):
    """Nothing was ever heard from a gateway of this name."""

    code = "unknown_gateway"
    status = 404
    title = "There is no such gateway."


class GatewayOnlineError(DomainError):
    """It is there and would come back at once."""

    code = "gateway_online"
    title = "This gateway is there. End it first."


class BrokerAwayError(DomainError):
    """Without the broker nothing can be cleared on it."""

    code = "broker_away"
    status = 503
    title = "The server does not reach the message broker."


class NotClearedError(DomainError):
    """The broker keeps what it was told to clear: its rights file is older than this right."""

    code = "not_cleared"
    title = "The broker does not let the server clear what it retains of the gateway."
