"""The audit log's page over HTTP, with the real log behind it."""

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text as sql

from server.audit import service as audit
from server.db import Database
from server.deps import Role
from server.pages.audit import endpoints, table
from tests.support.library import NOW, colleague, reader

URL = "/audit"
PAGE = {"Accept": "text/html", "Accept-Language": "en"}


@pytest.fixture
def boss(client: TestClient) -> dict[str, str]:
    return colleague(client, Role.ADMINISTRATOR) | PAGE


def note(database: Database, count: int, **more: Any) -> None:
    """So many entries, a minute between one and the next."""
    with database.writing() as session:
        for number in range(count):
            at = NOW + timedelta(minutes=number)
            entry = {"actor": "nightly", "action": "patron.edit", "target": f"patron:{number}", "at": at} | more
            audit.record(session, **entry)


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    main = answer.text.split("<main")[-1]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


def whos(answer: Any) -> list[str]:
    return re.findall(r"href=\"/audit\?target=([^\"]+)\"", html.unescape(answer.text).replace("%3A", ":"))


def test_only_administrators_see_it(client: TestClient) -> None:
    for path in (URL, f"{URL}/entries.csv"):
        assert client.get(path, follow_redirects=False).headers["location"] == f"/sign-in?next={path}"
    for who in (reader(client), colleague(client, Role.LIBRARIAN), colleague(client, Role.DUTY_STAFF)):
        assert client.get(URL, headers=who | PAGE).status_code == 403
        assert client.get(f"{URL}/entries.csv", headers=who | PAGE).status_code == 403
        assert client.post(f"{URL}/verify", headers=who | PAGE).status_code == 403
        assert f'href="{URL}"' not in client.get("/", headers=who | PAGE).text
    boss = colleague(client, Role.ADMINISTRATOR)
    assert f'href="{URL}"' in client.get("/", headers=boss | PAGE).text


def test_entries_are_told_in_words_newest_first(client: TestClient, boss: dict[str, str]) -> None:
    client.patch("/api/v1/accounts/librarian", json={"role": "duty_staff"}, headers=boss)
    said = text(client.get(URL, headers=boss))
    assert "2 Mar 2026, 12:30" in said
    assert "Account changed The administrator : only this one The librarian : only this one Role Duty staff" in said
    assert said.rindex("Account changed") < said.rindex("Signed in") < said.rindex("Reader blocked")
    assert 'href="/patrons/3"' in client.get(URL, params={"action": "patron.block"}, headers=boss).text
    chinese = client.get(URL, headers=boss | {"Accept-Language": "zh-CN"}).text
    assert "审计日志" in chinese
    assert "Audit log" not in chinese


def test_an_action_without_words_shows_its_name_and_long_details_are_folded(
    client: TestClient, database: Database, boss: dict[str, str]
) -> None:
    note(database, 1, action="future.thing", detail={"kept": True})
    answer = client.get(URL, params={"action": "future.thing"}, headers=boss)
    assert '<option value="future.thing" selected>' in answer.text
    assert "future.thing" in text(answer)
    assert "kept yes" in text(answer)
    assert "<summary>Details" not in answer.text
    note(database, 1, detail={"reason": "x" * 200})
    answer = client.get(URL, params={"actor": "nightly"}, headers=boss)
    assert "<summary>Details" in answer.text


def test_filters_narrow_and_older_entries_are_a_link_away(
    client: TestClient, database: Database, boss: dict[str, str]
) -> None:
    note(database, 60)
    answer = client.get(URL, params={"actor": "nightly", "from": "2026-03-02", "until": "2026-03-02"}, headers=boss)
    first = whos(answer)
    assert first == [f"patron:{number}" for number in range(59, 9, -1)]
    (older,) = re.findall(r'rel="next" href="([^"]+)"', html.unescape(answer.text))
    assert "actor=nightly" in older
    following = client.get(older, headers=boss)
    assert whos(following) == [f"patron:{number}" for number in range(9, -1, -1)]
    assert 'rel="next"' not in following.text
    assert "Newest entries" in text(following)
    assert whos(client.get(URL, params={"target": "patron:7"}, headers=boss)) == ["patron:7"]


def test_nothing_found_and_nonsense_say_so(client: TestClient, boss: dict[str, str]) -> None:
    answer = client.get(URL, params={"until": "2020-01-01"}, headers=boss)
    assert answer.status_code == 200
    assert "No entry fits these filters." in text(answer)
    for path in (URL, f"{URL}/entries.csv"):
        answer = client.get(path, params={"from": "yesterday"}, headers=boss)
        assert answer.status_code == 422
        assert "These filters make no sense" in text(answer)


def test_the_table_holds_all_that_fits_and_no_formulas(
    client: TestClient, database: Database, boss: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PART", 25)
    note(database, 60)
    note(database, 1, target="=HYPERLINK(1)")
    answer = client.get(f"{URL}/entries.csv", params={"actor": "nightly"}, headers=boss)
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-2026-03-02.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:3] == ["row", "time [Asia/Shanghai]", "time [UTC]"]
    assert [row[5] for row in rows] == ["'=HYPERLINK(1)", *(f"patron:{number}" for number in range(59, -1, -1))]
    assert rows[-1][1:5] == ["2026-03-02T12:30:00+08:00", "2026-03-02T04:30:00Z", "nightly", "patron.edit"]


def test_a_chain_in_order_says_how_many_rows_were_checked(
    client: TestClient, database: Database, boss: dict[str, str]
) -> None:
    verdict = audit.verify(database)
    said = text(client.post(f"{URL}/verify", headers=boss))
    assert "The chain is in order" in said
    assert f"{verdict.checked} rows were checked." in said
    noted = f"{verdict.head.seq}:{verdict.head.hash}"
    assert noted in said
    note(database, 1)
    assert "The row that was noted is among them." in text(
        client.post(f"{URL}/verify", data={"noted": noted}, headers=boss)
    )


def test_a_broken_chain_says_where(client: TestClient, database: Database, boss: dict[str, str]) -> None:
    with database.connection() as connection:
        for (name,) in connection.execute(sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")).fetchall():
            connection.execute(sql(f"DROP TRIGGER {name}"))
        connection.execute(sql("UPDATE audit_entry SET actor = 'user:nobody' WHERE seq = 2"))
    said = text(client.post(f"{URL}/verify", headers=boss))
    assert "The chain is broken Row 2 was changed after it was written. 1 row before that is in order." in said
    chinese = client.post(f"{URL}/verify", headers=boss | {"Accept-Language": "zh-CN"})
    assert "链已断裂" in chinese.text


def test_a_noted_row_that_is_none_or_gone_is_told_and_so_is_a_check_under_way(
    client: TestClient, boss: dict[str, str]
) -> None:
    answer = client.post(f"{URL}/verify", data={"noted": "5120"}, headers=boss)
    assert answer.status_code == 422
    assert "A noted row is its number, a colon and 64 characters" in text(answer)
    answer = client.post(f"{URL}/verify", data={"noted": "5120:" + "a" * 64}, headers=boss)
    assert "The row that was noted is not in the log" in text(answer)
    with endpoints.ONE_CHECK:
        answer = client.post(f"{URL}/verify", headers=boss)
    assert answer.status_code == 409
    assert "The chain is being checked already." in text(answer)
    assert "The chain is in order" in text(client.post(f"{URL}/verify", headers=boss))
