"""Answers that need no library: what we can do, and refusals in the form that belongs to each request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from server.sip2 import words
from server.sip2.profile import RIGHT_OF, SUPPORTED, Profile
from server.sip2.wire.messages import ECHOED, LAYOUTS, Draft, F, Message

VERSION = "2.00"


def acs_status(profile: Profile, abilities: Iterable[Profile], now: datetime) -> Message:
    """98: what at least one of these terminals may do here."""
    terminals = tuple(abilities)

    def may(*ids: str) -> str:
        return _flag(any(p.may(id_) for p in terminals for id_ in ids))

    draft = Draft("98").set(
        online="Y",
        checkin=may("09"),
        checkout=may("11"),
        renewal=may("29"),
        status_update=may("01"),
        offline=_flag(any(p.terminal.offline for p in terminals)),
        timeout=f"{round(profile.timeout_s * 10):03d}",
        retries=f"{profile.retries:03d}",
        version=VERSION,
    )
    draft.add(F.INSTITUTION, profile.institution).add(F.LIBRARY, profile.library)
    draft.add(F.SUPPORTED, "".join(may(id_) if id_ in RIGHT_OF else "Y" for id_ in SUPPORTED))
    draft.add(F.TERMINAL_PLACE, profile.terminal.place or None)
    return draft.done(profile.date(now))


def begin(request: Message, profile: Profile) -> Draft:
    """The answer that belongs to a request: whose institution, and what it repeats of the request."""
    answer = LAYOUTS[request.id].answer
    assert answer is not None
    draft, required, there = Draft(answer), LAYOUTS[answer].required, request.names()
    if F.INSTITUTION in required:
        draft.add(F.INSTITUTION, profile.institution)
    for name in ECHOED.get(answer, ()):
        if name in there or name in required:
            draft.add(name, request.get(name))
    return draft


def finish(draft: Draft, profile: Profile, now: datetime) -> Message:
    """With every field that the answer must have, and the date."""
    present = {name for name, _ in draft.fields}
    for name in LAYOUTS[draft.id].required:
        if name not in present:
            draft.add(name, profile.branch if name == F.HOME_PLACE else "")
    return draft.done(profile.date(now))


def refusal(request: Message, profile: Profile, language: str, *, code: str, now: datetime) -> Message:
    """The answer in which nothing was done, with the reason on the screen."""
    draft = begin(request, profile)
    if draft.id in ("24", "26", "64"):
        draft.add(F.VALID_PATRON, "N")
    return finish(draft.each(F.SCREEN, words.say(profile, language, code)), profile, now)


def _flag(value: bool) -> str:
    return "Y" if value else "N"
