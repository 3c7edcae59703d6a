"""Other people's SIP2 programs at our door: the PyPI packages Sip2 (a client) and pysip2 (a strict codec)."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pysip2 import codec as strict
from pysip2 import models
from Sip2.sip2 import Sip2

from tests.server.sip2.conftest import TERMINALS
from tests.support.library import ALICE, BO, BOOKS, PIN, make_settings
from tests.support.ports import free_port
from tests.support.server_process import ServerProcess
from tests.support.sip2 import DATE, LOGIN, PASSWORD

pytestmark = [pytest.mark.process, pytest.mark.parametrize("databases", ["sqlite"], indirect=True)]


@pytest.fixture
def port(tmp_path: Path, database_url: str) -> Iterator[int]:
    """A server as a user starts it; the port for terminals."""
    http, sip2 = free_port(), free_port()
    file = make_settings(tmp_path, database_url, port=http).document.file
    text = file.read_text() + TERMINALS.replace("port = 0", f"port = {sip2}")
    file.write_text(text.replace('id = "self-1"', 'id = "self-1"\nchecksum = "codepoints"'), encoding="utf-8")
    server = ServerProcess(file, http)
    yield sip2
    assert server.end() == 0


def test_a_client_of_other_makers_lends_and_takes_back(port: int, tmp_path: Path) -> None:
    """Its wrapper reads a patron's blank flags the wrong way round, so the messages are asked one by one."""
    client = Sip2()
    client.hostName, client.hostPort, client.tlsEnable, client.socketTimeout = "127.0.0.1", port, False, 20
    client.institutionId, client.language, client.loglevel = "MAIN", "019", "CRITICAL"
    client.patron, client.patronpwd = BO, PIN
    client.logfile_path = str(tmp_path)  # else it leaves its log where the tests are started
    assert client.connect()

    def ask(what: str, *about: str) -> dict[str, Any]:
        message = getattr(client, f"sip_{what}_request")(*about)
        found: dict[str, Any] = getattr(client, f"sip_{what}_response")(client.get_response(message))
        return found

    assert ask("login", LOGIN, PASSWORD)["fixed"]["Ok"] == "1"
    assert ask("sc_status")["fixed"]["OnlineStatus"] == "Y"
    assert ask("patron_information", "none")["variable"]["CQ"] == ["Y"]
    lent = ask("checkout", BOOKS[0])
    assert (lent["fixed"]["Ok"], lent["variable"]["AJ"], lent["variable"]["AF"]) == ("1", ["Book 1"], ["借书成功"])
    assert ask("patron_information", "charged")["variable"]["AU"] == [BOOKS[0]]
    assert ask("item_information", BOOKS[0])["fixed"]["CirculationStatus"] == "04"
    assert ask("renew", BOOKS[0])["fixed"]["Ok"] == "1"
    assert ask("checkin", BOOKS[0])["fixed"]["Ok"] == "1"
    assert ask("end_patron_session")["fixed"]["EndSession"] == "Y"
    client.disconnect()


REQUESTS = [
    models.PatronStatusRequest(
        language="019", transaction_date=DATE, institution_id="MAIN", patron_identifier=ALICE, terminal_password="",
        patron_password=PIN,
    ),
    models.PatronInformationRequest(
        language="019", transaction_date=DATE, summary="  Y       ", institution_id="MAIN", patron_identifier=ALICE,
        patron_password=PIN,
    ),
    models.CheckoutRequest(
        sc_renewal_policy="Y", no_block="N", transaction_date=DATE, nb_due_date=DATE, institution_id="MAIN",
        patron_identifier=ALICE, item_identifier=BOOKS[0], terminal_password="", patron_password=PIN,
    ),
    models.ItemInformationRequest(transaction_date=DATE, institution_id="MAIN", item_identifier=BOOKS[0]),
    models.CheckinRequest(
        no_block="N", transaction_date=DATE, return_date=DATE, current_location="", institution_id="MAIN",
        item_identifier=BOOKS[0], terminal_password="",
    ),
    models.EndPatronSessionRequest(transaction_date=DATE, institution_id="MAIN", patron_identifier=ALICE),
]  # fmt: skip


def test_a_strict_codec_understands_every_answer(port: int) -> None:
    numbers = itertools.count()
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        stream = line.makefile("rwb")

        def ask(request: models.SIPRequest) -> models.SIPMessage:
            number = next(numbers) % 10
            stream.write(strict.encode_message(request, sequence_number=number, checksum=True, encoding="utf-8"))
            stream.flush()
            frame = b"".join(iter(lambda: stream.read(1), b"\r")) + b"\r"
            answer = strict.decode_message(frame, encoding="utf-8")
            assert answer.sequence_number == number
            return answer.message

        login = models.LoginRequest(
            uid_algorithm="0", pwd_algorithm="0", login_user_id="trusted", login_password=PASSWORD, location_code=None
        )
        assert ask(login) == models.LoginResponse(ok="1")
        status = ask(models.SCStatusRequest(status_code="0", max_print_width="080", protocol_version="2.00"))
        assert isinstance(status, models.ACSStatusResponse)
        kinds = [type(ask(request)).__name__ for request in REQUESTS]
    assert kinds == [
        "PatronStatusResponse", "PatronInformationResponse", "CheckoutResponse", "ItemInformationResponse",
        "CheckinResponse", "EndSessionResponse",
    ]  # fmt: skip
