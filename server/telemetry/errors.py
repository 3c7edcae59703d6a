"""What a telemetry store can refuse."""

from __future__ import annotations

from server.errors import DomainError


class HistoryUnavailableError(DomainError):
    """The history's own database does not answer; live values and everything else go on."""

    code = "history_unavailable"
    status = 503
    title = "The database that keeps the history does not answer. Live values go on. Try again in a minute."

    @property
    def headers(self) -> dict[str, str]:
        """When to try again (RFC 9110)."""
        return {"Retry-After": "30"}
