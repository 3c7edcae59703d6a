"""The audit log in words: what was done, by whom and to what. What has no words yet is told by its own name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from carrel.web.i18n import N_, Words
from server.lending.names import Names
from server.lending.policy import Rule
from server.pages.accounts import words as account_words
from server.pages.catalogue.words import STATES as ITEM_STATES
from server.pages.desk import words as desk_words
from server.pages.lending_settings.words import GROUPS, period, scope
from server.pages.relations import words as relation_words
from server.pages.rules.words import DAYS
from server.pages.worklists import words as list_words

ACTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        N_("Sign-ins, accounts, tokens"),
        {
            "session.start": N_("Signed in"),
            "session.end": N_("Signed out"),
            "session.refused": N_("Sign-in locked after too many wrong passwords"),
            "account.create": N_("Account made"),
            "account.change": N_("Account changed"),
            "account.password": N_("Password set"),
            "token.create": N_("Token made"),
            "token.revoke": N_("Token revoked"),
        },
    ),
    (
        N_("Lending"),
        {
            "loan.checkout": N_("Item lent"),
            "loan.renew": N_("Loan renewed"),
            "loan.checkin": N_("Item returned"),
            "loan.undo": N_("Loan or return undone"),
            "loan.lost": N_("Item declared lost"),
            "loan.found": N_("Lost item found"),
            "hold.place": N_("Reservation made"),
            "hold.change": N_("Reservation changed"),
            "hold.pause": N_("Reservation paused"),
            "hold.resume": N_("Reservation resumed"),
            "hold.cancel": N_("Reservation cancelled"),
            "hold.expire": N_("Reservation ran out"),
            "item.place": N_("Item put in its place by a terminal"),
            "task.resolve": N_("Taken off a work list"),
            "notice.retry": N_("Notice sent again"),
            "notice.give_up": N_("Notice given up"),
            "notice.test": N_("Test letter sent"),
        },
    ),
    (
        N_("Fees"),
        {
            "fee.charge": N_("Fee charged"),
            "fee.pay": N_("Payment taken"),
            "fee.undo": N_("Payment undone"),
            "fee.waive": N_("Fee waived"),
            "fee.cancel": N_("Fee cancelled"),
        },
    ),
    (
        N_("Readers"),
        {
            "patron.register": N_("Reader registered"),
            "patron.edit": N_("Reader's data changed"),
            "patron.renew": N_("Membership prolonged"),
            "patron.pin": N_("PIN set"),
            "patron.block": N_("Reader blocked"),
            "patron.unblock": N_("Block lifted"),
            "patron.export": N_("Everything held about a reader given out"),
            "patron.anonymise": N_("Reader forgotten"),
            "card.issue": N_("Card handed out"),
            "card.end": N_("Card ended"),
            "patron_class.put": N_("Reader class set"),
        },
    ),
    (
        N_("Cataloguing"),
        {
            "catalogue.record_create": N_("Title catalogued"),
            "catalogue.record_update": N_("Title changed"),
            "catalogue.adopt": N_("Title taken over by its ISBN"),
            "catalogue.item_create": N_("Copy added"),
            "catalogue.item_update": N_("Copy changed"),
            "catalogue.item_missing": N_("Copy declared missing"),
            "catalogue.item_found": N_("Copy found"),
            "catalogue.item_repair": N_("Copy sent to repair"),
            "catalogue.item_process": N_("Copy put aside for processing"),
            "catalogue.item_ready": N_("Copy ready for lending"),
            "catalogue.item_withdraw": N_("Copy withdrawn"),
            "catalogue.item_reinstate": N_("Copy taken back into the collection"),
            "catalogue.item_send": N_("Copy sent to another branch"),
            "catalogue.classes": N_("Table of classes set"),
            "catalogue.import": N_("Import begun"),
            "catalogue.import_done": N_("Import finished"),
            "catalogue.import_cancel": N_("Import cancelled"),
        },
    ),
    (
        N_("Reader relations"),
        {
            "feedback.open": N_("Feedback given"),
            "feedback.assign": N_("Feedback given to a colleague"),
            "feedback.answer": N_("Feedback answered"),
            "feedback.note": N_("Note written on feedback"),
            "feedback.close": N_("Feedback closed"),
            "feedback.reopen": N_("Feedback opened again"),
            "feedback.rate": N_("Answer rated by the reader"),
            "feedback.escalate": N_("Feedback left too long without an answer"),
            "suggestion.make": N_("Purchase suggested"),
            "suggestion.vote": N_("Suggestion voted for"),
            "suggestion.unvote": N_("Vote taken back"),
            "suggestion.answer": N_("Suggestion decided"),
            "news.write": N_("News written"),
            "news.rewrite": N_("News changed"),
            "news.remove": N_("News removed"),
        },
    ),
    (
        N_("Settings"),
        {
            "lending.rules": N_("Lending rules changed"),
            "lending.policy": N_("Lending policy changed"),
            "lending.calendar": N_("Calendar changed"),
            "rules.save": N_("Rules of the building saved"),
            "gateway.retire": N_("Gateway retired"),
        },
    ),
)
"""By group, as the form offers them."""

SENTENCES = {action: text for _group, actions in ACTIONS for action, text in actions.items()}

WHO = {
    "machine": N_("Kiosk and gateway"),
    "nightly": N_("The night's work"),
    "command_line": N_("The command line"),
    "cli": N_("The command line"),
    "imports": N_("The import"),
    "deadline": N_("A deadline"),
    "demo": N_("Demo data"),
    "sign_in": N_("The sign-in form"),
    "anonymous": N_("Somebody not signed in"),
    "lending": N_("Lending"),
    "classification": N_("Classification"),
}
"""Parts of the program and of the library."""

THINGS = {
    "user": N_("Account %(key)s"),
    "account": N_("Account no. %(key)s"),
    "token": N_("Token %(key)s"),
    "sip2": N_("Terminal %(key)s"),
    "patron": N_("Reader no. %(key)s"),
    "patron_class": N_("Reader class %(key)s"),
    "loan": N_("Loan %(key)s"),
    "item": N_("Copy %(key)s"),
    "record": N_("Title no. %(key)s"),
    "hold": N_("Reservation %(key)s"),
    "fee": N_("Fee %(key)s"),
    "task": N_("Task %(key)s"),
    "notice": N_("Notice %(key)s"),
    "import": N_("Import %(key)s"),
    "feedback": N_("Feedback %(key)s"),
    "suggestion": N_("Suggestion %(key)s"),
    "news": N_("News %(key)s"),
    "rules": N_("Version %(key)s"),
    "gateway": N_("Gateway %(key)s"),
}
"""What a kind and a key stand for."""

PLACES = {"patron": "/patrons/", "record": "/catalogue/records/", "feedback": "/relations/cases/"}
"""Where a thing has a page of its own."""

DETAILS = {
    "alarms": N_("Alarms"),
    "added": N_("Added"),
    "amount": N_("Amount"),
    "barcode": N_("Barcode"),
    "block": N_("Block"),
    "branch": N_("Branch"),
    "channel": N_("By way of"),
    "class": N_("Reader class"),
    "columns": N_("Fields"),
    "disabled": N_("Ended"),
    "expires_on": N_("Valid until"),
    "fields": N_("Fields"),
    "file": N_("File"),
    "from": N_("From"),
    "isbn": "ISBN",
    "item": N_("Copy"),
    "kind": N_("Kind"),
    "means": N_("Means"),
    "membership_days": N_("Membership (days)"),
    "overridden": N_("Overridden"),
    "owner": N_("Colleague"),
    "payment_id": N_("Payment"),
    "public": N_("Public"),
    "reason": N_("Reason"),
    "record": N_("Title no."),
    "refunded": N_("Given back"),
    "removed": N_("Removed"),
    "replaces": N_("Replaces version"),
    "resolution": N_("Outcome"),
    "role": N_("Role"),
    "rules": N_("Rules"),
    "session": N_("Session"),
    "state": N_("State"),
    "title": N_("Title"),
    "to": N_("To"),
    "waived": N_("Waived"),
    # a copy, an account
    "call_number": N_("Call number"),
    "for_loan": N_("May be lent"),
    "location": N_("Place"),
    "name": N_("Full name"),
    "note": N_("Note"),
    "price": N_("Price"),
    "tags": N_("Parts with a tag"),
    "type": N_("Type"),
    # an import
    "failed": N_("Failed"),
    "items": N_("New copies"),
    "new": N_("New"),
    "read": N_("Records read"),
    "size": N_("Size in bytes"),
    "skipped": N_("Skipped"),
    "updated": N_("Updated"),
    # the calendar
    "closed_dates": N_("Closed on dates"),
    "closed_dates_by_branch": N_("Closed on dates, by branch"),
    "closed_weekdays": N_("Closed every week"),
    "closed_weekdays_by_branch": N_("Closed every week, by branch"),
} | {value.name: value.label for _group, values in GROUPS for value in values}
CHANNELS = {
    "desk": N_("Desk"),
    "kiosk": N_("Kiosk"),
    "reader": N_("Reader's own pages"),
    "sip2": N_("Terminal"),
    "replay": N_("Lent without the server, sent later"),
}
CHANGES = ("lending.policy", "catalogue.item_update")
"""What tells each value before and after."""
RULES = ("added", "removed")
"""What tells whole lending rules."""
NAMED = ("branch_names", "item_type_names")
"""What tells names by code."""
RULE_FIELDS = tuple(one.name for one in fields(Rule))
RULE = {
    "renewals": N_("Renewals"),
    "max": N_("At most"),
    "fee_per_open_day": N_("Fee a day"),
    "grace_open_days": N_("Grace (open days)"),
    "cap": N_("Highest fee"),
}
_ITEM_STATES = {code: text for code, (_tone, text) in ITEM_STATES.items()}
VALUES = {
    "channel": CHANNELS,
    "closed_weekdays": DAYS,
    "closed_weekdays_by_branch": DAYS,
    "from": _ITEM_STATES,
    "kind": list_words.LISTS | relation_words.KINDS | desk_words.FEE_KINDS,
    "resolution": list_words.RESOLUTIONS,
    "state": {code: text for code, (_tone, text) in relation_words.SUGGESTION_STATES.items()},
    "to": _ITEM_STATES,
    "role": account_words.ROLES,
    "means": desk_words.MEANS,
    "reason": desk_words.BLOCKS | desk_words.CARD_STATES,
}
"""Codes that have words."""

FAULTS = {
    "removed": N_("Rows were removed: after row %(checked)s the next one is missing."),
    "replaced": N_("Row %(next)s does not follow row %(checked)s: one of the two was replaced."),
    "changed": N_("Row %(next)s was changed after it was written."),
    "cut": N_("The row that was noted is not in the log: its end was cut off or replaced."),
}


def sentence(words: Words, action: str) -> str:
    """What was done."""
    return words.gettext(SENTENCES[action]) if action in SENTENCES else action


def thing(words: Words, subject: str, names: Mapping[str, str]) -> str:
    """Who did something, or to what; `names` knows colleagues and tokens."""
    if subject in names:
        return names[subject]
    if subject in WHO:
        return words.gettext(WHO[subject])
    kind, _, key = subject.partition(":")
    return words.gettext(THINGS[kind], key=key) if key and kind in THINGS else subject


def place(subject: str) -> str | None:
    """The page of what something was done to."""
    kind, _, key = subject.partition(":")
    return f"{PLACES[kind]}{key}" if key and kind in PLACES else None


def details(words: Words, action: str, detail: str, names: Names) -> list[tuple[str, str]]:
    """An entry's details by name; `names` tells what codes stand for."""
    told: dict[str, Any] = json.loads(detail)
    say = _change if action in CHANGES else _value
    return [
        (words.gettext(DETAILS[name]) if name in DETAILS else name, say(words, name, value, names))
        for name, value in told.items()
    ]


def _change(words: Words, name: str, values: list[Any], names: Names) -> str:
    unset = words.gettext("not set")
    before, after = (unset if value in (None, "", [], {}) else _value(words, name, value, names) for value in values)
    return words.gettext("from %(before)s to %(after)s", before=before, after=after)


def _rule(words: Words, told: dict[str, Any], names: Names) -> str:
    rule = Rule(**{name: told[name] for name in RULE_FIELDS if name in told})
    more = [f"{words.gettext(RULE[name])}: {told[name]}" for name in RULE if told.get(name) is not None]
    what = f"{', '.join(scope(words, rule, names))}: {period(words, rule)}"
    return ", ".join([what, *(more if rule.allowed else [])])


def _value(words: Words, name: str, value: object, names: Names) -> str:
    if isinstance(value, str):
        return _word(words, name, value, names)
    if isinstance(value, bool):
        return words.gettext("yes") if value else words.gettext("no")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(_word(words, name, one, names) for one in value) or "–"
    if name in RULES and isinstance(value, list):
        return "; ".join(_rule(words, rule, names) for rule in value)
    if isinstance(value, dict) and all(isinstance(one, list | dict) for one in value.values()):
        return "; ".join(_entry(words, name, pair, names) for pair in value.items()) or "–"
    if value is None:
        return "–"
    if name == "price" and isinstance(value, int):
        return words.number(value / 100, 2)
    return json.dumps(value, ensure_ascii=False)


def _entry(words: Words, name: str, pair: tuple[str, Any], names: Names) -> str:
    """Of what is told by code: a name, or what holds for a branch."""
    code, value = pair
    if name in NAMED:
        return f"{code}: {' / '.join(filter(None, value.values()))}"
    return f"{names.branch(code)}: {_value(words, name, value, names)}"


def _word(words: Words, name: str, code: str, names: Names) -> str:
    if code in VALUES.get(name, {}):
        return words.gettext(VALUES[name][code])
    named = {
        "branch": names.branch, "branches": names.branch, "type": names.item_type, "class": names.patron_class
    }  # fmt: skip
    return named.get(name, str)(code)


def fault(words: Words, code: str, checked: int) -> str:
    """What is wrong with the chain."""
    return words.gettext(FAULTS[code], checked=checked, next=checked + 1)
