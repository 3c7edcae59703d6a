"""What can go wrong with a field wire. A ConnectionError ends the link's attempt; the supervisor tries again."""

from __future__ import annotations


class LinkLostError(ConnectionError):
    """The port or socket went away."""


class LinkSilentError(ConnectionError):
    """The other end is connected and does not answer in time."""


class WrongDeviceError(ConnectionError):
    """What answers is not what config.toml describes; it is not used, and looked at again later."""


class NoNetworkError(ConnectionError):
    """The radio works and has no network; a person has to form or restore one."""


class DamagedDatabaseError(ConnectionError):
    """What the driver keeps on disk was damaged and has been replaced; the next attempt uses it."""


class RadioResetError(ConnectionError):
    """The radio restarted by itself and has forgotten endpoints and callbacks."""


class ProtocolError(ValueError):
    """A frame that is not one, or an answer that does not belong to the question: counted and dropped."""


class RefusedError(Exception):
    """The device answered and said no, as a Modbus exception reply does."""
