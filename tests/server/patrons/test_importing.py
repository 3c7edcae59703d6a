"""Patrons from a CSV file."""

import math
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from carrel.cli import main
from server.db import Database
from server.deps import Role
from server.lending import service as lending
from server.lending.policy import LibraryPolicy
from server.patrons import importing, service
from server.patrons.errors import UnreadableFileError
from server.patrons.importing import Outcome, Run, read
from tests.support.library import ALICE, BOOKS, NOW, colleague, make_settings

HEAD = "card,name,external,class,born on,phone,pin\n"
ROWS = "81000001,Wang Hai,S-1,student,1999-01-02,138 0000 1111,591347\n81000002,李娜,S-2,adult,,,\n"


def run(database: Database, text: str, *, dry: bool = False) -> list[Outcome]:
    work = Run("user:librarian", NOW, NOW.date(), branch="main", dry_run=dry)
    return list(importing.run(database, read(text.encode()), work))


def many(count: int) -> str:
    return "".join(f"82{n:06},Person {n},X-{n},,,,\n" for n in range(count))


def kinds(outcomes: list[Outcome]) -> list[str]:
    return [f"{one.outcome}{':' + one.code if one.code else ''}" for one in outcomes]


class TestReading:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_chinese_is_understood_in_each_encoding(self, encoding: str) -> None:
        table = read("卡号,姓名,手机\r\n1,张伟,138\r\n".encode(encoding))
        assert table.rows[0].cells == {"card": "1", "name": "张伟", "phone": "138"}
        assert table.encoding == encoding.removesuffix("-sig")

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_columns_are_parted_as_the_first_line_parts_them(self, delimiter: str) -> None:
        text = delimiter.join(("Card", "Name", "Shoe size")) + "\n" + delimiter.join(('"1"', "A", "44")) + "\n"
        table = read(text.encode())
        assert (table.rows[0].cells, table.ignored) == ({"card": "1", "name": "A"}, ("Shoe size",))

    def test_empty_lines_and_cells_are_nothing_and_lines_are_counted_as_an_editor_does(self) -> None:
        table = read(b'card,name,note\n\n,,\n1,A,"two\nlines"\n2,B,\n')
        assert [(row.line, row.cells) for row in table.rows] == [
            (5, {"card": "1", "name": "A", "note": "two\nlines"}), (6, {"card": "2", "name": "B"}),
        ]  # fmt: skip

    @pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe\xff", b"a,b\n1,2\n", b"name\nA\n", b"card\n1\n", b"\x81"])
    def test_what_is_no_table_of_patrons_is_told(self, data: bytes) -> None:
        with pytest.raises(UnreadableFileError):
            read(data)


class TestImport:
    def test_a_birthday_in_the_future_is_told_with_its_column(self, database: Database) -> None:
        told = run(database, HEAD + "81000001,Wang Hai,S-1,student,2026-03-03,,\n")
        assert told == [Outcome(2, "error", "birthday_in_future", "born_on")]

    @pytest.mark.parametrize("row", ["81000003,A\0,S-3,adult,,,", "81000003,A,S\0,adult,,,", "81000003,A,S-3,a\0,,,"])
    def test_a_row_with_nul_is_malformed_and_stops_nothing(self, database: Database, row: str) -> None:
        assert kinds(run(database, f"{HEAD}{row}\n{ROWS}")) == ["error:malformed", "new", "new"]

    def test_rows_become_patrons_who_can_sign_in(self, database: Database) -> None:
        assert kinds(run(database, HEAD + ROWS)) == ["new", "new"]
        with database.reading() as session:
            wang = service.check_pin(session, "81000001", "591347")
            assert wang
            assert (wang.name, wang.external, wang.patron_class, wang.phone) == (
                "Wang Hai", "S-1", "student", "138 0000 1111",
            )  # fmt: skip
            assert service.find(session, "81000002") is not None

    def test_a_dry_run_tells_the_same_and_stores_nothing(self, database: Database) -> None:
        text = HEAD + ROWS + "81000003,,,,,,\n"
        dry = run(database, text, dry=True)
        with database.reading() as session:
            assert service.find(session, "81000001") is None
        assert run(database, text) == dry

    def test_the_same_file_again_changes_nothing(self, database: Database) -> None:
        run(database, HEAD + ROWS)
        assert kinds(run(database, HEAD + ROWS)) == ["same", "same"]

    def test_rows_change_what_their_cells_name(self, database: Database) -> None:
        run(database, HEAD + ROWS)
        changed = run(database, HEAD + "81000001,Wang Hai-Li,,,,,999111\n,李娜,S-2,senior,,,\n")
        assert kinds(changed) == ["changed", "changed"]
        with database.reading() as session:
            wang, li = service.check_pin(session, "81000001", "591347"), service.find(session, "81000002")
        assert wang
        assert (wang.name, wang.patron_class, wang.phone) == ("Wang Hai-Li", "student", "138 0000 1111")
        assert li
        assert li.patron_class == "senior"

    def test_another_card_for_a_known_number_replaces_the_card(self, database: Database) -> None:
        run(database, HEAD + ROWS)
        again = HEAD + "81000009,Wang Hai,S-1,,,,\n"
        assert kinds(run(database, again)) == ["changed"]
        assert kinds(run(database, again)) == ["same"]
        with database.reading() as session:
            old, new = service.find(session, "81000001"), service.find(session, "81000009")
        assert old
        assert new
        assert (old.card_state, new.card_state, old.id) == ("replaced", "active", new.id)

    def test_one_bad_row_never_stops_the_file(self, database: Database) -> None:
        run(database, HEAD + ROWS)
        rows = [
            "81000010,Good One,,,,,", "no spaces please,X,,,,,", ",Nobody,,,,,", "81000011,,,,,,",
            "81000012,Y,,wizard,,,", "81000013,Y,,,31.12.1999,,", "81000014,Y,,,,,1234", "81000010,Twice,,,,,",
            "81000002,Whose?,S-1,,,,", "81000015,Good Two,,,,,",
        ]  # fmt: skip
        assert kinds(run(database, HEAD + "\n".join(rows) + "\n")) == [
            "new", "error:malformed", "error:no_key", "error:no_name_or_card", "error:unknown_class",
            "error:malformed", "error:pin_too_simple", "error:repeated_in_file", "error:card_taken", "new",
        ]  # fmt: skip

    def test_a_guardian_is_named_by_card(self, database: Database) -> None:
        text = "card,name,born_on,guardian card\n81000020,Wu Xiao,2017-01-01,{}\n"
        assert kinds(run(database, text.format("81999999"))) == ["error:unknown_card"]
        assert kinds(run(database, text.format(ALICE))) == ["new"]
        with database.reading() as session:
            alice = service.find(session, ALICE)
            assert alice
            assert [one.card for one in service.wards_of(session, alice.id, NOW.date())] == ["81000020"]

    def test_a_dry_run_knows_a_guardian_of_an_earlier_turn(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importing, "TURN_S", 0.0)  # each row has its own
        monkeypatch.setattr(importing, "GIVE_WAY_S", 0.0)
        file = (
            "card,name,born_on,guardian card\n81000020,Wu Xiao,2017-01-01,81000022\n81000021,Wu Da,1960-01-01,\n"
            "81000022,Wu Jun,1985-01-01,81000021\n81000023,Wu Min,2018-01-01,81000022\n"
            "81000024,Wu Hao,2019-01-01,81000023\n81000025,Wu Yi,2019-02-02,81000022\n81000026,,,81000022\n"
        )
        dry = run(database, file, dry=True)
        assert kinds(dry) == [
            "error:unknown_card", "new", "new", "new", "error:unfit_guardian", "new", "error:no_name_or_card",
        ]  # fmt: skip
        with database.reading() as session:
            assert service.find(session, "81000022") is None
        assert run(database, file) == dry

    @pytest.mark.parametrize("turn", [0.0, math.inf])
    def test_a_dry_run_knows_who_was_changed_or_is_alike_in_an_earlier_turn(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, turn: float
    ) -> None:
        monkeypatch.setattr(importing, "TURN_S", turn)
        monkeypatch.setattr(importing, "GIVE_WAY_S", 0.0)
        run(database, HEAD + ROWS)
        head = "card,name,external,born on,phone,guardian card\n"
        file = head + (
            "81000009,,S-1,,,\n81000001,Old Card,,,,\n"  # the first card was replaced just before
            "81000002,,S-22,,,\n81000010,New,S-2,,,\n"  # the number was given up just before
            "81000011,Wu Jun,,1985-01-01,139 0000 2222,\n81000012,Wu  JUN,,1985-01-01,,\n"
            "81000013,Wu Xiao,,2017-01-01,13900002222,81000011\n81000014,Wu Da,,2018-01-01,13900002222,81000011\n"
            "81000015,Stranger,,,13900002222,\n"
        )
        dry = run(database, file, dry=True)
        assert kinds(dry) == ["changed", "error:card_taken", "changed", *["new"] * 6]
        assert [row.line for row in dry if row.possible_duplicate] == [7, 10]
        assert run(database, file) == dry

    def test_a_branch_is_one_of_the_librarys_and_no_card_a_barcode(self, database: Database) -> None:
        file = f"card,name,branch\n81000030,A,old\n{BOOKS[0]},B,\n"
        assert kinds(run(database, "card,name,branch\n81000030,A,old\n")) == ["new"]
        with database.writing() as session:
            lending.set_policy(session, LibraryPolicy(branches=("north",)), actor="tests", at=NOW)
        told = run(database, file + "81000030,C,old\n81000031,D,nroth\n81000032,E,north\n81000033,F,main\n")
        assert kinds(told[1:]) == [
            "error:card_is_barcode", "error:repeated_in_file", "error:unknown_branch", "new", "new",
        ]  # fmt: skip
        assert (told[0].outcome, told[1].column, told[3].column) == ("same", "card", "branch"), (
            "what is stored may stay"
        )

    def test_somebody_alike_is_pointed_out(self, database: Database) -> None:
        run(database, HEAD + ROWS)
        (outcome,) = run(database, HEAD + "81000003,Somebody Else,,,,+86 13800001111,\n")
        assert (outcome.outcome, outcome.possible_duplicate) == ("new", True)

    @pytest.mark.parametrize("dry", [True, False])
    def test_others_write_between_its_turns(
        self, database: Database, monkeypatch: pytest.MonkeyPatch, *, dry: bool
    ) -> None:
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            with database.writing(at_once=True) as session:  # refused while the import holds the database
                session.execute(text("UPDATE patron SET phone = phone"))
            pauses.append(seconds)

        monkeypatch.setattr("server.patrons.importing.time.sleep", pause)
        monkeypatch.setattr(importing, "TURN_S", 0.0)
        assert set(kinds(run(database, HEAD + many(5), dry=dry))) == {"new"}
        assert len(pauses) == (4 if database.engine.dialect.name == "sqlite" else 0)
        assert all(seconds >= importing.GIVE_WAY_S for seconds in pauses)

    def test_an_import_that_broke_off_is_begun_again(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importing, "TURN_S", math.inf)
        file = HEAD + many(250)
        work = Run("user:librarian", NOW, NOW.date(), branch="main", dry_run=False)
        rows = importing.run(database, read(file.encode()), work)
        for _ in range(150):  # in the second batch
            next(rows)
        rows.close()
        again = kinds(run(database, file))
        assert (again.count("same"), again.count("new")) == (200, 50)


def test_the_desk_sends_a_file(client: TestClient) -> None:
    headers = colleague(client, Role.LIBRARIAN) | {"content-type": "text/csv"}
    body = (HEAD + ROWS).encode("gb18030")
    dry = client.post("/api/v1/patrons/import", content=body, headers=headers).json()
    assert (dry["dry_run"], dry["encoding"], dry["counts"]) == (True, "gb18030", {"new": 2})
    real = client.post("/api/v1/patrons/import?dry_run=false", content=body, headers=headers).json()
    assert [row["outcome"] for row in real["rows"]] == ["new", "new"]
    assert client.post("/api/v1/session", json={"user": "81000001", "password": "591347"}).status_code == 200
    bad = client.post("/api/v1/patrons/import", content=b"\x00", headers=headers)
    assert (bad.status_code, bad.json()["code"]) == (409, "unreadable_file")


def test_a_big_file_comes_in_at_the_machine_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_settings(tmp_path, f"sqlite:///{tmp_path}/library.db")
    file, config = tmp_path / "people.csv", str(tmp_path / "config.toml")
    file.write_text(HEAD.replace("phone", "shoe size") + ROWS + "81000003,,,,,,\n", encoding="utf-8")
    command = ["patrons", "import", str(file), "--config", config]
    assert main([*command, "--dry-run"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "line 4: no_name_or_card (name)", "columns not understood: shoe size",
        "3 rows (utf-8): 2 new, 0 changed, 0 same, 1 error; nothing was stored",
    ]  # fmt: skip
    main(command)
    assert "2 new" in capsys.readouterr().out
    assert main(["patrons", "import", str(tmp_path / "none.csv"), "--config", config]) == 1
    assert "cannot read" in capsys.readouterr().err
    assert main(["patrons", "import"]) == 2
