"""How terminals are: what staff see, and what the message log holds and hides."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server.deps import Role
from server.sip2.message_log import MessageLog
from server.sip2.wire.messages import Draft, F
from tests.support.acting_gateway import eventually
from tests.support.library import ALICE, BOOKS, NOW, PIN, colleague, reader
from tests.support.sip2 import DATE, Client

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
URL = "/api/v1/sip2/terminals"


def test_staff_see_every_terminal_and_what_it_last_asked(house: TestClient, connect: Callable[..., Client]) -> None:
    terminal, stranger = connect(), connect(None)
    stranger.ask("9900802.00")
    terminal.checkout(ALICE, "99999999", pin=PIN)
    terminal.send(b"77nonsense\r")
    assert terminal.receive() == b"96"
    terminal.ask("9910402.00")
    told = house.get(URL, headers=colleague(house, Role.DUTY_STAFF)).json()
    assert told["listening"] == house.app.state.sip2.port  # type: ignore[attr-defined]
    assert told["strangers"] == 1
    mine = {one["id"]: one for one in told["terminals"]}
    assert set(mine) == {"self-1", "trusted", "sorter", "gbk"}
    assert {
        "online": True, "connections": 1, "state": "paper_out", "last_message": "terminal's status", "refused": 1,
        "garbled": 1,
    }.items() <= mine["self-1"].items()  # fmt: skip
    assert mine["self-1"]["place"] == "Hall"
    assert (mine["gbk"]["online"], mine["gbk"]["state"]) == (False, "unknown")
    known = house.app.state.terminals  # type: ignore[attr-defined]
    assert [row.id for row in known.problems()] == ["self-1"]
    rev = known.rev()
    terminal.ask("9900402.00")
    assert known.problems() == []
    assert known.rev() != rev


def test_the_overview_shows_a_terminal_that_is_out_of_paper(house: TestClient, connect: Callable[..., Client]) -> None:
    terminal, rows = connect(), house.app.state.terminals.rows  # type: ignore[attr-defined]
    terminal.ask("9910402.00")
    page = house.get("/fragments/health", headers={"Accept": "text/html", "Accept-Language": "en"}).text
    assert "Hall" in page
    assert "out of paper" in page
    assert "not connected" not in page
    assert "trusted" not in page, "terminals that were never heard are not shown"
    terminal.close()
    eventually(lambda: not rows["self-1"].online)
    page = house.get("/fragments/health", headers={"Accept": "text/html", "Accept-Language": "en"}).text
    assert re.search(r"out of paper · [^<]+ · not connected", page), "it may be more than the paper"


def test_nobody_else_may_look(house: TestClient) -> None:
    assert house.get(URL).status_code == 401
    assert house.get(URL, headers=reader(house)).status_code == 403


def test_the_log_has_what_was_said_without_secrets(
    house: TestClient, connect: Callable[..., Client], tmp_path: Path
) -> None:
    terminal = connect()
    terminal.patron(ALICE, pin=PIN, more="ZZodd|")
    terminal.checkout(ALICE, BOOKS[0], pin=PIN)
    terminal.ask("9900802.00")
    house.app.state.sip2._house.messages.close()  # type: ignore[attr-defined]
    log = (tmp_path / "sip2.log").read_text(encoding="utf-8")
    assert f"AB{BOOKS[0]}|" in log
    assert "self-1 > 63" in log
    assert "self-1 < 12" in log
    assert "AA****001|" in log
    assert "AD****|" in log
    assert "CO****|" in log
    assert not [secret for secret in (PIN, "s3cret", ALICE, "Alice") if secret in log]
    assert "> 99" not in log, "heartbeats are not worth a line"


def test_a_log_that_is_not_wanted_is_not_written(tmp_path: Path, databases: object) -> None:
    log = MessageLog(None)
    log.write(NOW, "self-1", request=None, answer=Draft("96").done(DATE), note="said again")
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_notes_are_lines_of_their_own(tmp_path: Path, databases: object) -> None:
    log = MessageLog(tmp_path / "deep" / "sip2.log")
    log.write(NOW, "10.0.0.7", request=None, answer=None, note="noise")
    log.write(NOW, "self-1", request=None, answer=Draft("36").add(F.PATRON, "").done(DATE))
    log.close()
    lines = (tmp_path / "deep" / "sip2.log").read_text().splitlines()
    assert lines == ["2026-03-02T04:30:00.000Z 10.0.0.7 ! noise", f"2026-03-02T04:30:00.000Z self-1 < 36Y{DATE}AA|"]
