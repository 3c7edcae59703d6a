"""`[server.notices]`: when patrons are written to, and how the letters go out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from carrel.config import Section
from server.jobs.config import TimeOfDay

ADDRESS = r"^([^\s@<>,;]+@[^\s@<>,;]+)?$"


class MailConfig(Section):
    """`[server.notices.mail]`: takes the library's letters; an empty host means that there is none."""

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    sender: Annotated[str, Field(pattern=ADDRESS)] = ""
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 15.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and not self.sender:
            raise ValueError("a mail server is named but no sender: set sender to the library's own address")
        if self.user and self.tls == "none" and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError('the password would travel in the clear: set tls = "starttls" or "tls"')
        return self


class WebhookConfig(Section):
    """`[server.notices.webhook]`: a program of the library's that passes notices on (SMS, messengers)."""

    url: Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$")] = ""
    secret: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 10.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url and len(self.secret) < 16:
            raise ValueError("whoever gets notices must know that they are yours: set secret to 16 characters or more")
        return self


class NoticesConfig(Section):
    """Nothing is written while neither mail nor webhook says where to."""

    due_soon_days: Annotated[int, Field(ge=0, le=365)] = 3
    overdue_days: Annotated[tuple[Annotated[int, Field(ge=1, le=3650)], ...], Field(max_length=20)] = (1, 7, 21)
    hold_expiring_days: Annotated[int, Field(ge=0, le=365)] = 1
    fee_from: Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=2)] = Decimal("1.00")
    fee_after_hours: Annotated[float, Field(ge=0, le=24 * 365)] = 1.0
    quiet_from: TimeOfDay = "21:00"
    quiet_until: TimeOfDay = "08:00"
    keep_text_days: Annotated[int, Field(ge=0, le=3650)] = 30
    templates: Path | None = None
    mail: MailConfig = MailConfig()
    webhook: WebhookConfig = WebhookConfig()

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        if list(self.overdue_days) != sorted(set(self.overdue_days)):
            raise ValueError("write overdue_days in rising order, each number once")
        return self
