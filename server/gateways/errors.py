"""Refusals about gateways."""

from __future__ import annotations

from datetime import datetime

from server.errors import DomainError


class UnknownGatewayError(DomainError):
    """Nothing was ever heard from a gateway of this name."""

    code = "unknown_gateway"
    status = 404
    title = "There is no such gateway."


class GatewayOnlineError(DomainError):
    """As far as the broker knows it is there, and would come back at once."""

    code = "gateway_online"

    def __init__(self, since: datetime) -> None:
        super().__init__(since=since.isoformat())
        self.title = (
            f"By the broker's last word this gateway is online, since {since:%Y-%m-%d %H:%M:%SZ}. End it first; "
            "if it is long gone, retire it even if online (--even-if-online, even_if_online=true)."
        )


class BrokerAwayError(DomainError):
    """Without the broker nothing can be cleared on it."""

    code = "broker_away"
    status = 503
    title = "The server does not reach the message broker."


class NotClearedError(DomainError):
    """The broker keeps what it was told to clear: its rights file is older than this right."""

    code = "not_cleared"
    title = "The broker does not let the server clear what it retains of the gateway."
