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
    "title_not_on_loan": N_("No copy of this title is on loan on this card."),
    "not_your_loan": N_("This item is not among your loans."),
    "foreign_item": N_("This item belongs to another library."),
    "item_incomplete": N_("A part of this item is missing. Please lay it beside the others."),
    "item_missing": N_("This item was thought to be missing. Please hand it to a librarian."),
    "item_lost": N_("This item was declared lost. Please hand it to a librarian."),
    "item_withdrawn": N_("This item no longer belongs to the collection. Please hand it to a librarian."),
    "item_in_repair": N_("This item is waiting for repair. Please hand it to a librarian."),
    "item_in_processing": N_("This item is not ready for lending yet. Please hand it to a librarian."),
    "item_in_transit": N_("This item is on its way to another branch. Please hand it to a librarian."),
    "no_rule": N_("The library has no lending rule for this item and your card. Please ask a librarian."),
    "class_not_allowed": N_("Items of this kind are not lent on your kind of card."),
    "request_id_reused": N_("This form was sent before with something else in it. Open its page again, then send it."),
    # renewal
    "renewal_limit": N_("This loan cannot be renewed again."),
    "overdue": N_("This loan is overdue. Please bring the item back."),
    "hold_waiting": N_("Another reader is waiting for this item, so it cannot be renewed."),
    "undo_too_late": N_("This was too long ago to be undone."),
    "nothing_to_undo": N_("There is nothing to undo with this item."),
    # holds
    "hold_limit": N_("You have reached your limit of holds."),
    "hold_exists": N_("You are waiting for this title already."),
    "hold_no_copy": N_("The library has no copy that could come back."),
    "hold_ready": N_("Something is set aside for this hold already. Fetch it or cancel the hold."),
    "title_on_shelf": N_("A copy stands on the shelf. Please fetch it there."),
    "unknown_hold": N_("There is no such hold."),
    "unknown_branch": N_("There is no such branch."),
    "unknown_task": N_("There is no such open task."),
    # patrons
    "unknown_card": N_("We do not know this card. Please ask a librarian."),
    "card_expired": N_("This card is no longer valid. Please ask a librarian."),
    "patron_blocked": N_("This account is blocked. Please ask a librarian."),
    "card_lost": N_("This card was reported lost. Please ask a librarian."),
    "card_replaced": N_("There is a newer card. Please use that one."),
    "fee_limit": N_("There are fees to be paid before you can borrow more. Please ask a librarian."),
    "overdue_items": N_("Some of your loans are overdue. Please bring them back first."),
    "loan_limit": N_("You have reached your limit of loans."),
    "two_cards": N_("There are two cards on the reader. Please leave only one."),
    # fees
    "unknown_fee": N_("There is no such open fee."),
    "payment_amount": N_("An amount is more than 0 and has at most 2 places, such as 3.50."),
    "overpaid": N_("This is more than is owed. Nothing was booked."),
    "payment_id_reused": N_("This payment number was used for a different payment. Nothing was booked."),
    "unknown_payment": N_("There is no such payment."),
    "payment_undone": N_("This payment was undone. Book it anew if it was made after all."),
    "payment_refunded": N_("What was paid has been given back since. Nothing was changed."),
    "two_patrons": N_("The card is another reader's. Nothing was booked."),
    "reason_required": N_("Please say why."),
    "unknown_patron": N_("There is no such reader."),
    # the desk's work with patrons
    "card_is_barcode": N_("An item has this number as its barcode. Take another card."),
    "card_taken": N_("This card number was handed out before. Take another card."),
    "external_taken": N_("Another reader has this external number."),
    "duplicate_patron": N_("Somebody alike is registered. Look first, then confirm that this is another person."),
    "unknown_class": N_("There is no such class of readers."),
    "unfit_guardian": N_("A guardian must be another reader of the library and of age."),
    "channel_without_address": N_("Please fill in the e-mail address first."),
    "no_active_card": N_("This reader has no active card. Hand out a new one."),
    "birthday_in_future": N_("This birthday is in the future. Look at the year and give the day again, or none."),
    "block_over": N_("This day is over. Choose a later one, or none."),
    "hold_over": N_("This day is over. Choose a later one, or none."),
    "unknown_block": N_("There is no such block, or it was lifted before."),
    "patron_has_obligations": N_("This reader still has open loans, fees or holds. Settle them first."),
    "unreadable_file": N_("This is no table of readers. Save it as CSV with a first line that names the columns."),
    "no_key": N_("The row names neither a card nor an external number."),
    "no_name_or_card": N_("A new reader needs a name and a card."),
    "repeated_in_file": N_("The file names this number twice."),
    "malformed": N_("The value does not have the right form."),
    # passwords, PINs, accounts
    "wrong_pin": N_("The PIN is wrong."),
    "pin_locked": N_("Too many wrong PINs. Please wait a while or ask a librarian for a new PIN."),
    "pin_form": N_("A PIN has four to twelve digits."),
    "pin_too_simple": N_(
        "This PIN is easy to guess. Choose one that is no run of digits and no part of the card number."
    ),
    "wrong_password": N_("The present password is wrong."),
    "password_too_short": N_("A password has eight characters or more."),
    "password_too_simple": N_("This password is easy to guess. Please choose another one."),
    "unknown_account": N_("There is no account of this name."),
    "account_taken": N_("There is an account of this name."),
    "last_administrator": N_("This is the last administrator. Make somebody else administrator first."),
    "unknown_token": N_("There is no such token, or it was revoked before."),
    "token_taken": N_("There is a token of this name."),
    # sign-in
    "wrong_sign_in": N_("The name or card number, or the password or PIN, is wrong."),
    "sign_in_locked": N_("Too many wrong attempts. Please wait a while and try again."),
    "sign_in_required": N_("Please sign in first."),
    "not_permitted": N_("Your account may not do this."),
    # the catalogue
    "unknown_record": N_("There is no such title in the catalogue."),
    "barcode_is_card": N_("A reader's card has this number. Put another label on the copy."),
    "barcode_taken": N_("Another copy has this barcode. Scan again, or look at that copy."),
    "item_state": N_("This cannot be done with a copy in its present state."),
    "item_in_use": N_("The copy is on loan or kept for a reader. Settle that at the desk first."),
    "bad_isbn": N_("This is no ISBN: a digit is wrong or missing. Type it again from the book."),
    "lookup_empty": N_("No record is known for this ISBN. Look it up again, or catalogue the title by hand."),
    "unknown_import": N_("There is no such import. Reports are removed after 30 days."),
    "too_many_imports": N_("Too many imports are waiting. Wait until one is finished, or cancel one."),
    "import_mapping": N_("The holdings mapping cannot be read. Write 852, 905 or 952, or a tag and its subfields."),
    "import_file": N_("Send one MARC file that is not empty and no larger than 256 MiB."),
    "import_file_removed": N_("The file of this dry run is not here any more. Send it again."),
    "mixed_formats": N_("The catalogue holds MARC 21 and CNMARC records. Say which to export."),
    "records_too_long": N_("Some records are too long for ISO 2709. Export as MARCXML, or leave them out."),
    "class_table": N_("The table of classes cannot be read. It needs the columns code, caption_zh and caption_en."),
    "label_empty": N_("A copy has no call number to print. Write its call number first."),
    "label_grid": N_("These labels do not fit on a sheet of A4. Measure the sheet again."),
    "label_letters": N_("A call number has letters that labels cannot show. Write it in Latin or Chinese letters."),
    "label_overfull": N_("A call number does not fit on these labels. Take larger labels, or shorten it."),
    "label_too_small": N_("A barcode does not fit on these labels. Take larger labels."),
    "unknown_items": N_("Some of these barcodes belong to no copy."),
    # readers' relations
    "unknown_case": N_("There is no such feedback."),
    "case_state": N_("This cannot be done with the case in its present state. Reload the page and look again."),
    "feedback_limit": N_("Too much feedback came in a short time, so this was not kept. Please try again later."),
    "unknown_suggestion": N_("There is no such suggestion."),
    "title_in_catalogue": N_("The library has this title already. If all copies are on loan, place a hold."),
    "suggestion_limit": N_("You have made as many suggestions this month as is allowed. You can still vote."),
    "suggestion_state": N_("This cannot be done with a suggestion in its present state."),
    "unknown_news": N_("There is no such news."),
    "news_dates": N_("The last day is before the first."),
    "fill_in": N_("Please fill in the marked fields. Nothing was saved."),
    "unfit": N_("A marked field is too long, or holds what it cannot keep, such as a tab. Nothing was saved."),
    # notices
    "unknown_notice": N_("There is no such notice."),
    "notice_not_failed": N_("This notice cannot be sent again. It was sent, or is no longer needed."),
    "notice_on_its_way": N_("This notice was sent, or is being sent just now. It cannot be taken back."),
    "notice_channel": N_("There is no such channel. Name a mail server or a webhook in config.toml."),
    "notice_address": N_("This is not an e-mail address. Write one such as desk@example.org."),
    "mail_refused": N_("The mail server refused the patron's address. Correct it, then send the notice again."),
    "mail_server": N_("The mail server did not take the notice. Look whether it works, then send it again."),
    "webhook_away": N_("The program that passes notices on does not answer. See whether it works, then send it again."),
    "webhook_refused": N_("The program that passes notices on refused this one. Its log should say why."),
    "notice_template": N_("The words for this notice cannot be read. Correct the template, then send it again."),
    "rule_twice": N_("Another rule is for the same readers, items and branch. Change that one."),
    "rule_without_time": N_("A rule that lends says for how long: write either days or hours."),
    # the building
    "database_unavailable": N_(
        "The server's database takes nothing at the moment, so nothing was done. Please tell an administrator."
    ),
    "unknown_actuator": N_("There is no such device."),
    "unknown_override": N_("This manual control had already ended."),
    "override_ended": N_("This manual control had already ended."),
    "unknown_room": N_("There is no such room."),
    "unknown_month": N_("There is no report for that. Choose a month that has begun."),
    "report_period": N_("Choose a last day that is not before the first, at most 366 days in all."),
    "value_out_of_range": N_("The device cannot do that."),
    "duration_out_of_range": N_("Manual control may last twelve hours at most."),
    "expired": N_("The building's gateway did not answer in time, so nothing was done."),
    "not_stored": N_("The building's gateway cannot write to its disk, so nothing was done."),
    "no_answer": N_("The device did not answer. Please try again."),
    "gateway_offline": N_("The building's gateway does not answer, so nothing was sent."),
    "unknown_gateway": N_("There is no such gateway."),
    "gateway_online": N_("This gateway is there. End it first, so that it does not come back by itself."),
    "broker_away": N_("The server does not reach the message broker, so nothing was done."),
    "not_cleared": N_(
        "The broker does not let the server clear what it retains of the gateway. Write the broker's rights file anew"
        " with carrel mqtt-acl, let the broker read it, and try again."
    ),
    "detector_active": N_("A detector is still active. The alarm can be reset when it is clear."),
    "detector_fault": N_("A detector is faulty. The alarm can be reset when it works again."),
    "panel_silent": N_(
        "The fire panel has not answered yet. If nothing changes here within half a minute, look after the alarm on the"
        " spot."
    ),
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
    "rule_needs_sensor": N_("A rule needs this device. Change the rule first."),
    "no_fire_zone": N_(
        "A smoke or flame detector belongs to the fire panel. Add its [[security.fire_zone]] to config.toml first."
    ),
    "fire_detector": N_(
        "This device says that it detects fire: as anything else its alarm would reach nobody. Choose smoke or flame"
        " detector."
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
    "network_busy": N_("The radio network is too busy. Please try again in a minute."),
    "no_effect": N_("The device confirmed the order and did not follow. Please look at the device itself."),
    # rules
    "book_changed": N_("Somebody else has changed the rules meanwhile. Read them again and repeat your change."),
    "bad_rules": N_("These rules do not fit this library, so nothing was saved."),
    "rules_contradict": N_("Rules that contradict themselves or each other cannot work, so nothing was saved."),
    "unknown_version": N_("There is no such version of the rules."),
    "history_unavailable": N_("The measured values of the past cannot be read at the moment. Please try again."),
    # the kiosk
    "no_card_seen": N_("Lay your card flat on the reader."),
    "put_it_back": N_("Please put the item back on the reader."),
    "tag_not_written": N_("The item is yours, but its tag could not be switched. Please lay it on the reader again."),
    "return_tag_not_written": N_(
        "The item is returned, but its tag could not be switched. Please lay it on the reader again."
    ),
    "server_away": N_("The lending system cannot be reached at the moment."),
    "return_timeout": N_("No answer came yet. Leave the items here: they are taken back as soon as one comes."),
    "no_answer_yet": N_(
        "The lending system does not answer at the moment. Leave the items here: you will see what was lent. "
        "If no answer comes, nothing is lent."
    ),
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
