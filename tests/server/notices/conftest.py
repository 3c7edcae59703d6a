"""A library that writes: a real mail server, a real receiver of webhooks, and an office that uses them."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from carrel.sections import LibraryConfig
from server.db import Database
from server.notices.channels import channels_of
from server.notices.config import NoticesConfig
from server.notices.letters.writing import Writer
from server.notices.policy import Terms
from server.notices.sending import House, Office
from server.patrons import desk as patron_desk
from tests.support.counter import SHANGHAI, Counter
from tests.support.library import NOW, ManualClock
from tests.support.ports import free_port

SENDER = "desk@library.example"
SECRET = "a-secret-of-sixteen"


@dataclass
class MailServer:
    """Keeps what it gets; `answers` is what it says to recipients before it takes letters again."""

    letters: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    server.port = controller.port
    yield server
    controller.stop()


@dataclass
class Receiver:
    """Keeps what is posted; `answers` are the statuses it gives before 204, `words` what it says to each."""

    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    words: str = ""
    url: str = ""

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.posts]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            said = kept.words.encode() if kept.answers else b""
            self.send_response(kept.answers.pop(0) if kept.answers else 204)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/notices"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Library:
    """A counter, and offices as several server processes have them."""

    counter: Counter
    config: NoticesConfig
    library: LibraryConfig
    clock: ManualClock = field(default_factory=ManualClock)
    stopping: threading.Event = field(default_factory=threading.Event)

    def office(self) -> Office:
        config = self.config
        folder = config.templates
        terms = Terms(SHANGHAI, fee_from=config.fee_from)
        house = House(terms, config.quiet_from, config.quiet_until)
        return Office(
            self.counter.database, self.clock, house, Writer(self.library, folder), channels=channels_of(config),
            keep_days=config.keep_text_days, stopping=self.stopping,
        )  # fmt: skip

    def send(self, office: Office, now: datetime) -> int:
        """As the office does at an instant."""
        self.clock.at = now
        return office.send()

    def reach(self, card: str, *channels: str, **more: Any) -> Self:
        """How a patron wants to hear."""
        patron_id = self.counter.patron_id(card)
        changes = {"email": f"{card}@readers.example", "channels": channels} | more
        self.counter.do(
            lambda session: patron_desk.edit(
                session, patron_id, changes, actor="user:librarian", at=NOW, today=NOW.date()
            )
        )
        return self

    def ask_for(self, **changes: Any) -> Self:
        """Another configuration."""
        self.config = NoticesConfig.model_validate(self.config.model_dump() | changes)
        return self


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(database)


@pytest.fixture
def make(counter: Counter) -> Callable[..., Library]:
    def made(**config: Any) -> Library:
        library = LibraryConfig(name="Town Library", name_zh="市图书馆", timezone="Asia/Shanghai")
        return Library(counter, NoticesConfig.model_validate(config), library)

    return made


@pytest.fixture
def by_mail(make: Callable[..., Library], mail_server: MailServer) -> Library:
    return make(mail={"host": "127.0.0.1", "port": mail_server.port, "tls": "none", "sender": SENDER})


@pytest.fixture
def by_webhook(make: Callable[..., Library], receiver: Receiver) -> Library:
    return make(webhook={"url": receiver.url, "secret": SECRET})
