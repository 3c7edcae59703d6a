"""What a kiosk session takes in and what it asks for. Frozen values; time is passed beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carrel.contracts.circulation import ItemResult, PatronStanding
from gateway.stations.pad_state import PadState


class Touch(StrEnum):
    """What a person can do on the page."""

    BORROW = "borrow"
    RETURN = "return"
    CONFIRM = "confirm"
    AGAIN = "again"
    DONE = "done"
    MORE_TIME = "more_time"
    LANGUAGE = "language"
    HELP = "help"
    ACTIVITY = "activity"


# ---------------------------------------------------------------- events
@dataclass(frozen=True, slots=True)
class Touched:
    """A touch on the screen now shown."""

    touch: Touch


@dataclass(frozen=True, slots=True)
class PadSeen:
    """The pad's new state."""

    pad: PadState


@dataclass(frozen=True, slots=True)
class StandingKnown:
    """The server's answer about a card: a standing, or a code such as `unknown_card` or `server_timeout`."""

    card: str
    standing: PatronStanding | None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Previewed:
    """What the server says would happen to items at a checkout to this card; None when it did not answer."""

    card: str
    barcodes: frozenset[str]
    results: tuple[ItemResult, ...] | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The server's answer to a checkout or checkin; None when it did not come in time."""

    request_id: str
    results: tuple[ItemResult, ...] | None


@dataclass(frozen=True, slots=True)
class Secured:
    """A tag's security state was written and read back, or could not be."""

    uid: str
    ok: bool


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """Whether the server answers."""

    up: bool


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passes."""


Event = Touched | PadSeen | StandingKnown | Previewed | Answered | Secured | ServerSeen | Ticked


# ---------------------------------------------------------------- effects
@dataclass(frozen=True, slots=True)
class AskStanding:
    """Ask the server about a card."""

    card: str


@dataclass(frozen=True, slots=True)
class AskPreview:
    """Ask the server what would happen to items."""

    card: str
    barcodes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lend:
    """Lend items (barcode -> UIDs of its tags) to a card; repeated with the same id until answered."""

    request_id: str
    card: str
    items: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody waits for the answer to this checkout any more: what it lends is taken back."""

    request_id: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take items (barcode -> UIDs of its tags) back."""

    request_id: str
    items: Mapping[str, tuple[str, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class SetSecurity:
    """Write a tag's security state."""

    uid: str
    on_loan: bool


@dataclass(frozen=True, slots=True)
class Recheck:
    """Read the pad anew."""


@dataclass(frozen=True, slots=True)
class CallLibrarian:
    """Somebody at the kiosk wants help."""


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """Write down what was lent; `to_repair`: barcodes of items whose tag could not be switched."""

    card: str
    language: str
    lent: tuple[ItemResult, ...]
    to_repair: frozenset[str]


Effect = AskStanding | AskPreview | Lend | GiveUp | TakeBack | SetSecurity | Recheck | CallLibrarian | PrintReceipt
