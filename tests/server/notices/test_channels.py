"""Mail over TLS and with a sign-in, against a real server; what a webhook is told."""

import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from carrel.sections import LibraryConfig
from server.db import Database
from server.lending.policy import LibraryPolicy
from server.notices.channels import Mail, Parcel, Webhook, payload
from server.notices.config import MailConfig, WebhookConfig
from server.notices.errors import DeliveryError
from server.notices.letters import writing
from server.notices.letters.writing import Writer
from server.patrons import service as patrons
from tests.server.notices.conftest import SECRET, SENDER, MailServer, Receiver
from tests.support.library import ALICE, NOW
from tests.support.mosquitto import make_certificates
from tests.support.ports import free_port


@dataclass
class Guarded:
    """A mail server that wants TLS and a sign-in."""

    config: MailConfig
    kept: MailServer


@pytest.fixture
def parcel(database: Database) -> Parcel:
    with database.reading() as session:
        patron = patrons.find(session, ALICE)
    assert patron is not None
    facts = writing.example("fee", date(2026, 3, 5), "main")
    letter = Writer(LibraryConfig(name="Town Library"), None).compose(
        patron, "fee", facts, owed=Decimal("2.50"), policy=LibraryPolicy()
    )
    return Parcel("t" * 32, "fee", patron, letter, NOW)


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    make_certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")

    def sign_in(_server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: object) -> AuthResult:
        return AuthResult(success=isinstance(given, LoginPassword) and given == LoginPassword(b"library", b"let me in"))

    kept = MailServer()
    controller = Controller(
        kept, hostname="127.0.0.1", port=free_port(), tls_context=context, require_starttls=True,
        authenticator=sign_in, auth_required=True,
    )  # fmt: skip
    controller.start()
    config = MailConfig(
        host="127.0.0.1",
        port=controller.port,
        tls="starttls",
        user="library",
        password="let me in",
        sender=SENDER,
        timeout_s=5,
    )
    yield Guarded(config, kept)
    controller.stop()


def refusal(mail: Mail | Webhook, parcel: Parcel) -> tuple[str, bool]:
    with pytest.raises(DeliveryError) as refused:
        mail.deliver(parcel)
    return refused.value.code, refused.value.final


def test_mail_goes_over_tls_after_a_sign_in(guarded: Guarded, parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    Mail(guarded.config).deliver(parcel)
    assert [letter["Message-ID"] for letter in guarded.kept.letters] == [f"<{'t' * 32}@library.example>"]
    for wrong in ({"password": "no"}, {"tls": "none"}, {"tls": "tls", "timeout_s": 1}):
        assert refusal(Mail(guarded.config.model_copy(update=wrong)), parcel) == ("mail_server", False)
    monkeypatch.delenv("SSL_CERT_FILE")
    assert refusal(Mail(guarded.config), parcel) == ("mail_server", False), "nobody vouches for that server"
    assert len(guarded.kept.letters) == 1


@contextmanager
def dripping(*before: bytes, drip: bytes = b"220-please wait\r\n") -> Iterator[int]:
    """The port of a server that answers a few times, and from then on says little by little that it will."""
    end = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                for answer in before:
                    self.wfile.write(answer)
                    self.rfile.readline()
                while not end.wait(0.05):
                    self.wfile.write(drip)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        end.set()
        server.shutdown()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("before", [(), (b"220 hello\r\n",), (b"220 hello\r\n", b"250 me\r\n")])
def test_a_mail_server_that_drips_is_left_in_the_end(parcel: Parcel, before: tuple[bytes, ...]) -> None:
    with dripping(*before) as port:
        mail = Mail(MailConfig(host="127.0.0.1", port=port, tls="none", sender=SENDER, timeout_s=0.3))
        begun = time.monotonic()
        assert refusal(mail, parcel) == ("mail_server", False)
        assert time.monotonic() - begun < 5
    for watch in [thread for thread in threading.enumerate() if thread.name == "mail limit"]:
        watch.join(5)
        assert not watch.is_alive()


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ((), ("webhook_away", False)),
        ((b"HTTP/1.1 ",), ("webhook_away", False)),
        ((b"HTTP/1.1 404 gone\r\nContent-Length: 9999\r\n\r\n",), ("webhook_refused", True)),
        ((b"HTTP/1.1 200 ok\r\nContent-Length: 9999\r\n\r\n",), None),
    ],
)
def test_a_webhook_that_drips_is_left_in_the_end(
    parcel: Parcel, before: tuple[bytes, ...], refused: tuple[str, bool] | None
) -> None:
    with dripping(*before, drip=b"x") as port:
        hook = Webhook(WebhookConfig(url=f"http://127.0.0.1:{port}/", secret=SECRET, timeout_s=0.3))
        begun = time.monotonic()
        if refused is None:
            hook.deliver(parcel)
        else:
            assert refusal(hook, parcel) == refused
        assert time.monotonic() - begun < 5


def test_a_mail_servers_own_words_are_told_as_text(parcel: Parcel) -> None:
    with dripping(b"220 hello\r\n", b"250 me\r\n", b"554 no mail\tfrom you\r\n") as port:
        mail = Mail(MailConfig(host="127.0.0.1", port=port, tls="none", sender=SENDER, timeout_s=1))
        with pytest.raises(DeliveryError, match=r"^554 no mail from you$"):
            mail.deliver(parcel)


def test_a_webhook_is_told_words_and_facts(parcel: Parcel) -> None:
    told = payload(parcel)
    assert (told["id"], told["kind"], told["owed"], told["subject"]) == (
        "t" * 32, "fee", "2.50", "Open fees at Town Library",
    )  # fmt: skip
    assert told["lines"] == [
        {"fee": "overdue", "amount": "2.50", "charged": "2026-03-05", "title": "红楼梦", "barcode": "30000001"}
    ]


@pytest.mark.parametrize(
    ("status", "final"),
    [(301, False), (400, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_what_a_webhook_answers_decides_about_another_attempt(
    receiver: Receiver, parcel: Parcel, status: int, final: bool
) -> None:
    receiver.answers = [status]
    config = WebhookConfig(url=receiver.url, secret=SECRET)
    assert refusal(Webhook(config), parcel) == ("webhook_refused", final)
    Webhook(config).deliver(parcel)


def test_a_webhook_that_is_away_is_asked_again(parcel: Parcel) -> None:
    config = WebhookConfig(url=f"http://127.0.0.1:{free_port()}/", secret=SECRET)
    assert refusal(Webhook(config), parcel) == ("webhook_away", False)


def test_channels_tell_where_they_lead_without_secrets() -> None:
    assert Mail(MailConfig(host="mail.example", port=25, sender=SENDER)).where == "mail.example:25"
    config = WebhookConfig(url="https://user:pass@sms.example:8443/hook?key=1", secret=SECRET)
    assert Webhook(config).where == "https://sms.example:8443"


def test_a_webhooks_own_words_are_repeated(receiver: Receiver, parcel: Parcel) -> None:
    receiver.answers, receiver.words = [422], "no such\nnumber"
    with pytest.raises(DeliveryError, match=r"^answered 422 no such number$"):
        Webhook(WebhookConfig(url=receiver.url, secret=SECRET)).deliver(parcel)
