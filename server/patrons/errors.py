"""Refusals of the patrons domain."""

from __future__ import annotations

from server.errors import DomainError


class UnknownCardError(DomainError):
    """No patron has this card."""

    code = "unknown_card"
    status = 404
    title = "No patron has this card."


class UnknownPatronError(DomainError):
    """No patron has this key."""

    code = "unknown_patron"
    status = 404
    title = "There is no such patron. Perhaps the record was anonymised."


class CardTakenError(DomainError):
    """A card number is given once, for ever."""

    code = "card_taken"
    title = "This card number was handed out before. Take another card."


class CardIsBarcodeError(DomainError):
    """A desk that scans one number could not tell the card from the item."""

    code = "card_is_barcode"
    title = "An item has this number as its barcode. Take another card."


class ExternalTakenError(DomainError):
    """Another patron has this external number."""

    code = "external_taken"
    title = "Another patron has this external number. Look that patron up first."


class DuplicatePatronError(DomainError):
    """Somebody like this is registered; `patrons` counts them. The caller may give their word that it is another."""

    code = "duplicate_patron"
    title = "Somebody with this name and birthday, telephone or e-mail is registered. Look, then confirm a new patron."


class UnknownClassError(DomainError):
    """No such class of patrons."""

    code = "unknown_class"
    title = "There is no such class of patrons. Choose one of the list."


class GuardianError(DomainError):
    """The guardian is unknown, a child, or the child itself."""

    code = "unfit_guardian"
    title = "A guardian must be another patron of the library and of age."


class ChannelError(DomainError):
    """A channel was chosen that has no address."""

    code = "channel_without_address"
    title = "This channel needs an address. Fill in the e-mail address first."


class NoCardError(DomainError):
    """The patron has no good card to end."""

    code = "no_active_card"
    title = "This patron has no active card. Hand out a new one."


class PastBlockError(DomainError):
    """A block that would have ended before it begins."""

    code = "block_over"
    title = "This block would be over already. Give a later end, or none."


class BirthdayError(DomainError):
    """Nobody is born after today."""

    code = "birthday_in_future"
    title = "This birthday is in the future. Look at the year and give the day again, or none."


class UnknownBlockError(DomainError):
    """No such block, or lifted before."""

    code = "unknown_block"
    status = 404
    title = "There is no such block on this patron, or it was lifted before."


class StillHeldError(DomainError):
    """Anonymising waits for what is open; the parameters count it per kind."""

    code = "patron_has_obligations"
    title = "This patron still has open loans, fees or holds. Settle them first."


class UnreadableFileError(DomainError):
    """Not a CSV file of patrons."""

    code = "unreadable_file"
    title = (
        "This is no table of patrons. Save it as CSV in UTF-8 or GB18030, with a first line that names the columns: "
        "name, and card or external."
    )
