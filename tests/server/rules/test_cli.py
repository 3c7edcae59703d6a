"""`carrel dry-run rules` and `carrel rules`, as typed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from carrel.cli import main
from environment.rulebook.presets import PRESETS

RULE = {
    "id": "hot",
    "zone": "r",
    "when": {"metric": "temp", "above": 26, "hysteresis": 1},
    "actuators": ["ac"],
    "set": 1,
}
CONFIG: dict[str, Any] = {
    "tick_s": 10,
    "stale_after_s": 300,
    "sensor": [{"id": "t", "zone": "r", "metric": "temp"}],
    "actuator": [{"id": "ac", "type": "switch", "zone": "r"}],
    "rule": [RULE],
}
CASE = {"config": CONFIG, "samples": [[5, "t", 27], [20, "t", 20]], "end_s": 60}
ANSWER = [[5, "ac", 1, "hot"], [20, "ac", 0, "default"]]


def write(folder: Path, content: Any, name: str = "case.json") -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


def test_one_case_is_one_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", "rules", write(tmp_path, CASE)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == ANSWER
    assert (out.count("\n"), err) == (1, "")


def test_a_list_of_cases_is_one_array_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", "rules", write(tmp_path, [CASE, CASE | {"end_s": 10}, CASE | {"samples": []}])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [ANSWER, ANSWER[:1], []]


def test_a_list_of_one_is_one_line_and_an_empty_one_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", "rules", write(tmp_path, [CASE])]) == 0
    assert json.loads(capsys.readouterr().out) == ANSWER
    assert main(["dry-run", "rules", write(tmp_path, [])]) == 0
    assert capsys.readouterr().out == ""


def test_notes_go_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", "rules", write(tmp_path, [CASE | {"about": "x"}])]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == ANSWER
    assert err == "carrel dry-run: case 1 of 1: the key 'about' means nothing here and is left out\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not valid JSON, line 1 column 2: Expecting property name"),
        ("[" * 100_000, "is nested too deeply"),
        ("7", "a case is an object"),
        ('{"config": {}, "end_s": ' + "1" * 5000 + "}", "holds a number of thousands of digits"),
        ([CASE, {"config": CONFIG}], "case 2 of 2: 'end_s' is missing: add it"),
        ([CASE, CASE | {"timezone": "Moon/Sea"}], "case 2 of 2: 'timezone' = 'Moon/Sea': no such time zone"),
        (CASE | {"config": CONFIG | {"rule": [RULE | {"set": 5}]}}, "rule hot: ac is a switch and takes 0 or 1, not 5"),
    ],
)
def test_a_bad_file_is_one_sentence_and_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, sentence: str
) -> None:
    assert main(["dry-run", "rules", write(tmp_path, content)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1


def test_a_missing_file_and_one_that_is_no_text_are_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "x.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for name, sentence in ((tmp_path / "no.json", "there is no file"), (binary, "cannot read"), (tmp_path, "cannot")):
        assert main(["dry-run", "rules", str(name)]) == 2
        assert sentence in capsys.readouterr().err


def test_a_missing_file_of_rules_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path, LIBRARY, "config.toml")
    assert main(["rules", "lint", "--config", config, str(tmp_path / "no.toml")]) == 2
    assert "no.toml: name an existing one" in capsys.readouterr().err


def test_rules_without_samples_say_what_to_add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dry-run", "rules", write(tmp_path, "", "rules.toml")]) == 2
    assert "add --stored FROM TO" in capsys.readouterr().err


# ---------------------------------------------------------------- rules lint
LIBRARY = """
[environment]
[[environment.sensor]]
id = "t"
zone = "r"
metric = "temp"
device = "th-1"
[[environment.actuator]]
id = "ac"
type = "switch"
zone = "r"
device = "ac-1"
"""
RULE_TOML = """
[[environment.rule]]
id = "hot"
zone = "r"
when = { metric = "temp", above = 26.0 }
actuators = ["ac"]
set = 1
"""


def test_lint_names_what_is_odd_and_is_silent_about_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write(tmp_path, LIBRARY, "config.toml")
    odd = write(tmp_path, RULE_TOML, "odd.toml")
    sound = write(tmp_path, RULE_TOML.replace("26.0", "26.0, hysteresis = 1.0"), "sound.toml")
    assert main(["rules", "lint", "--config", config, odd]) == 1
    assert capsys.readouterr().out.startswith("no_hysteresis: The condition of 'hot' has no hysteresis")
    assert main(["rules", "lint", "--config", config, sound]) == 0
    assert capsys.readouterr().out == "1 rule, nothing to remark\n"
    assert main(["rules", "lint", "--config", config]) == 0
    assert main(["rules", "lint", "--config", config, write(tmp_path, {"config": {"rule": [RULE]}})]) == 0


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (RULE_TOML.replace('"ac"', '"lift"'), "x.toml", "rule hot: unknown actuator 'lift' (there are: ac)"),
        ("[library]\n", "x.toml", "has no [environment] section"),
        ("[environment", "x.toml", "is not valid TOML"),
        ("[]", "x.json", "holds no rules"),
        (json.dumps({"config": {"rule": [RULE | {"zone": "attic"}]}}), "x.json", "rule hot: no sensor in zone 'attic'"),
        ('{"config": {"rule": [7]}}', "x.json", "'config.rule.0' = 7"),
    ],
)
def test_a_bad_file_of_rules_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, name: str, sentence: str
) -> None:
    config = write(tmp_path, LIBRARY, "config.toml")
    assert main(["rules", "lint", "--config", config, write(tmp_path, content, name)]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


# ---------------------------------------------------------------- rules presets
def test_presets_are_listed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "presets"]) == 0
    listed = capsys.readouterr().out
    assert all(preset.name in listed for preset in PRESETS)
    assert main(["rules", "presets", "mixed-paper"]) == 0
    printed = capsys.readouterr().out
    assert "Status: figures read" in printed
    assert [rule["id"] for rule in tomllib.loads(printed)["environment"]["rule"]] == [
        "ROOM-cool", "ROOM-heat", "ROOM-purge", "ROOM-dry"
    ]  # fmt: skip


def test_a_preset_for_a_room_names_its_actuators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write(tmp_path, LIBRARY, "config.toml")
    assert main(["rules", "presets", "mixed-paper", "--zone", "r", "--config", config]) == 0
    (rule,) = tomllib.loads(capsys.readouterr().out)["environment"]["rule"]
    assert (rule["zone"], rule["actuators"]) == ("r", ["ac"])


def test_an_unknown_preset_or_room_is_told_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "presets", "paper"]) == 2
    assert "there is no preset 'paper'; there are: mixed-paper" in capsys.readouterr().err
    config = write(tmp_path, LIBRARY, "config.toml")
    assert main(["rules", "presets", "mixed-paper", "--zone", "attic", "--config", config]) == 2
    assert "zones with actuators: r" in capsys.readouterr().err


def test_a_preset_without_figures_is_a_note_to_begin_with_and_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "presets", "en-16893"]) == 0
    printed = capsys.readouterr().out
    assert tomllib.loads(printed) == {}
    assert "carrel rules presets mixed-paper" in printed
    config = write(tmp_path, LIBRARY, "config.toml")
    assert main(["rules", "lint", "--config", config, write(tmp_path, printed, "en.toml")]) == 0
    assert capsys.readouterr().out == "0 rules, nothing to remark\n"
