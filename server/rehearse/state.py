"""The state of a scratch library at a check, in the file's own names and in a fixed order."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from carrel.clock import local_date
from server.audit import service as audit
from server.audit.values import Wanted
from server.catalogue import service as catalogue
from server.catalogue.service import Item
from server.circulation import service as circulation
from server.db import Database
from server.fees import service as fees
from server.holds import service as holds
from server.notices import planning
from server.notices.letters import writing
from server.notices.policy import Terms, Want
from server.patrons import service as patrons
from server.rehearse.answers import Answer, amount, local, plain
from server.rehearse.library import World
from server.rehearse.script import Case
from server.tasks import service as tasks
from server.tasks.service import Task

EVERY_LINE = 100_000
"""More of the audit log than a file can cause."""

CONFLICTS = ("conflict", "unknown_row")
"""Lists that replayed journals fill."""


def look(database: Database, case: Case, world: World, now: datetime, *, after: int) -> Answer:
    """Everything that a check shows; of the audit log the lines after a number."""
    with database.reading() as session:
        seen = _Look(session, case, world, now)
        return {
            "at": local(now, case.library.zone),
            "loans": seen.loans(),
            "items": seen.items(),
            "security": {barcode: entry["security"] for barcode, entry in seen.items().items()},
            "balances": seen.balances(),
            "holds": seen.holds(),
            "staff": seen.staff(),
            "conflicts": [seen.task(task) for task in tasks.find(session) if task.kind in CONFLICTS],
            "notices": seen.notices(),
            "patrons": seen.patrons(),
            "audit": seen.audit(after),
        }


def last_line(database: Database) -> int:
    """The number of the audit log's newest line."""
    with database.reading() as session:
        return next((row.seq for row in audit.page(session, Wanted(), 1)), 0)


class _Look:
    def __init__(self, session: Session, case: Case, world: World, now: datetime) -> None:
        self.session, self.world, self.now, self.zone = session, world, now, case.library.zone
        self.today = local_date(now, self.zone)
        self._items = catalogue.items_by_barcode(session, world.items)
        self._barcodes = {item.id: item.barcode for item in self._items.values()}
        self._loans = {
            barcode: loan
            for barcode, item in sorted(self._items.items())
            if (loan := circulation.open_loan(session, item.id)) is not None
        }

    def loans(self) -> list[Answer]:
        """Open loans, by barcode."""
        return [
            {
                "item": barcode,
                "patron": self.world.patron_name(loan.patron_id),
                "checked_out": local(loan.checked_out_at, self.zone),
                "due": local(loan.due_at, self.zone),
                "renewals": loan.renewals,
                "overdue": loan.due_at < self.now,
            }
            for barcode, loan in self._loans.items()
        ]

    def items(self) -> dict[str, Answer]:
        """Where each item is and what its tag should say."""
        return {barcode: self._item(item) for barcode, item in sorted(self._items.items())}

    def _item(self, item: Item) -> Answer:
        return {
            "status": item.status,
            "branch": item.branch,
            "at_branch": item.at_branch,
            "transit_to": item.transit_to,
            "security": "on_loan" if item.barcode in self._loans else "in_stock",
        }

    def balances(self) -> dict[str, str]:
        """What each patron owes."""
        return {name: amount(fees.balance(self.session, key)) for name, key in sorted(self.world.patrons.items())}

    def holds(self) -> list[Answer]:
        """Open holds, title by title, first come first."""
        found = [
            hold
            for key in self.world.patrons.values()
            for hold in holds.of_patron(self.session, key, now=self.now, zone=self.zone)
        ]
        return [
            {
                "hold_id": hold.id,
                "patron": self.world.patron_name(hold.patron_id),
                "record": self.world.record_name(hold.record_id),
                "item": self._barcodes.get(hold.item_id or 0),
                "state": hold.state,
                "position": holds.position(self.session, hold, self.today),
                "pickup": hold.pickup,
                "paused": hold.paused_on(self.today),
                "set_aside": self._barcodes.get(hold.filled_item_id or 0),
                "until": local(hold.ready_until, self.zone),
            }
            for hold in sorted(found, key=lambda hold: (hold.record_id, hold.placed_at, hold.id))
        ]

    def staff(self) -> dict[str, list[Answer]]:
        """Work lists: what to fetch, what is kept for whom, and what only a person can put right."""
        lists: dict[str, list[Answer]] = {
            "pull": [
                {
                    "item": one.item.barcode,
                    "patron": self.world.patron_name(one.hold.patron_id),
                    "pickup": one.hold.pickup,
                }
                for one in holds.pull_list(self.session, self.today)
            ],
            "hold_shelf": [
                {
                    "item": self._barcodes.get(hold.filled_item_id or 0),
                    "patron": self.world.patron_name(hold.patron_id),
                    "until": local(hold.ready_until, self.zone),
                }
                for hold in holds.shelf(self.session)
            ],
        }
        for task in tasks.find(self.session):
            if task.kind not in CONFLICTS:
                lists.setdefault(task.kind, []).append(self.task(task))
        return lists

    def notices(self) -> list[Answer]:
        """What patrons would be written to about now, told already or not, by the steps that Carrel ships."""
        terms = Terms(self.zone, fee_from=Decimal("0.01"), fee_after=timedelta(0))
        return [self._notice(want) for want in planning.wanted(self.session, self.now, terms)]

    def _notice(self, want: Want) -> Answer:
        facts = writing.facts_of(self.session, want, self.now, self.zone)
        about = {name: plain(value, self.zone) for name, value in facts.items() if name not in ("title", "barcode")}
        patron = self.world.patron_name(want.patron_id)
        return {"kind": want.kind, "patron": patron, "item": facts.get("barcode") or None} | about

    def task(self, task: Task) -> Answer:
        """A line of a stored list."""
        return {
            "kind": task.kind,
            "code": task.code,
            "at": local(task.at, self.zone),
            "branch": task.branch,
            "item": self._barcodes.get(task.item_id or 0),
            "patron": self.world.patron_name(task.patron_id),
            "detail": plain(task.detail, self.zone),
        }

    def patrons(self) -> dict[str, Answer]:
        """Of each patron the card that counts, and what bars them."""
        known = patrons.find_many(self.session, list(self.world.patrons.values()))
        return {
            name: {
                "card": known[key].card,
                "card_state": known[key].card_state,
                "blocks": [block.reason for block in known[key].blocks_at(self.now)],
                "anonymised": known[key].anonymised_at is not None,
            }
            for name, key in sorted(self.world.patrons.items())
        }

    def audit(self, after: int) -> list[Answer]:
        """What was done since the set-up, oldest first."""
        rows = [row for row in audit.page(self.session, Wanted(), EVERY_LINE) if row.seq > after]
        return [
            {
                "at": local(row.entry.at, self.zone),
                "actor": self._named(row.entry.actor),
                "action": row.entry.action,
                "target": self._named(row.entry.target, detail.get("item")),
                "detail": detail
                | ({"item": self._barcodes[detail["item"]]} if detail.get("item") in self._barcodes else {}),
            }
            for row in reversed(rows)
            for detail in [json.loads(row.entry.detail)]
        ]

    def _named(self, subject: str, item: Any = None) -> str:
        """`patron:12` and `item:7` by the file's own names, a loan by its item's."""
        kind, _, key = subject.partition(":")
        if kind == "patron" and key.isdecimal():
            return f"patron:{self.world.patron_name(int(key)) or key}"
        if kind == "item" and key.isdecimal():
            return f"item:{self._barcodes.get(int(key), key)}"
        return f"loan:{self._barcodes[item]}" if kind == "loan" and item in self._barcodes else subject
