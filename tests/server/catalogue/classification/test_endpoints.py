"""Browsing by class."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.catalogue import service as catalogue
from server.catalogue.classification import service
from server.catalogue.service import NewRecord
from server.db import Database
from server.deps import Role
from tests.support.library import NOW, colleague

TABLE = (
    "code,caption_zh,caption_en\nI2,中国文学,Chinese literature\nI24,小说,Novels\nI242.4,章回小说,\nK2,中国史,History\n"
)


def browse(client: TestClient, under: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/classes", params={"under": under}).json()["classes"]
    return found


def store(client: TestClient, table: bytes) -> Any:
    who = colleague(client, Role.LIBRARIAN) | {"Content-Type": "text/csv"}
    return client.put("/api/v1/classes", content=table, headers=who)


@pytest.fixture
def shelf(database: Database) -> None:
    with database.writing() as session:
        for number in ("I242.47", "I242.4", "I210.6", "K204.2", "TP311"):
            catalogue.add_record(session, NewRecord(number, class_number=number), at=NOW)


@pytest.mark.usefixtures("shelf")
def test_the_main_classes_come_with_the_number_of_their_titles(client: TestClient) -> None:
    found = browse(client)
    assert len(found) == 22
    assert "".join(one["code"] for one in found) == "ABCDEFGHIJKNOPQRSTUVXZ"
    assert {one["code"]: one["titles"] for one in found if one["titles"]} == {"I": 3, "K": 1, "T": 1}
    assert all(one["caption_zh"] and one["caption_en"] and not one["finer"] for one in found)


@pytest.mark.usefixtures("shelf")
def test_a_librarys_own_table_makes_finer_classes(client: TestClient, database: Database) -> None:
    assert store(client, TABLE.encode("utf-8-sig")).json() == {"classes": 4}
    assert [one["code"] for one in browse(client) if one["finer"]] == ["I", "K"]
    (literature,) = browse(client, "I")
    assert (literature["code"], literature["titles"], literature["finer"]) == ("I2", 3, True)
    assert [(one["code"], one["titles"], one["finer"]) for one in browse(client, "I2")] == [("I24", 2, True)]
    assert [one["code"] for one in browse(client, "I24")] == ["I242.4"]
    assert browse(client, "%") == []
    assert [one["code"] for one in browse(client, "i2")] == ["I24"]
    with database.reading() as session:
        assert service.caption(session, "I242.47") == ("章回小说", "")
        assert service.caption(session, "I3") == ("文学", "Literature")
        assert service.caption(session, "?") == ("", "")


def test_a_table_out_of_a_spreadsheet_is_read(client: TestClient) -> None:
    table = TABLE + '[B82-02],伦理学史,"History, ethics"\n,,\n'
    assert store(client, table.encode("gb18030")).json() == {"classes": 5}
    assert [(one["caption_zh"], one["caption_en"]) for one in browse(client, "B")] == [("伦理学史", "History, ethics")]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (b"", None),
        (b"code,name\nI,x\n", (1, "columns")),
        (TABLE.encode() + b"i9,x,x\n", (6, "code")),
        (TABLE.encode() + b"I9,,\n", (6, "caption")),
        (TABLE.encode() + b"I2,x,x\n", (6, "twice")),
        (TABLE.encode() + b"I9,x,History, new\n", (6, "cells")),
        (TABLE.encode() + b'I9,x,"New\n', (6, "quotes")),
        (TABLE.encode("utf-16"), (1, "encoding")),
        (TABLE.encode().replace(b"code", b'"' + b"x" * 200_000), (1, "quotes")),
    ],
)
def test_a_table_that_cannot_be_read_changes_nothing(
    client: TestClient, table: bytes, told: tuple[int, str] | None
) -> None:
    store(client, TABLE.encode())
    answer = store(client, table)
    assert answer.status_code == 422
    if told:
        assert answer.json()["params"] == {"line": told[0], "wrong": told[1]}
    assert len(browse(client, "I")) == 1
