"""The tables of a rehearsal's file: the library, its rules, patrons and items."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from server.notices.policy import Channel
from server.patrons.schemas import Language
from server.rehearse import values

Name = Annotated[str, BeforeValidator(values.text)]
Count = Annotated[int, BeforeValidator(values.number)]
Money = Annotated[Decimal, BeforeValidator(values.positive_money)]
Number = Annotated[str, BeforeValidator(values.number_on_it)]
Tags = Annotated[int, BeforeValidator(lambda value: values.number(len(value) if isinstance(value, list) else value))]
Day = Annotated[date, BeforeValidator(values.day)]
Days = Annotated[list[date], BeforeValidator(values.days)]
Weekday = Annotated[str, BeforeValidator(values.weekday)]
ANY = "*"
LANGUAGES, CHANNELS = get_args(Language), get_args(Channel)


def also(*names: str) -> Any:
    """A field under any of these keys; the first is the documented one."""
    return AliasChoices(*names)


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(values.text(value))
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{values.short(value)} is no time zone: write a name such as Asia/Shanghai") from None


def _language(value: Any) -> str:
    return values.one_of(value, LANGUAGES)


def _channels(value: Any) -> list[str]:
    return [values.one_of(one, CHANNELS) for one in values.texts(value)]


def _branches(value: Any) -> list[str]:
    """Names, objects with an id, or an object by id."""
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list) or not value:
        raise ValueError('write a list of branches such as ["main", "north"]')
    return [values.text(one.get("id", one.get("name")) if isinstance(one, dict) else one) for one in value]


class Table(BaseModel):
    """Keys that nobody knows are left out of account and named on standard error."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, frozen=True, arbitrary_types_allowed=True)


class LibraryTable(Table):
    """Where and when the library is open."""

    zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(
        default=ZoneInfo("Asia/Shanghai"), validation_alias=also("zone", "timezone")
    )
    currency: Name = "CNY"
    name: str = "Library"
    branches: Annotated[list[str], BeforeValidator(_branches)] = ["main"]
    closed_weekdays: list[Weekday] = []
    closed_weekdays_by_branch: dict[str, list[Weekday]] = {}
    closed_dates: Days = []
    closed_dates_by_branch: dict[str, Days] = {}

    @model_validator(mode="after")
    def _branches_exist(self) -> Self:
        for key in ("closed_weekdays_by_branch", "closed_dates_by_branch"):
            for branch in getattr(self, key):
                if branch not in self.branches:
                    raise ValueError(f"{key}: '{branch}' is not among the branches {', '.join(self.branches)}")
        return self


class RuleTable(Table):
    """One row of the policy matrix; what is left out matches everything, or follows the library's defaults."""

    patron_class: Name = Field(default=ANY, validation_alias=also("class", "patron_class"))
    item_type: Name = Field(default=ANY, validation_alias=also("type", "item_type"))
    branch: Name = ANY
    days: Count | None = None
    hours: Count | None = None
    renewals: Count | None = None
    max: Count | None = None
    fee_per_open_day: Money = Decimal(0)
    grace_open_days: Count = 0
    cap: Money | None = None
    allowed: bool = True

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.days is not None and self.hours is not None:
            raise ValueError("write days or hours, not both")
        if self.allowed and self.days is None and self.hours is None:
            raise ValueError('write how long: "days" or "hours" (or "allowed": false)')
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """What a case's own rule replaces."""
        return (self.patron_class, self.item_type, self.branch)


class PatronTable(Table):
    """A patron; the card's number is the ID unless it is given."""

    patron_class: Name = Field(default="adult", validation_alias=also("class", "patron_class"))
    card: Number | None = None
    pin: Name | None = None
    name: Name | None = None
    expires: Day | None = Field(default=None, validation_alias=also("expires", "expires_on"))
    blocked: Any = Field(default=False, validation_alias=also("blocked", "block", "blocks"))
    born: Day | None = Field(default=None, validation_alias=also("born", "born_on", "birthday"))
    branch: Name | None = None
    email: Name | None = None
    phone: Name | None = None
    language: Annotated[str, BeforeValidator(_language)] | None = None
    channels: Annotated[list[str], BeforeValidator(_channels)] = []
    guardian: Name | None = None
    keeps_history: bool = Field(default=False, validation_alias=also("keeps_history", "history"))
    owes: Money = Field(default=Decimal(0), validation_alias=also("owes", "balance", "fees"))


class ItemTable(Table):
    """An item; those that name the same record are copies of it."""

    record: Any = Field(default=None, validation_alias=also("record", "title"))
    author: str = ""
    type: Name = "book"
    branch: Name | None = None
    at_branch: Name | None = Field(default=None, validation_alias=also("at_branch", "at"))
    price: Money | None = None
    tags: Tags = Field(default=1, validation_alias=also("tags", "parts"))
    status: Name | None = Field(default=None, validation_alias=also("status", "state"))
    for_loan: bool = Field(default=True, validation_alias=also("for_loan", "loanable"))
    location: str = ""
    call_number: str = ""
