"""What can go wrong on a reader's wire; what goes wrong with one tag is a value (`rfid.reader.TagError`)."""

from typing import Final


class ProtocolError(Exception):
    """A frame or an answer that breaks the reader's protocol: count it, resynchronise, go on."""


class ReaderGone(ConnectionError):  # noqa: N818 - named like the built-in ConnectionError family
    """The line to the reader ended or failed: reconnect."""

    code: Final = "link_lost"


class ReaderTimeout(ConnectionError):  # noqa: N818 - named like the built-in ConnectionError family
    """The line is there but no valid answer comes: reconnect."""

    code: Final = "link_silent"


class ReaderRefused(ConnectionError):  # noqa: N818 - named like the built-in ConnectionError family
    """The reader answers but will not do what it must (wrong mode, hardware fault): reconnecting may mend it."""

    code: Final = "reader_refused"
