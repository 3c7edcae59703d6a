"""The kiosk's talk with a real HTTP server, also one that is rude, slow or not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrel.contracts.circulation import PatronStanding
from gateway.stations.kiosk import service
from gateway.stations.kiosk.service import Lending
from tests.support.lending_server import TOKEN, LendingServer
from tests.support.ports import free_port


@pytest.fixture
async def server() -> AsyncIterator[LendingServer]:
    made = LendingServer()
    await made.start()
    yield made
    made.hold.set()
    await made.kill()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
async def lending(server: LendingServer, token_file: Path) -> AsyncIterator[Lending]:
    made = Lending(server.url, token_file)
    yield made
    await made.close()


async def test_a_patron_has_a_standing_or_a_code(lending: Lending) -> None:
    found = await lending.standing("90000001")
    assert isinstance(found, PatronStanding)
    assert (found.shown_name, found.quota_left) == ("张*", 5)
    assert await lending.standing("12345") == "unknown_card"


async def test_items_are_judged_lent_and_taken_back(lending: Lending, server: LendingServer) -> None:
    server.refuse = {"2": "not_for_loan"}
    judged = await lending.preview("90000001", ["1", "2"])
    assert judged is not None
    assert [(r.status, r.code) for r in judged] == [("ok", None), ("refused", "not_for_loan")]
    lent = await lending.checkout("r1", "90000001", ["1", "2"])
    assert lent is not None
    assert [r.security for r in lent] == ["on_loan", None]
    back = await lending.checkin("r2", ["1"])
    assert back is not None
    assert back[0].security == "in_stock"
    assert server.asked[-1] == ("/api/v1/circulation/checkins", {"request_id": "r2", "items": [{"barcode": "1"}]})


async def test_the_same_request_gets_the_same_answer(lending: Lending, server: LendingServer) -> None:
    first = await lending.checkout("r1", "90000001", ["1"])
    assert await lending.checkout("r1", "90000001", ["1"]) == first
    assert server.on_loan == {"1"}


@pytest.mark.parametrize("card", ["", "../../admin", "9 1", "9" * 33, "9?x=1#y", "读者", "\x00"])
async def test_what_no_card_can_be_is_unknown_and_never_reaches_the_server_as_a_path(
    lending: Lending, server: LendingServer, card: str
) -> None:
    assert await lending.standing(card) in ("unknown_card", "server_timeout")
    assert all(path.endswith("/standing") and ".." not in path for path, _ in server.asked)


async def test_a_card_number_with_a_slash_stays_one_part_of_the_path(lending: Lending, server: LendingServer) -> None:
    await lending.standing("9/../8")
    assert all("/by-card/" in path for path, _ in server.asked)


async def test_alive_means_ready(lending: Lending, server: LendingServer) -> None:
    assert await lending.alive()
    server.ready = False
    assert not await lending.alive()
    await server.kill()
    assert not await lending.alive()


async def test_nobody_there_is_no_answer(token_file: Path) -> None:
    lending = Lending(f"http://127.0.0.1:{free_port()}", token_file)
    assert await lending.standing("90000001") == "server_timeout"
    assert await lending.preview("90000001", ["1"]) is None
    assert await lending.checkout("r1", "90000001", ["1"]) is None
    assert await lending.checkin("r1", ["1"]) is None
    await lending.close()


async def test_a_server_that_is_too_slow_is_no_answer(
    lending: Lending, server: LendingServer, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ANSWER_WITHIN_S", 0.1)
    hasty = Lending(server.url, token_file)
    server.hold.clear()
    assert await hasty.checkout("r1", "90000001", ["1"]) is None
    assert server.on_loan == {"1"}, "which is why it is asked again with the same id"
    await hasty.close()


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_a_request_that_is_refused_whole_refuses_every_item(
    lending: Lending, server: LendingServer, status: int
) -> None:
    server.status = status
    results = await lending.checkout("r1", "90000001", ["1", "2"])
    assert results is not None
    assert [(r.barcode, r.status, r.code) for r in results] == [
        ("1", "refused", "some_code"),
        ("2", "refused", "some_code"),
    ]


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503])
async def test_an_error_that_says_nothing_about_the_request_is_no_answer(
    lending: Lending, server: LendingServer, status: int
) -> None:
    server.status = status
    assert await lending.checkout("r1", "90000001", ["1"]) is None
    assert await lending.preview("90000001", ["1"]) is None


NONSENSE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"results": 5}',
    b"\xff\xfe",
    b'{"request_id":"r1","results":[{"barcode":"1"}]}',
]


@pytest.mark.parametrize("raw", NONSENSE)
async def test_nonsense_is_no_answer(lending: Lending, server: LendingServer, raw: bytes) -> None:
    server.raw = raw
    assert await lending.checkout("r1", "90000001", ["1"]) is None
    assert await lending.preview("90000001", ["1"]) is None
    assert await lending.standing("90000001") == "server_timeout"


async def test_a_token_that_is_not_there_yet_is_no_answer_and_is_read_when_it_comes(
    server: LendingServer, tmp_path: Path
) -> None:
    file = tmp_path / "later"
    lending = Lending(server.url, file)
    assert await lending.standing("90000001") == "server_timeout"
    file.write_bytes(b"\xff\xfe")
    assert await lending.standing("90000001") == "server_timeout"
    file.write_text("wrong")
    assert await lending.standing("90000001") == "server_timeout", "the token is none of the patron's business"
    file.write_text(TOKEN)
    assert isinstance(await lending.standing("90000001"), PatronStanding)
    await lending.close()


async def test_nothing_personal_is_in_the_log(
    lending: Lending, server: LendingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="gateway")
    server.raw = b"{"
    await lending.standing("90000001")
    await server.kill()
    await lending.standing("90000001")
    assert "90000001" not in caplog.text
    assert TOKEN not in caplog.text
