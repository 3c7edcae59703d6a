"""Which function plays which command."""

from __future__ import annotations

from server.rehearse.act import Command
from server.rehearse.commands import house, loans, money, people, queue

COMMANDS: dict[str, Command] = {
    "checkout": loans.checkout,
    "checkin": loans.checkin,
    "renew": loans.renew,
    "renew_all": loans.renew_all,
    "checkout_cancel": loans.checkout_cancel,
    "undo": loans.undo,
    "declare_lost": loans.declare_lost,
    "place_hold": queue.place,
    "cancel_hold": queue.cancel,
    "pause_hold": queue.pause,
    "resume_hold": queue.resume,
    "send": house.send,
    "withdraw": house.withdraw,
    "charge": money.charge,
    "pay": money.pay,
    "undo_payment": money.undo_payment,
    "waive": money.waive,
    "block": people.block,
    "unblock": people.unblock,
    "pin": people.pin,
    "replace_card": people.replace_card,
    "patron_info": people.patron_info,
    "delete_patron": people.delete_patron,
    "set_rule": house.set_rule,
    "nightly": house.nightly,
    "replay": house.replay,
}
