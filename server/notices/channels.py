"""How letters go out: by mail (SMTP, RFC 5321) and to a program of the library's (webhook). Both block."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from server.notices.config import MailConfig, NoticesConfig, WebhookConfig
from server.notices.errors import DeliveryError
from server.notices.letters.writing import Addressee, Letter

TRY_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
MAILBOX_REFUSED = range(550, 560)
"""Answers to a recipient or to the letter itself that another attempt does not change."""

TOGETHER = 3
"""So many times `timeout_s` a mail server may take for one letter: less than the lease of a letter."""

WORDS_LENGTH = 150
"""So much is repeated of what a webhook says."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter with what its channel needs. `token` is the same at every attempt."""

    token: str
    kind: str
    to: Addressee
    letter: Letter
    now: datetime
    about: Addressee | None = None
    """The child whose guardian it goes to."""


class Channel(Protocol):
    """Something that takes letters."""

    @property
    def where(self) -> str:
        """What takes them: host and port, without secrets."""

    def deliver(self, parcel: Parcel) -> None:
        """Hand it over; raises DeliveryError."""


class _Limited(smtplib.SMTP):
    """Ends a conversation that takes longer than `most` seconds: smtplib limits only how long one read may be silent,
    so a server that sends a byte now and then would hold its caller for ever."""

    def __init__(self, *args: Any, most: float, **options: Any) -> None:
        self._most = most
        self._closed = threading.Event()
        super().__init__(*args, **options)

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """As smtplib does, from now on against the clock."""
        threading.Thread(target=self._watch, name="mail limit", daemon=True).start()
        try:
            return super().connect(*args, **options)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._closed.set()
        super().close()

    def _watch(self) -> None:
        wait = self._most
        while not self._closed.wait(wait):
            wait = 1.0  # again: STARTTLS may just have put another socket in its place
            with suppress(OSError):
                if self.sock is not None:
                    socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # past TLS, which another thread is using


class _LimitedTls(_Limited, smtplib.SMTP_SSL):
    """With TLS from the start."""


class Mail:
    """One connection for each letter: a mail server that is away or slow holds up nothing but the queue."""

    def __init__(self, config: MailConfig) -> None:
        self._config = config
        self._domain = config.sender.rpartition("@")[2]

    @property
    def where(self) -> str:
        """The mail server."""
        return f"{self._config.host}:{self._config.port}"

    def deliver(self, parcel: Parcel) -> None:
        """Hand it to the mail server; raises DeliveryError."""
        message = self.message(parcel)
        with _told_apart(), self._connected() as connection:
            connection.send_message(message, self._config.sender, [parcel.to.email])

    def message(self, parcel: Parcel) -> EmailMessage:
        """As it is sent: marked as automatic (RFC 3834), so that no absence notice answers it."""
        letter = parcel.letter
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = self._config.sender
            message["To"] = parcel.to.email
            message["Subject"] = letter.subject
        except (ValueError, IndexError, MessageError) as error:
            raise DeliveryError("mail_refused", f"not an address: {error}", final=True) from None
        message["Date"] = format_datetime(parcel.now)
        message["Message-ID"] = f"<{parcel.token}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text, charset="utf-8")
        message["Content-Language"] = letter.language  # set_content removes what was said of the content before
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        config = self._config
        trust = None if config.tls == "none" else ssl.create_default_context()
        most = TOGETHER * config.timeout_s
        connection: smtplib.SMTP
        if config.tls == "tls":
            connection = _LimitedTls(
                config.host,
                config.port,
                local_hostname=self._domain,
                timeout=config.timeout_s,
                context=trust,
                most=most,
            )
        else:
            connection = _Limited(
                config.host, config.port, local_hostname=self._domain, timeout=config.timeout_s, most=most
            )  # fmt: skip
        try:
            if config.tls == "starttls":
                connection.starttls(context=trust)
            if config.user:
                connection.login(config.user, config.password)
            yield connection
        finally:
            connection.close()


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the mail server says of this letter is final when it says so; trouble with the server itself passes."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise DeliveryError("mail_refused", f"{code} {_text(said)}", final=code in MAILBOX_REFUSED) from None
    except smtplib.SMTPDataError as error:
        final = error.smtp_code in MAILBOX_REFUSED
        raise DeliveryError("mail_refused", f"{error.smtp_code} {_text(error.smtp_error)}", final=final) from None
    except smtplib.SMTPResponseException as error:
        raise DeliveryError("mail_server", f"{error.smtp_code} {_text(error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError) as error:  # ssl.SSLError is an OSError
        raise DeliveryError("mail_server", f"{type(error).__name__}: {error}") from None


def _text(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())


class Webhook:
    """POSTs JSON; `Carrel-Signature: sha256=...` is the HMAC-SHA256 of the body under the shared secret."""

    def __init__(self, config: WebhookConfig) -> None:
        self._config = config

    @property
    def where(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self._config.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    def deliver(self, parcel: Parcel) -> None:
        """Hand it over; raises DeliveryError."""
        body = json.dumps(payload(parcel), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": parcel.token,
            "Carrel-Signature": f"sha256={hmac.new(self._config.secret.encode(), body, hashlib.sha256).hexdigest()}",
        }
        try:
            status, said = asyncio.run(self._post(body, headers))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError("webhook_away", f"{type(error).__name__}: {error}".removesuffix(": ")) from None
        if not HTTPStatus(200) <= status < HTTPStatus(300):
            final = HTTPStatus(400) <= status < HTTPStatus(500) and status not in TRY_LATER
            words = " ".join(said.split())[:WORDS_LENGTH]
            raise DeliveryError("webhook_refused", f"answered {status} {words}".rstrip(), final=final)

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and first words of the answer. `timeout_s` is for all of it: a thread could limit only how long one
        read may be silent. What arrived of the words by then will do, as the status has decided."""
        status, said, within = 0, "", self._config.timeout_s
        try:
            async with (
                asyncio.timeout(within),
                httpx.AsyncClient(timeout=within, trust_env=False) as client,
                client.stream("POST", self._config.url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
                async for part in answer.aiter_text():
                    said += part
                    if len(said) >= WORDS_LENGTH:
                        break
        except (TimeoutError, httpx.HTTPError):
            if not status:
                raise
        return status, said


def payload(parcel: Parcel) -> dict[str, Any]:
    """What a webhook gets: the letter as words and as facts, and how to reach the patron."""
    patron, letter, about = parcel.to, parcel.letter, parcel.about
    return {
        "id": parcel.token,
        "kind": parcel.kind,
        "at": parcel.now.isoformat(),
        "patron": {"id": patron.id, "name": patron.name, "email": patron.email, "phone": patron.phone},
        "about": None if about is None else {"id": about.id, "name": about.name},
        "language": letter.language,
        "subject": letter.subject,
        "text": letter.text,
        "lines": [{name: _plain(value) for name, value in line.items()} for line in letter.lines],
        "owed": _plain(letter.owed),
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int) else str(value)


def channels_of(config: NoticesConfig) -> dict[str, Channel]:
    """What the configuration names; with none, no notice is written."""
    channels: dict[str, Channel] = {}
    if config.mail.host:
        channels["email"] = Mail(config.mail)
    if config.webhook.url:
        channels["webhook"] = Webhook(config.webhook)
    return channels
