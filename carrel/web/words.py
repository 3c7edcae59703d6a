"""Refusal codes in words, the same at the kiosk, on a phone and at the desk.

A code that is not here is shown as "Please ask a librarian." with the code beside it: an edge may be newer than a page.
"""

from __future__ import annotations

from collections.abc import Mapping

from carrel.web.i18n import N_, Words

REFUSALS: dict[str, str] = {
    # items
    "unknown_item": N_("This item is not in our catalogue. Please hand it to a librarian."),
    "not_for_loan": N_("This item is for use in the library only."),
    "item_on_hold": N_("This item is reserved for another reader."),
    "on_loan": N_("This item is on loan to somebody else. Please hand it to a librarian."),
    "on_loan_to_you": N_("You have borrowed this item already."),
    "not_on_loan": N_("This item was not on loan."),
    "not_your_loan": N_("This item is not among your loans."),
    "foreign_item": N_("This item belongs to another library."),
    "item_incomplete": N_("A part of this item is missing. Please lay it beside the others."),
    # renewal
    "renewal_limit": N_("This loan cannot be renewed again."),
    "overdue": N_("This loan is overdue. Please bring the item back."),
    # patrons
    "unknown_card": N_("We do not know this card. Please ask a librarian."),
    "card_expired": N_("This card is no longer valid. Please ask a librarian."),
    "patron_blocked": N_("This account is blocked. Please ask a librarian."),
    "loan_limit": N_("You have reached your limit of loans."),
    "two_cards": N_("There are two cards on the reader. Please leave only one."),
    # sign-in
    "wrong_sign_in": N_("The name or card number, or the password or PIN, is wrong."),
    "sign_in_locked": N_("Too many wrong attempts. Please wait a while and try again."),
    "sign_in_required": N_("Please sign in first."),
    "not_permitted": N_("Your account may not do this."),
    # the building
    "unknown_actuator": N_("There is no such device."),
    "unknown_override": N_("This manual control had already ended."),
    "override_ended": N_("This manual control had already ended."),
    "unknown_room": N_("There is no such room."),
    "unknown_month": N_("There is no report for that. Choose a month that has begun."),
    "value_out_of_range": N_("The device cannot do that."),
    "duration_out_of_range": N_("Manual control may last twelve hours at most."),
    "expired": N_("The building's gateway did not answer in time, so nothing was done."),
    "not_stored": N_("The building's gateway cannot write to its disk, so nothing was done."),
    "no_answer": N_("The device did not answer. Please try again."),
    "gateway_offline": N_("The building's gateway does not answer, so nothing was sent."),
    "detector_active": N_("A detector is still active. The alarm can be reset when it is clear."),
    "detector_fault": N_("A detector is faulty. The alarm can be reset when it works again."),
    "unknown_alarm": N_("There is no such alarm."),
    "wrong_state": N_("The alarm is not in a state that allows this."),
    # the Zigbee network
    "network_unknown": N_("No gateway has told of a Zigbee network yet."),
    "unknown_device": N_("This device is no longer on the network."),
    "device_name_taken": N_("Another device has this name."),
    "name_taken": N_("Another device has this name."),
    "incomplete": N_("A new device needs a name, a room and a kind."),
    "unknown_zone": N_("There is no such room."),
    "named_in_config": N_("config.toml uses this name. Change it there first."),
    "rule_needs_sensor": N_("A rule in config.toml needs this device. Change the rule first."),
    "no_fire_zone": N_(
        "A smoke or flame detector belongs to the fire panel. Add its [[security.fire_zone]] to config.toml first."
    ),
    "no_radio": N_("config.toml names no Zigbee radio for this gateway."),
    "network_exists": N_("This radio has a network already."),
    "backup_exists": N_(
        "There is a backup of this library's network. Restore it, so that no device has to join again."
    ),
    "link_down": N_("The radio does not answer. Look whether it is plugged in."),
    "not_formed": N_("The radio could not make a network. Please try again."),
    "radio_refused": N_("The radio refused. Please try again."),
    "device_missing": N_("This device is not on the network now. Wake it, or let it join again."),
    "not_written": N_("The gateway could not write the backup to its disk."),
    "not_supported": N_("The device cannot do that."),
    "no_effect": N_("The device confirmed the order and did not follow. Please look at the device itself."),
    # the kiosk
    "no_card_seen": N_("Lay your card flat on the reader."),
    "put_it_back": N_("Please put the item back on the reader."),
    "tag_not_written": N_("The item is yours, but its tag could not be switched. Please lay it on the reader again."),
    "return_tag_not_written": N_(
        "The item is returned, but its tag could not be switched. Please lay it on the reader again."
    ),
    "server_away": N_("The lending system cannot be reached at the moment."),
    "return_timeout": N_("No answer came yet. Leave the items here: they are taken back as soon as one comes."),
    "server_timeout": N_("No answer came, so nothing was lent. Please try again."),
    "reader_down": N_("The reader of this kiosk does not work at the moment."),
    "too_many": N_("Too many items at once. Please lay down at most five."),
    "pad_not_clear": N_("Please take everything off the reader first."),
}


def refusal(words: Words, code: str, params: Mapping[str, object] | None = None) -> str:
    """A refusal in words. `params` are there for messages that name a number; none needs one today."""
    message = REFUSALS.get(code)
    if message is None:
        return words.gettext("Please ask a librarian. (%(code)s)", code=code)
    return words.gettext(message, **(params or {}))
