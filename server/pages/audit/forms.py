"""Which entries somebody asked for, as the page's form and links tell it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from server.audit.values import Wanted
from server.deps import Day

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00-\x1f]*$")]


class Choice(BaseModel):
    """What a visitor chose; an empty field is as none. The days are the library's, both included."""

    model_config = ConfigDict(populate_by_name=True)

    actor: Text = ""
    target: Text = ""
    action: Text = ""
    first: Annotated[Day | None, Field(alias="from")] = None
    last: Annotated[Day | None, Field(alias="until")] = None
    before: Annotated[int | None, Field(ge=1, le=2**62)] = None

    def wanted(self, zone: ZoneInfo) -> Wanted:
        """As the log is asked."""
        return Wanted(
            actor=self.actor or None,
            target=self.target or None,
            action=self.action or None,
            since=datetime.combine(self.first, time.min, zone) if self.first else None,
            until=datetime.combine(self.last + timedelta(days=1), time.min, zone) if self.last else None,
            before=self.before,
        )

    @property
    def filtered(self) -> bool:
        """Whether anything but the newest is asked for."""
        return bool(self.said(before=None))

    def said(self, **changes: object) -> dict[str, str]:
        """The choice as an address tells it, with some of it changed; None leaves a part out."""
        told: Mapping[str, object] = {
            "actor": self.actor, "target": self.target, "action": self.action, "from": self.first,
            "until": self.last, "before": self.before,
        } | changes  # fmt: skip
        return {name: str(value) for name, value in told.items() if value}


def read(query: Mapping[str, str]) -> Choice:
    """Raises pydantic's ValidationError for what makes no sense."""
    return Choice.model_validate({name: value for name, value in query.items() if value.strip()})


def address(path: str, query: Mapping[str, str]) -> str:
    """A link."""
    return f"{path}?{urlencode(query)}" if query else path
