"""What can go wrong with a field wire. A ConnectionError ends the link's attempt; the supervisor tries again."""

from __future__ import annotations

from typing import Final


class LinkLostError(ConnectionError):
    """The port or socket went away."""

    code: Final = "link_lost"


class LinkSilentError(ConnectionError):
    """The other end is connected and does not answer in time."""

    code: Final = "link_silent"


class WrongDeviceError(ConnectionError):
    """What answers is not what config.toml describes; it is not used, and looked at again later."""

    code: Final = "wrong_device"


class NoNetworkError(ConnectionError):
    """The radio works and has no network; a person has to form or restore one."""

    code: Final = "no_network"


class DamagedDatabaseError(ConnectionError):
    """What the driver keeps on disk was damaged and has been replaced; the next attempt uses it."""

    code: Final = "database_damaged"


class RadioResetError(ConnectionError):
    """The radio restarted by itself and has forgotten endpoints and callbacks."""

    code: Final = "radio_reset"


class ProtocolError(ValueError):
    """A frame that is not one, or an answer that does not belong to the question: counted and dropped."""


class RefusedError(Exception):
    """The device answered and said no, as a Modbus exception reply does."""
