"""`[server.sip2]` and `[[server.sip2.terminal]]`: who may speak SIP2 to this library, and in which dialect."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from carrel.config import Section
from carrel.contracts.ids import BranchId, Slug

Right = Literal["patron", "checkout", "checkin", "renew", "hold", "item", "item_update", "fee", "block", "enable"]
Extra = Literal[
    "contact", "birth_date", "card_expiry", "patron_class",
    "last_patron", "hold_patron", "hold_patron_name",
    "sort_bin", "alert_type", "destination", "collection", "call_number",
]  # fmt: skip
Occasion = Literal["hold", "transfer", "exception"]

USUAL_RIGHTS: tuple[Right, ...] = ("patron", "checkout", "checkin", "renew", "hold", "item")

RIGHT_OF: dict[str, Right] = {
    "23": "patron", "63": "patron", "11": "checkout", "09": "checkin", "29": "renew", "65": "renew",
    "15": "hold", "17": "item", "19": "item_update", "37": "fee", "01": "block", "25": "enable",
}  # fmt: skip
"""Which right a request needs."""

SUPPORTED = ("23", "11", "09", "01", "99", "97", "93", "63", "35", "37", "17", "19", "25", "15", "29", "65")
"""The order of BX."""

LANGUAGES = {"019": "zh-CN", "027": "zh-CN", "001": "en", "024": "en"}
"""Languages of SIP2 that the library speaks; any other is answered in the terminal's own."""

LEAST_IDLE_S = 600.0

YEARS = range(1990, 2200)
"""SIP is of 1993. Dates far from it are how programs write that there is none, as 00010101 or 99991231."""


class BinRule(Section):
    """An entry of `bins`: every condition named must hold. A rule without conditions takes what is left."""

    bin: Annotated[str, Field(min_length=1, max_length=20)]
    when: Occasion | None = None
    branch: BranchId | None = None
    location: str | None = None
    call_from: str = ""
    call_to: str = ""
    type: str | None = None


class TerminalConfig(Section):
    """`[[server.sip2.terminal]]`."""

    id: Slug
    login: Annotated[str, Field(max_length=64)] = ""
    password: str = ""
    addresses: tuple[str, ...] = ()
    place: str = ""
    branch: BranchId | None = None
    institution: str | None = None
    language: Literal["zh-CN", "en"] | None = None
    encoding: Literal["utf-8", "gb18030", "cp850", "latin-1"] = "utf-8"
    checksum: Literal["bytes", "codepoints", "off"] = "bytes"
    terminator: Literal["cr", "crlf"] = "cr"
    due_format: str = "sip2"
    lists: Literal["barcode", "barcode title"] = "barcode"
    rights: tuple[Right, ...] = USUAL_RIGHTS
    pin: Literal["required", "trusted"] = "required"
    offline: bool = False
    send: tuple[Extra, ...] = ()
    bins: tuple[BinRule, ...] = ()
    media: dict[str, Annotated[str, Field(pattern=r"^\d{3}$")]] = {}  # noqa: RUF012  # pydantic copies it
    magnetic: tuple[str, ...] = ()
    not_loaned_ok: bool = True
    refuse_held: bool = False
    alert_type_always: bool = False
    alert_only_with_type: bool = False
    destination_always: bool = False
    messages: dict[str, str] = {}  # noqa: RUF012  # pydantic copies it

    @field_validator("addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise ValueError(f"'{text}' is no address or network such as 10.1.2.0/24") from None
        return value

    @field_validator("due_format")
    @classmethod
    def _format_known(cls, value: str) -> str:
        if value != "sip2" and "%" not in value:
            raise ValueError('write "sip2" or a pattern such as "%Y-%m-%d"')
        return value

    @model_validator(mode="after")
    def _known_by_something(self) -> Self:
        if not self.login and not self.addresses:
            raise ValueError("a terminal needs a login, or addresses from which it may come without one")
        if self.login and not self.password:
            raise ValueError("a login needs a password")
        return self


class Sip2Config(Section):
    """`[server.sip2]`."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=6001, ge=0, le=65535)
    institution: str = "MAIN"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    connections: int = Field(default=200, ge=1, le=5000)
    login_within_s: float = Field(default=45, ge=1, le=600)
    idle_close_s: float = Field(default=0, ge=0)
    timeout_s: float = Field(default=5.0, ge=0.1, le=99.8)
    retries: int = Field(default=3, ge=0, le=998)
    log: Path | None = None
    terminal: tuple[TerminalConfig, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        if 0 < self.idle_close_s < LEAST_IDLE_S:
            raise ValueError("terminals are quiet for minutes: write 0 (never) or at least 600")
        for what in ("id", "login"):
            names = [name for one in self.terminal if (name := getattr(one, what))]
            if len(set(names)) < len(names):
                raise ValueError(f"two terminals have the same {what}")
        return self


def unknown_branches(terminals: Iterable[TerminalConfig], knows: Callable[[str], bool]) -> list[str]:
    """`hall: nroth` for each branch of a terminal or of its bins that the library does not have."""
    named = [(one.id, branch) for one in terminals for branch in (one.branch, *(rule.branch for rule in one.bins))]
    return [f"{id_}: {branch}" for id_, branch in dict.fromkeys(named) if branch is not None and not knows(branch)]


@dataclass(frozen=True, slots=True)
class Profile:
    """A terminal as it is served: its own settings with the library's where it has none."""

    terminal: TerminalConfig
    institution: str
    branch: str
    language: str
    library: str
    zone: ZoneInfo
    timeout_s: float
    retries: int

    @property
    def id(self) -> str:
        """Its name in logs and audit."""
        return self.terminal.id

    def may(self, message_id: str) -> bool:
        """Whether a request's right is granted; those without a right of their own always are."""
        right = RIGHT_OF.get(message_id)
        return right is None or right in self.terminal.rights

    def sends(self, extra: Extra) -> bool:
        """Whether an optional field is wanted."""
        return extra in self.terminal.send

    def date(self, at: datetime) -> str:
        """An instant as SIP2's 18 characters, in the library's zone."""
        return _written(at.astimezone(self.zone))

    def due(self, at: datetime | None) -> str:
        """A due date as the terminal prints it."""
        if at is None:
            return ""
        local = at.astimezone(self.zone)
        form = self.terminal.due_format
        return _written(local) if form == "sip2" else local.strftime(form)

    def instant(self, text: str) -> datetime | None:
        """What 18 characters from the terminal mean; None for blanks and nonsense."""
        day, time = text[:8], text[12:]
        try:
            plain = datetime.fromisoformat(f"{day}T{time}") if (day + time).isdecimal() else None
        except ValueError:
            return None
        if plain is None or plain.year not in YEARS:
            return None
        return plain.replace(tzinfo=UTC if text[8:12].strip().upper() == "Z" else self.zone).astimezone(UTC)

    def spoken(self, code: str) -> str:
        """The language of an answer for a request's language code."""
        return LANGUAGES.get(code, self.language)


class Directory:
    """Which terminals there are."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self.profiles = tuple(profiles)

    def by_address(self, address: str) -> Profile | None:
        """The terminal that needs no login from there."""
        return next((p for p in self.profiles if not p.terminal.login and _within(address, p)), None)

    def by_login(self, login: str, password: str, address: str) -> Profile | None:
        """The terminal with this login, from an address it may come from."""
        for profile in self.profiles:
            known = profile.terminal
            if known.login and _same(known.login, login):
                right = _same(known.password, password)
                return profile if right and (not known.addresses or _within(address, profile)) else None
        return None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _within(address: str, profile: Profile) -> bool:
    try:
        there = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(there, ipaddress.IPv6Address) and there.ipv4_mapped:
        there = there.ipv4_mapped
    return any(there in ipaddress.ip_network(text) for text in profile.terminal.addresses)


def _written(local: datetime) -> str:
    """Every answer has it, and strftime takes three times as long."""
    day, time = f"{local.year:04}{local.month:02}{local.day:02}", f"{local.hour:02}{local.minute:02}{local.second:02}"
    return f"{day}    {time}"
