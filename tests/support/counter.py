"""A counter at which a test stands: the services themselves, each step in a transaction of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import event
from sqlalchemy.orm import Session

from carrel.contracts.circulation import (
    CheckinRequest,
    CheckoutRequest,
    ItemRef,
    ItemResult,
    LossRequest,
    RenewalRequest,
    ReplayRequest,
    ReplayRowResult,
    UndoRequest,
)
from server.catalogue import service as catalogue
from server.circulation import nightly, replay, returns, service
from server.db import Database
from server.fees import service as fees
from server.holds import service as holds
from server.holds.hold import Hold
from server.holds.reserving import place_hold
from server.holds.schemas import HoldRequest, HoldResult
from server.lending import service as lending
from server.lending.occasion import Channel, Occasion
from server.lending.policy import Calendar, LibraryPolicy, Rule
from server.patrons import service as patrons
from server.tasks import service as tasks
from server.tasks.service import Task
from tests.support.library import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")
T = TypeVar("T")


@dataclass
class Counter:
    """`occasion` says who stands there and when; `at` and `on` give the same counter at another time or channel."""

    database: Database
    occasion: Occasion = field(default_factory=lambda: Occasion("user:librarian", NOW, SHANGHAI))
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def at(self, moment: datetime | None = None, /, **later: float) -> Counter:
        """At a moment, or so much later."""
        return replace(self, occasion=self.occasion._replace(now=moment or self.occasion.now + timedelta(**later)))

    def on(self, channel: Channel = Channel.DESK, *, branch: str = "main") -> Counter:
        """Over another channel, or at another branch."""
        return replace(self, occasion=self.occasion._replace(channel=channel, branch=branch))

    def do(self, work: Callable[[Session], T]) -> T:
        """In one transaction."""
        with self.database.writing() as session:
            return work(session)

    def ask(self, work: Callable[[Session], T]) -> T:
        """Changing nothing."""
        with self.database.reading() as session:
            return work(session)

    def new_id(self) -> str:
        """For a request."""
        return f"r-{next(self.numbers)}"

    def rule_by(
        self, *rules: Rule, policy: LibraryPolicy | None = None, calendar: Calendar | None = None
    ) -> None:  # fmt: skip
        """What the library lends by from now on."""

        def work(session: Session) -> None:
            if rules:
                lending.set_rules(session, rules, actor="user:admin", at=self.occasion.now)
            if policy is not None:
                lending.set_policy(session, policy, actor="user:admin", at=self.occasion.now)
            if calendar is not None:
                lending.set_calendar(session, calendar, actor="user:admin", at=self.occasion.now)

        self.do(work)

    def checkout(self, card: str, *barcodes: str, **more: Any) -> list[ItemResult]:
        """Lend."""
        request = CheckoutRequest(request_id=self.new_id(), card=card, items=refs(barcodes), **more)
        return list(self.do(lambda session: service.checkout_many(session, request, self.occasion)).results)

    def checkin(self, *barcodes: str, **more: Any) -> list[ItemResult]:
        """Take back."""
        request = CheckinRequest(request_id=self.new_id(), items=refs(barcodes), **more)
        return list(self.do(lambda session: returns.checkin_many(session, request, self.occasion)).results)

    def renew(self, card: str, *barcodes: str, **more: Any) -> list[ItemResult]:
        """Give more time."""
        request = RenewalRequest(request_id=self.new_id(), card=card, items=refs(barcodes), **more)
        return list(self.do(lambda session: service.renew_many(session, request, self.occasion)).results)

    def cancel(self, card: str | None, *barcodes: str) -> list[ItemResult]:
        """Make checkouts undone."""
        request = UndoRequest(request_id=self.new_id(), card=card, items=refs(barcodes))
        return list(self.do(lambda session: returns.cancel_checkout(session, request, self.occasion)).results)

    def undo(self, *barcodes: str, card: str | None = None) -> list[ItemResult]:
        """Make the last step undone."""
        request = UndoRequest(request_id=self.new_id(), card=card, items=refs(barcodes))
        return list(self.do(lambda session: returns.undo(session, request, self.occasion)).results)

    def lose(self, *barcodes: str) -> list[ItemResult]:
        """Declare lost."""
        request = LossRequest(request_id=self.new_id(), items=refs(barcodes))
        return list(self.do(lambda session: returns.declare_lost(session, request, self.occasion)).results)

    def hold(self, card: str, barcode: str, **more: Any) -> HoldResult:
        """Wait for the title of an item."""
        request = HoldRequest(request_id=self.new_id(), card=card, barcode=barcode, **more)
        return self.do(lambda session: place_hold(session, request, self.occasion))

    def replay(self, *rows: dict[str, Any]) -> list[ReplayRowResult]:
        """Hand in rows of a journal."""
        request = ReplayRequest.model_validate({"rows": list(rows)})
        return list(self.do(lambda session: replay.replay(session, request, self.occasion)).rows)

    def night(self) -> nightly.Night:
        """What happens by itself."""
        occasion = self.occasion._replace(actor="nightly")
        return self.do(lambda session: nightly.nightly(session, occasion))

    def item(self, barcode: str) -> catalogue.Item:
        """As it stands now."""
        return self.ask(lambda session: catalogue.get_item(session, barcode))

    def change_item(self, barcode: str, **values: Any) -> None:
        """Set columns of an item."""
        from server.catalogue import repository  # noqa: PLC0415  # only tests reach into the tables

        item_id = self.item(barcode).id
        self.do(lambda session: repository.change_item(session, item_id, **values))

    def patron_id(self, card: str) -> int:
        """By card."""
        patron = self.ask(lambda session: patrons.find(session, card))
        assert patron is not None
        return patron.id

    def owed(self, card: str) -> Decimal:
        """What the patron owes."""
        patron_id = self.patron_id(card)
        return self.ask(lambda session: fees.balance(session, patron_id))

    def queue(self, barcode: str) -> list[Hold]:
        """Who waits for an item's title."""
        record_id = self.item(barcode).record_id
        return self.ask(lambda session: holds.queues(session, [record_id])[record_id])

    def get_hold(self, hold_id: int | None) -> Hold:
        """By key."""
        found = self.ask(lambda session: holds.get(session, hold_id or 0))
        assert found is not None
        return found

    def tasks(self, kind: str | None = None) -> list[Task]:
        """What is on the lists."""
        return self.ask(lambda session: tasks.find(session, kind=kind))

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Every statement that the database gets meanwhile."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.database.engine, "before_cursor_execute", note)


def refs(barcodes: tuple[str, ...]) -> tuple[ItemRef, ...]:
    """`30000001`, or `30000001/2` when two parts were seen."""
    return tuple(
        ItemRef(barcode=barcode.split("/")[0], parts=int(barcode.split("/")[1]) if "/" in barcode else None)
        for barcode in barcodes
    )


def codes(results: list[ItemResult]) -> list[str]:
    """Of each result its code, or ok."""
    return [result.code or result.status for result in results]


def local(moment: datetime | None) -> str:
    """An instant as the library's clock shows it, in minutes."""
    assert moment is not None
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def day(text: str) -> date:
    """2026-03-01."""
    return date.fromisoformat(text)
