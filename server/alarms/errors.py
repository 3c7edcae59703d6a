"""Refusals of the alarms domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownAlarmError(DomainError):
    """No such alarm."""

    code = "unknown_alarm"
    status = 404
    title = "There is no such alarm."


class PanelSilentError(DomainError):
    """The order is on its way and runs out soon; for pages, the API answers 202."""

    code = "panel_silent"
    title = "The panel has not answered yet."


class RefusedByPanelError(DomainError):
    """The panel said no; its code is passed on (`detector_active`, `wrong_state`, ...)."""

    title = "The panel refused."

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        params = {"detail": detail} if detail else {}
        super().__init__(**params)
