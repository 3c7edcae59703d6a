"""The demo library: enough of it, all of it real, and filled in once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.engine import make_url

from carrel.config import ConfigError
from server.app import create_app
from server.db import Database
from server.demo import data, facts, fill
from server.settings import ServerSettings
from tests.server.conftest import Databases
from tests.support.library import NOW, ManualClock, items, machine, make_settings, signed_in

ON_LOAN = [str(number) for number in range(30000201, 30000213)]


@pytest.fixture
def demo_settings(databases: Databases, tmp_path: Path) -> Iterator[ServerSettings]:
    """Of a library that was started once as a demo."""

    def start(_database: Database) -> None:
        with TestClient(create_app(make_settings(tmp_path, databases.url("template_demo"), demo=True), ManualClock())):
            pass

    url = databases.create(databases.template("template_demo", start))
    yield make_settings(tmp_path, url, demo=True)
    databases.drop(url)


@pytest.fixture
def client(demo_settings: ServerSettings, clock: ManualClock):  # type: ignore[no-untyped-def]
    with TestClient(create_app(demo_settings, clock)) as talking:
        yield talking


class TestData:
    def test_two_hundred_titles_half_of_them_chinese(self) -> None:
        records = data.records()
        assert len(records) >= 200
        chinese = [entry for entry in records if entry.record.language == "zh"]
        assert 0.4 < len(chinese) / len(records) < 0.6
        assert len({entry.record.title for entry in records}) == len(records)
        assert all(entry.record.class_number and entry.record.call_number for entry in records)
        assert {entry.location for entry in records} == {"reading-room", "stacks"}

    def test_two_hundred_and_forty_items_with_running_barcodes(self) -> None:
        barcodes = [barcode for entry in data.records() for barcode in entry.barcodes]
        assert barcodes == [str(number) for number in range(30000001, 30000241)]

    def test_thirty_patrons_and_the_three_kinds_of_colleague(self) -> None:
        people = data.people()
        assert [patron.card for patron in people.patron] == [str(number) for number in range(90000001, 90000031)]
        assert {account.role.value for account in people.account} == {"librarian", "duty_staff", "administrator"}
        assert [loan.barcode for loan in people.loan] == ON_LOAN


class TestFilled:
    def test_everybody_can_sign_in_with_what_the_facts_say(
        self, client: TestClient, demo_settings: ServerSettings
    ) -> None:
        told = facts.facts(demo_settings)
        assert len(told["patrons"]) == 30
        for account in told["accounts"]:
            signed_in(client, account["user"], account["password"])
        for patron in told["patrons"][::7]:
            signed_in(client, patron["card"], patron["pin"])

    def test_the_first_reader_has_a_loan_of_each_kind(self, client: TestClient, clock: ManualClock) -> None:
        who = signed_in(client, "90000001", "0001")
        loans = client.get("/api/v1/patrons/me/loans", headers=who).json()["loans"]
        assert [loan["barcode"] for loan in loans] == ["30000203", "30000202", "30000201"]
        assert [loan["overdue"] for loan in loans] == [True, False, False]
        assert [loan["renewable"] for loan in loans] == [False, True, True]

    def test_facts_read_the_living_database(self, client: TestClient, demo_settings: ServerSettings) -> None:
        def on_loan() -> list[str]:
            return [item["barcode"] for item in facts.facts(demo_settings)["items"] if item["on_loan"]]

        assert on_loan() == ON_LOAN
        body = {"request_id": "r", "card": "90000010", "items": items("30000001")}
        client.post("/api/v1/circulation/checkouts", json=body, headers=machine())
        assert on_loan() == ["30000001", *ON_LOAN]

    def test_a_second_start_keeps_what_is_there(
        self, client: TestClient, demo_settings: ServerSettings, clock: ManualClock
    ) -> None:
        core = client.app.state.core  # type: ignore[attr-defined]
        assert not fill.fill_if_empty(core.database, demo_settings, NOW + timedelta(days=400))
        assert client.get("/api/v1/records").json()["total"] == len(data.records())

    def test_chinese_and_english_titles_are_found(self, client: TestClient) -> None:
        for query, title in (("红楼", "红楼梦"), ("鲁迅 呐喊", "呐喊"), ("pride prejudice", "Pride and Prejudice")):
            found = client.get("/api/v1/records", params={"q": query}).json()["records"]
            assert found[0]["title"] == title


class TestFacts:
    def test_a_library_that_is_no_demo_has_none(self, settings: ServerSettings) -> None:
        with pytest.raises(ConfigError, match=r"server\.demo"):
            facts.facts(settings)

    def test_a_demo_that_was_never_opened_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="has not been opened"):
            facts.facts(make_settings(tmp_path, f"sqlite:///{tmp_path}/none.db", demo=True))


def test_a_library_with_patrons_is_never_filled(settings: ServerSettings, database_url: str) -> None:
    database = Database(make_url(database_url))
    assert not fill.fill_if_empty(database, settings, NOW)
    database.close()
