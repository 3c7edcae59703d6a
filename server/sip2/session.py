"""One connection's conversation, without a socket: what to answer at once, what to ask the library, what was said last.

A terminal sends a request and waits. The session reads it, answers what concerns the line itself (login, status,
checksums, repeats) and hands the rest to whoever carries it out; `answer` then makes the bytes.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from server.sip2 import replies
from server.sip2.profile import Directory, Profile
from server.sip2.visit import Visit
from server.sip2.wire import codec
from server.sip2.wire.codec import CodecError, Frame
from server.sip2.wire.messages import LAYOUTS, F, Message

log = logging.getLogger(__name__)

LOGINS_LIMIT = 3
FAILED_LOGIN_PAUSE_S = 1.0
"""Slows down who tries passwords."""
READING = frozenset({"99", "23", "63", "17"})
"""Requests that change nothing: a repeat is asked again, so that its answer is fresh."""
TOLERATED = frozenset({"93", "99"})
"""Answered also when their fixed part is cut off."""


class Reply(NamedTuple):
    """Bytes for the terminal, terminator included (none: say nothing); `close` ends the connection after them.

    `request` and `answer` are for the log.
    """

    data: bytes
    close: bool = False
    pause_s: float = 0.0
    request: Message | None = None
    answer: Message | None = None
    note: str = ""


class Job(NamedTuple):
    """A request for the library; `Session.answer` takes what comes of it."""

    request: Message
    profile: Profile
    visit: Visit


@dataclass(slots=True)
class _Said:
    """The last answer and the request it belongs to."""

    raw: bytes
    text: str
    frame: Frame
    data: bytes
    done: bool


class Session:
    """Of one connection."""

    def __init__(self, directory: Directory, *, address: str, common: Profile) -> None:
        self._directory = directory
        self._address = address
        self._common = common
        self.profile: Profile | None = directory.by_address(address)
        self.visit = Visit(self._style.language)
        self._failed_logins = 0
        self._raw = b""
        self._frame = Frame(b"")
        self._request: Message | None = None
        self._said: _Said | None = None
        self._last: bytes | None = None
        self._odd_bytes_told = False

    @property
    def _style(self) -> Profile:
        """Whose dialect is spoken: before the login that of the library."""
        return self.profile or self._common

    def receive(self, raw: bytes, now: datetime) -> Reply | Job:
        """A frame has come."""
        self._raw, self._frame, self._request = raw, codec.split(raw), None
        style = self._style
        again = self._frame.body[:2] == b"97"
        if self._judges_sums() and not codec.sum_matches(self._frame, style.terminal.encoding):
            return self._say_again("bad checksum", keep=again)
        if again:
            return self._repeat_last()
        if (repeated := self._repeated()) is not None:
            return repeated
        try:
            message = self._read(style)
        except codec.FixedPartError as error:
            self._request = message = error.message
            self._end_visit(message)
            if codec.is_request(message.id) and message.id not in TOLERATED:
                return self._refuse("message_incomplete", now)
        except CodecError:
            known = raw[:2].isdigit()
            return self._say_again("unknown message") if known else Reply(b"", note="noise")
        self._request = message
        if not codec.is_request(message.id):
            return Reply(b"", note="not a request")
        return self._dispatch(message, now)

    def answer(self, message: Message) -> Reply:
        """The bytes of an answer to the request at hand."""
        style = self._style
        text = codec.encode(message)
        encoding, checksum = style.terminal.encoding, style.terminal.checksum
        body = codec.seal(text, encoding, like=self._frame, checksum=checksum)
        data = body + self._end(style)
        done = message.fixed.get("ok", "1") in ("1", "Y")
        self._said = _Said(self._raw, text, self._frame, data, done)
        self._last = data
        return Reply(data, request=self._request, answer=message)

    def failed(self, now: datetime) -> Reply:
        """The library did not answer: refuse, and let a repeat of the request be tried again."""
        reply = self._refuse("no_terminal_service", now)
        if self._said is not None:
            self._said.raw = b""
        return reply

    def _judges_sums(self) -> bool:
        """Who comes is known from the login only: until then a terminal may be one whose sums are never right."""
        if self.profile is None:
            return all(one.terminal.checksum != "off" for one in self._directory.profiles)
        return self.profile.terminal.checksum != "off"

    def _end_visit(self, message: Message) -> None:
        """The patron has gone, whatever else may be wrong with the message that says so."""
        if message.id == "35":
            self.visit.end()

    def _dispatch(self, message: Message, now: datetime) -> Reply | Job:
        self._end_visit(message)
        if message.id == "93":
            return self._login(message)
        if message.id == "99":
            return self._status(now)
        if self.profile is None:
            return self._refuse("terminal_not_signed_in", now)
        if message.id == "35":
            return self.answer(replies.finish(replies.begin(message, self.profile), self.profile, now))
        if not self.profile.may(message.id):
            return self._refuse("terminal_may_not", now)
        if not LAYOUTS[message.id].needed <= message.names():
            return self._refuse("message_incomplete", now)
        if message.id in ("23", "63"):
            self.visit.language = self.profile.spoken(message.fixed["language"])
        return Job(message, self.profile, self.visit)

    def _login(self, message: Message) -> Reply:
        plain = all(message.fixed[part] == "0" for part in ("uid_algorithm", "pwd_algorithm"))
        login, password = message.get(F.LOGIN_USER), message.get(F.LOGIN_PASSWORD)
        found = self._directory.by_login(login, password, self._address) if plain else None
        if found is None:
            self._failed_logins += 1
            reply = self.answer(Message("94", {"ok": "0"}))
            over = self._failed_logins >= LOGINS_LIMIT
            return Reply(
                reply.data, over, FAILED_LOGIN_PAUSE_S,
                request=message, answer=reply.answer, note="login refused" + (", closed" if over else ""),
            )  # fmt: skip
        self.profile = found
        self.visit = Visit(found.language)
        self._failed_logins = 0
        return self.answer(Message("94", {"ok": "1"}))

    def _status(self, now: datetime) -> Reply:
        abilities = (self.profile,) if self.profile else self._directory.profiles
        return self.answer(replies.acs_status(self._style, abilities, now))

    def _refuse(self, code: str, now: datetime) -> Reply:
        assert self._request is not None
        return self.answer(replies.refusal(self._request, self._style, self.visit.language, code=code, now=now))

    def _say_again(self, note: str, *, keep: bool = False) -> Reply:
        """96; `keep`: what was damaged asked for the last answer, and will ask for it again."""
        style = self._style
        body = codec.seal("96", "ascii", like=self._frame, checksum=style.terminal.checksum, sequence=False)
        data = body + self._end(style)
        if not keep:
            self._last = data
        return Reply(data, note=note)

    def _repeat_last(self) -> Reply:
        """97: the last answer once more, without a sequence number; nothing is carried out again."""
        said = self._said
        if self._last is None or said is None or self._last != said.data:
            return self._say_again("asked to repeat, but there is no answer yet")
        style = self._style
        like = said.frame if said.frame.checked else self._frame
        body = codec.seal(
            said.text, style.terminal.encoding, like=like, checksum=style.terminal.checksum, sequence=False
        )
        return Reply(body + self._end(style), note="repeated")

    def _repeated(self) -> Reply | None:
        """The stored answer, if the same bytes come again; without a sequence number only when it was carried out."""
        said = self._said
        if said is None or said.raw != self._raw or self._frame.body[:2].decode("ascii", "replace") in READING:
            return None
        if self._frame.sequence is None and not said.done:
            return None
        self._last = said.data
        return Reply(said.data, note="same request again")

    def _read(self, style: Profile) -> Message:
        message = codec.decode(self._frame.body, style.terminal.encoding)
        if not self._odd_bytes_told and any("�" in value for _, value in message.fields):
            self._odd_bytes_told = True
            log.warning("terminal %s sends bytes that are not %s", style.id or self._address, style.terminal.encoding)
        return message

    @staticmethod
    def _end(style: Profile) -> bytes:
        return b"\r\n" if style.terminal.terminator == "crlf" else b"\r"
