"""config.toml and CARREL_*: what is read, and sentences that name key, line and mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from carrel.config import ConfigError, Document, Section, find_line, load
from tests.support.tree import ROOT


class Policy(Section):
    days: int = Field(default=30, ge=1)


class Server(Section):
    port: int = Field(default=8080, ge=1)
    password: str = ""
    database: str = ""
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _fits(self) -> Server:
        if self.port == 666:
            raise ValueError("port 666 is not for libraries")
        return self


class Module(Section):
    id: str
    unit: int = 1
    inputs: dict[str, int] = Field(default_factory=dict)


TEXT = """\
# a comment with port = 1
[server]
port = 8080

[server.policy]
days = 30

[[modbus]]
id = "io-1"
[[modbus]]
id = "io-2"
unit = 2
inputs = { smoke = 0 }
"""


def read(folder: Path, text: str = TEXT, environ: dict[str, str] | None = None) -> Document:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder / "config.toml", environ or {})


def said(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    """The one sentence about the sections above."""
    with pytest.raises(ConfigError) as refusal:
        _read_all(folder, text, environ)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def _read_all(folder: Path, text: str, environ: dict[str, str] | None) -> None:
    doc = read(folder, text, environ)
    doc.section("server", Server)
    doc.entries("modbus", Module)


def test_sections_and_entries_become_their_models(tmp_path: Path) -> None:
    doc = read(tmp_path)
    assert doc.section("server", Server).policy.days == 30
    assert [(m.id, m.unit, m.inputs) for m in doc.entries("modbus", Module)] == [
        ("io-1", 1, {}),
        ("io-2", 2, {"smoke": 0}),
    ]


def test_what_is_missing_is_the_default(tmp_path: Path) -> None:
    doc = read(tmp_path, "")
    assert (doc.section("server", Server), doc.entries("modbus", Module)) == (Server(), ())


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = read(tmp_path)
    assert doc.path("var/x.db") == tmp_path / "var/x.db"
    assert doc.path("/var/x.db") == Path("/var/x.db")
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).file == tmp_path / "config.toml"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("port = 8080", "prot = 8080", "config.toml line 3: unknown key 'server.prot': remove it or correct"),
        ("port = 8080", 'port = "high"', "config.toml line 3: 'server.port' = 'high': input should be a valid integer"),
        ("port = 8080", "port = 0", "config.toml line 3: 'server.port' = 0: input should be greater than or equal"),
        ("port = 8080", "port = 666", "config.toml line 2: 'server': port 666 is not for libraries"),
        ("days = 30", "days = 0", "config.toml line 6: 'server.policy.days' = 0: input should be"),
        ('id = "io-2"', "", "config.toml line 10: 'modbus.1.id' is missing: add it"),
        ("unit = 2", "unit = 2.5", "config.toml line 12: 'modbus.1.unit' = 2.5: "),
        ("[server]", "[sever]", "config.toml line 2: unknown section 'sever'; there are: library, "),
        ("[[modbus]]", "[modbus]", "config.toml is not valid TOML: "),
        ("port = 8080", "port = ", "config.toml is not valid TOML: invalid value (at line 3, column 8)"),
    ],
)
def test_what_is_wrong_is_said_with_key_line_and_mend(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    assert before in TEXT
    assert said(tmp_path, TEXT.replace(before, after)).startswith(sentence)


@pytest.mark.parametrize("text", ["server = 3\n", "[[server]]\nport = 1\n", "[modbus]\nid = 3\n", "modbus = 'x'\n"])
def test_a_section_of_the_wrong_shape_is_a_sentence(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, text).startswith("config.toml line 1: '")


@pytest.mark.parametrize("line", ["password = 12345", "database = ['postgresql://u:12345@h/n']"])
def test_secrets_are_never_shown(tmp_path: Path, line: str) -> None:
    sentence = said(tmp_path, TEXT.replace("port = 8080", line))
    assert sentence.startswith("config.toml line 3: 'server.")
    assert "12345" not in sentence


def test_files_that_cannot_be_read_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file at .*nowhere\.toml: name one with --config FILE"):
        load(tmp_path / "nowhere.toml", {})
    with pytest.raises(ConfigError, match=f"cannot read {tmp_path}: it is a folder; name a file"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b'[library]\nname = "B\xfccherei"\n')
    with pytest.raises(ConfigError, match=r"cannot read .*latin\.toml: line 2 is not UTF-8; save the file as UTF-8"):
        load(tmp_path / "latin.toml", {})


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load(tmp_path / "config.toml", {}).section("server", Server).port == 8080


# ---------------------------------------------------------------- the environment
@pytest.mark.parametrize(
    ("name", "value", "section", "found"),
    [
        ("CARREL_SERVER__PORT", "9090", "server", {"port": 9090, "policy": {"days": 30}}),
        ("CARREL_SERVER__POLICY__DAYS", "7", "server", {"port": 8080, "policy": {"days": 7}}),
        ("CARREL_LIBRARY__NAME", "Town library", "library", {"name": "Town library"}),
        ("CARREL_LIBRARY__SIMULATED", "true", "library", {"simulated": True}),
        ("CARREL_ROOM__0__NAME", "x", "room", {"0": {"name": "x"}}),
    ],
)
def test_a_variable_overrides_a_key(tmp_path: Path, name: str, value: str, section: str, found: Any) -> None:
    assert read(tmp_path, environ={name: value}).data[section] == found


def test_a_variable_overrides_a_key_of_an_entry(tmp_path: Path) -> None:
    doc = read(tmp_path, environ={"CARREL_MODBUS__1__UNIT": "9"})
    assert [m.unit for m in doc.entries("modbus", Module)] == [1, 9]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("CARREL_SEVER__PORT", "environment variable CARREL_SEVER__PORT: no section 'sever'; there are: "),
        ("CARREL_MODBUS__7__UNIT", "environment variable CARREL_MODBUS__7__UNIT: there is no entry '7'"),
        ("CARREL_MODBUS__X__UNIT", "environment variable CARREL_MODBUS__X__UNIT: there is no entry 'x'"),
        ("CARREL_MODBUS__0", "environment variable CARREL_MODBUS__0: '0' is not a key of a table"),
        ("CARREL_SERVER__PORT__X", "environment variable CARREL_SERVER__PORT__X: 'x' is not a key of a table"),
        ("CARREL_SERVER__PORT__X__Y", "environment variable CARREL_SERVER__PORT__X__Y: there is no entry 'x'"),
    ],
)
def test_a_variable_that_fits_nowhere_is_named(tmp_path: Path, name: str, sentence: str) -> None:
    assert said(tmp_path, TEXT, {name: "1"}).startswith(sentence)


def test_a_wrong_value_is_blamed_on_the_variable_that_set_it(tmp_path: Path) -> None:
    sentence = said(tmp_path, TEXT, {"CARREL_SERVER__PORT": "high"})
    assert sentence.startswith("environment variable CARREL_SERVER__PORT: 'server.port' = 'high': ")


@pytest.mark.parametrize("name", ["PATH", "CARREL_HOME", "carrel_server__port"])
def test_other_variables_are_none_of_our_business(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, environ={name: "1"}).data == read(tmp_path).data


# ---------------------------------------------------------------- lines
def test_the_line_is_that_of_the_key_its_entry_or_its_table() -> None:
    assert find_line(TEXT, ("modbus", 1, "unit")) == 12
    assert find_line(TEXT, ("modbus", 0, "unit")) == 8
    assert find_line(TEXT, ("modbus", 1, "inputs", "smoke")) == 13
    assert find_line(TEXT, ("server", "policy", "days")) == 6
    assert find_line(TEXT, ("nothing",)) is None


def test_every_key_of_the_shipped_file_is_found_in_its_own_line() -> None:
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    doc = load(ROOT / "config.toml", {})
    lines = text.splitlines()
    for section, table in doc.data.items():
        for entry, values in enumerate(table) if isinstance(table, list) else [(None, table)]:
            for key, value in values.items():
                if isinstance(value, dict | list):
                    continue
                line = find_line(text, (section, key) if entry is None else (section, entry, key))
                assert line is not None
                assert lines[line - 1].startswith(f"{key} = "), (section, entry, key)


@given(st.text(), st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=4))
def test_looking_for_a_line_never_fails(text: str, loc: list[str | int]) -> None:
    line = find_line(text, tuple(loc))
    assert line is None or 1 <= line <= len(text.splitlines())
