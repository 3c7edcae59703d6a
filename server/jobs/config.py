"""`[server.jobs]`: what this process does by itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from carrel.config import Section

TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class JobsConfig(Section):
    """`enabled = false` leaves the work to another process on the same database."""

    enabled: bool = True
    nightly_from: TimeOfDay = "02:00"
