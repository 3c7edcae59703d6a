"""The words of a letter: text templates in the patron's language; a library may put its own in their place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_date
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy.orm import Session

from carrel.clock import local_date
from carrel.sections import LibraryConfig
from carrel.web.i18n import Language, in_language, money
from server.catalogue import service as catalogue
from server.circulation import service as circulation
from server.fees import service as fees
from server.holds import service as holds
from server.lending import service as lending
from server.lending.names import Names
from server.lending.policy import LibraryPolicy
from server.notices.letters.recipients import Recipient
from server.notices.policy import Kind, Want, days_late

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("templates")
LOCALES: dict[Language, str] = {"zh-CN": "zh_Hans_CN", "en": "en_GB"}
SUBJECT_LENGTH = 200
WRONG = (TemplateError, ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
"""What a library's own template can come to."""


class Addressee(Protocol):
    """Whom a letter is for; a patron is one."""

    @property
    def id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def email(self) -> str: ...
    @property
    def phone(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who gets examples and letters that try a channel: no patron."""

    name: str
    language: str | None
    email: str = ""
    phone: str = ""
    id: None = None


SOMEBODY = (Somebody("李明", "zh-CN"), Somebody("Ming Li", "en"))
"""Who examples are written to, one for each language."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a patron reads, and the same as facts for programs. `fault`: why the library's own words were not used."""

    language: str
    subject: str
    text: str
    lines: tuple[dict[str, Any], ...]
    owed: Decimal | None
    fault: str = ""


class Writer:
    """Of one library. A template's first line is the subject, the rest after an empty line the text."""

    def __init__(self, library: LibraryConfig, folder: Path | None) -> None:
        self._library = library
        self._own = folder
        self._shipped = _environment(SHIPPED)
        self._preferred = _environment(folder, SHIPPED) if folder else self._shipped

    def write(
        self, session: Session, recipient: Recipient, kind: Kind, wants: Iterable[Want], *, now: datetime
    ) -> Letter:
        """A letter of one kind about these things."""
        about = [want.about for want in wants]
        lines = _FACTS[kind](session, about, _Day(now, self._library.zone))
        owed = fees.balance(session, recipient.about.id) if kind == "fee" else None
        policy = lending.current(session).policy
        return self.compose(recipient.to, kind, lines, owed=owed, policy=policy, child=recipient.child)

    def example(self, to: Addressee, kind: Kind, *, today: date, pickup: str, policy: LibraryPolicy) -> Letter:
        """A letter with made-up facts."""
        lines = example(kind, today, pickup)
        return self.compose(to, kind, lines, owed=lines[0].get("amount"), policy=policy)

    def trial(self, to: Addressee) -> Letter:
        """A letter that only tries whether letters arrive."""
        return self.compose(to, "test", [], owed=None, policy=LibraryPolicy())

    def compose(
        self, to: Addressee, kind: Kind | Literal["test"], lines: list[dict[str, Any]], *,
        owed: Decimal | None, policy: LibraryPolicy, child: str = "",
    ) -> Letter:  # fmt: skip
        """A letter with these facts in it; `child` is whose, when it goes to the guardian."""
        language = next((known for known in LOCALES if known == to.language), self._library.language)
        name = in_language(language, (self._library.name, self._library.name_zh))
        names = Names(policy, language)
        words = {
            "name": to.name, "library": name, "lines": [_shown(line, names) for line in lines],
            "owed": owed, "currency": policy.currency, "child": child,
            "money": partial(money, currency=policy.currency, language=language),
        }  # fmt: skip
        written, fault = self._render(f"{language}/{kind}.txt", words)
        subject, _, text = written.strip().partition("\n")
        subject = " ".join(subject.split())[:SUBJECT_LENGTH]
        return Letter(language, subject, text.strip() + "\n", tuple(lines), owed, fault=fault)

    def _render(self, template: str, words: Mapping[str, Any]) -> tuple[str, str]:
        """The library's own words; where they are wrong, the shipped ones, since a letter with other words beats none,
        and what is wrong."""
        try:
            written = self._preferred.get_template(template).render(words)
            if not written.strip():
                raise ValueError("it writes nothing")
            return written, ""
        except WRONG as error:
            if self._preferred is self._shipped:
                raise
            log.error(
                "the template %s in %s is wrong (%s): the one that Carrel ships is used", template, self._own, error
            )
            fault = f"{template}: {type(error).__name__}: {error}"
            return self._shipped.get_template(template).render(words), fault


def _environment(*folders: Path) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]), undefined=StrictUndefined,
        autoescape=False, trim_blocks=True, lstrip_blocks=True,  # plain text, never shown as HTML
    )  # fmt: skip


def _shown(line: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Days as people of that language write them, and what the branch is called there."""
    locale = LOCALES[names.language]
    shown = {
        name: format_date(value, "long", locale=locale) if isinstance(value, date) else value
        for name, value in line.items()
    }
    return shown | ({"pickup": names.branch(line["pickup"])} if "pickup" in line else {})


@dataclass(frozen=True, slots=True)
class _Day:
    """When and where a letter is written."""

    now: datetime
    zone: ZoneInfo

    def of(self, at: datetime | None) -> date | None:
        """The library's day at an instant."""
        return None if at is None else local_date(at, self.zone)


def facts_of(session: Session, want: Want, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """What a letter would say of one thing, as facts."""
    return next(iter(_FACTS[want.kind](session, [want.about], _Day(now, zone))), {})


def _loans(session: Session, about: list[str], day: _Day) -> list[dict[str, Any]]:
    loans = [loan for name in about if (loan := circulation.get_loan(session, _key(name))) is not None]
    items = catalogue.items_by_id(session, {loan.item_id for loan in loans})
    today = local_date(day.now, day.zone)
    return [
        {
            "title": items[loan.item_id].title, "barcode": items[loan.item_id].barcode, "due": day.of(loan.due_at),
            "days_late": days_late(local_date(loan.due_at, day.zone), today),
        }
        for loan in sorted(loans, key=lambda loan: (loan.due_at, loan.id))
    ]  # fmt: skip


def _holds(session: Session, about: list[str], day: _Day) -> list[dict[str, Any]]:
    found = [hold for name in about if (hold := holds.get(session, _key(name))) is not None]
    items = catalogue.items_by_id(session, {hold.filled_item_id for hold in found if hold.filled_item_id is not None})
    return [
        {
            "title": item.title,
            "barcode": item.barcode,
            "pickup": hold.pickup,
            "until": day.of(hold.ready_until),
        }
        for hold in found
        if (item := items.get(hold.filled_item_id or 0)) is not None
    ]


def _fees(session: Session, about: list[str], day: _Day) -> list[dict[str, Any]]:
    keys = {_key(name) for name in about}
    patron_id = fees.patron_of(session, min(keys))
    found = [fee for fee in fees.fees_of(session, patron_id or 0) if fee.id in keys]
    items = catalogue.items_by_id(session, {fee.item_id for fee in found if fee.item_id is not None})
    return [
        {"fee": fee.kind, "amount": fee.owed, "charged": day.of(fee.charged_at)} | _of_item(items.get(fee.item_id or 0))
        for fee in found
    ]


def _of_item(item: catalogue.Item | None) -> dict[str, str]:
    return {"title": item.title, "barcode": item.barcode} if item else {"title": "", "barcode": ""}


_FACTS: dict[Kind, Callable[[Session, list[str], _Day], list[dict[str, Any]]]] = {
    "due_soon": _loans, "overdue": _loans, "hold_ready": _holds, "hold_expiring": _holds, "fee": _fees,
}  # fmt: skip


def example(kind: Kind, today: date, pickup: str) -> list[dict[str, Any]]:
    """Facts for a preview, when a patron has nothing of the kind."""
    book = {"title": "红楼梦", "barcode": "30000001"}
    days = {"due_soon": 3, "overdue": -7, "hold_ready": 7, "hold_expiring": 1, "fee": 0}
    day = today + timedelta(days=days[kind])
    lines: dict[Kind, dict[str, Any]] = {
        "due_soon": {"due": day, "days_late": 0},
        "overdue": {"due": day, "days_late": 7},
        "hold_ready": {"pickup": pickup, "until": day},
        "hold_expiring": {"pickup": pickup, "until": day},
        "fee": {"fee": "overdue", "amount": Decimal("2.50"), "charged": day},
    }
    return [book | lines[kind]]


def _key(about: str) -> int:
    return int(about.partition(":")[2])
