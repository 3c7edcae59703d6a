"""What the pages say about reservations, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from carrel.web.i18n import N_, Words
from server.catalogue.service import Item, Record
from server.holds.expecting import NEWCOMER
from server.holds.hold import Hold
from server.holds.policy import GONE, positions
from server.lending.names import Names
from server.lending.policy import LibraryPolicy
from server.pages.reader.views import day, told

PLACED = N_("This title is reserved for you.")
DONE = {
    "pause": N_("Paused. The reservation keeps its place, and others are served meanwhile."),
    "resume": N_("The reservation waits again, at the place it had."),
    "cancel": N_("The reservation is cancelled."),
}
ENDED = {
    "fulfilled": N_("Borrowed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Ended without being fetched, or not fulfilled in time"),
}


@dataclass(frozen=True, slots=True)
class Telling:
    """To whom reservations are told, and on which day."""

    words: Words
    names: Names
    today: date


@dataclass(frozen=True, slots=True)
class HoldLine:
    """One reservation; `details` are sentences below its title."""

    id: int
    record_id: int
    title: str
    author: str
    tone: str
    state: str
    details: tuple[str, ...]
    ready: bool
    open: bool
    can_pause: bool
    paused: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """Who waits for a title; `expected` is when each will probably get it, under NEWCOMER for who would join now."""

    holds: Sequence[Hold]
    expected: Mapping[int, date]


@dataclass(frozen=True, slots=True)
class Reserve:
    """What a title's page offers: one's own place in the queue, or a form; `expected` is how long one would wait."""

    queue: int
    own: HoldLine | None
    refused: str
    request_id: str
    branches: tuple[str, ...]
    copies: tuple[Item, ...]
    on_shelf: bool
    expected: str


def lines(
    holds: Iterable[Hold], queues: Mapping[int, Sequence[Hold]], records: Mapping[int, Record], to: Telling, *,
    expected: Mapping[int, date],
) -> list[HoldLine]:  # fmt: skip
    """Reservations as they are shown: what is ready first, then in the order they were made; ended ones last."""
    made = [
        line(hold, queues.get(hold.record_id, ()), records[hold.record_id], to, expected=expected.get(hold.id))
        for hold in holds
    ]
    return sorted(made, key=lambda one: (not one.open, not one.ready))


def line(hold: Hold, queue: Sequence[Hold], record: Record, to: Telling, *, expected: date | None) -> HoldLine:
    """One reservation in words; `expected` is when it will probably be ready."""
    tone, state = _state(hold, queue, to)
    return HoldLine(
        id=hold.id,
        record_id=hold.record_id,
        title=record.title,
        author=record.author,
        tone=tone,
        state=state,
        details=tuple(_details(hold, to, expected)),
        ready=hold.state == "ready",
        open=hold.open,
        can_pause=hold.state == "waiting",
        paused=hold.paused_on(to.today),
    )


def reserve(
    record: Record, items: Sequence[Item], queue: Queue, to: Telling, *,
    patron_id: int | None, branches: Collection[str], refused: str, request_id: str,
) -> Reserve:  # fmt: skip
    """What a title's page says about reserving it."""
    own = next((hold for hold in queue.holds if patron_id is not None and hold.patron_id == patron_id), None)
    copies = tuple(item for item in items if item.for_loan and item.status not in GONE)
    return Reserve(
        queue=sum(hold.state == "waiting" for hold in queue.holds),
        own=line(own, queue.holds, record, to, expected=queue.expected.get(own.id)) if own else None,
        refused=refused,
        request_id=request_id,
        branches=tuple(branches),
        copies=copies,
        on_shelf=any(item.status == "on_shelf" for item in copies),
        expected=_joining(to.words, queue.expected.get(NEWCOMER)),
    )


def refusal(words: Words, code: str, policy: LibraryPolicy) -> str:
    """Why a title was not reserved; a limit is named."""
    if code == "hold_limit" and policy.hold_limit is not None:
        return words.ngettext(
            "You have reached the limit of %(num)s reservation. Cancel it first.",
            "You have reached the limit of %(num)s reservations. Cancel one first.",
            policy.hold_limit,
        )
    return told(words, code)


def terms(words: Words, policy: LibraryPolicy) -> list[str]:
    """What happens to reservations by themselves."""
    said = [
        words.ngettext(
            "What is set aside for you waits %(num)s day. If you do not fetch it, the reservation ends "
            "and the next reader gets it.",
            "What is set aside for you waits %(num)s days. If you do not fetch it, the reservation ends "
            "and the next reader gets it.",
            policy.hold_shelf_days,
        )
    ]
    if policy.hold_expiry_days is not None:
        said.append(
            words.ngettext(
                "A reservation that cannot be fulfilled within %(num)s day ends.",
                "A reservation that cannot be fulfilled within %(num)s days ends.",
                policy.hold_expiry_days,
            )
        )
    said.append(words.gettext("A paused reservation keeps its place in the queue. Others are served meanwhile."))
    return said


def _state(hold: Hold, queue: Sequence[Hold], to: Telling) -> tuple[str, str]:
    words = to.words
    if not hold.open:
        return "", words.gettext(ENDED.get(hold.state, hold.state))
    if hold.state == "ready":
        return "ok", words.gettext("Ready to fetch")
    if hold.state == "in_transit":
        return "info", words.gettext("On its way to you")
    if hold.paused_on(to.today):
        return "warn", words.gettext("Paused")
    number = sum(one.state == "waiting" for one in queue)
    place = positions(queue).get(hold.id, 0)
    return "", words.gettext("Place %(place)s of %(number)s in the queue", place=place, number=number)


def _wait(words: Words, expected: date | None) -> str:
    if expected is None:
        return words.gettext("When a copy will come back is not known.")
    return words.gettext("Probably ready by %(date)s.", date=day(words, expected))


def _joining(words: Words, expected: date | None) -> str:
    if expected is None:
        return ""
    return words.gettext("Reserved now, it is probably ready by %(date)s.", date=day(words, expected))


def _details(hold: Hold, to: Telling, expected: date | None) -> Iterable[str]:
    words, branch, paused = to.words, to.names.branch(hold.pickup), hold.paused_on(to.today)
    if not hold.open:
        if hold.closed_at is not None:
            yield words.moment(hold.closed_at, "date")
        return
    if hold.state == "ready" and hold.ready_until is not None:
        until = words.moment(hold.ready_until, "date")
        yield words.gettext("Fetch it at %(branch)s by %(date)s.", branch=branch, date=until)
    else:
        yield words.gettext("To be fetched at %(branch)s.", branch=branch)
    if hold.state == "waiting" and not paused:
        yield _wait(words, expected)
    if paused and hold.paused_until is not None:
        yield words.gettext("Waits again from %(date)s.", date=day(words, hold.paused_until))
    if hold.state == "waiting" and hold.expires_on is not None:
        yield words.gettext("Ends on %(date)s if nothing comes back before.", date=day(words, hold.expires_on))
