import json
import subprocess
import sys

import pytest

from carrel.cli import main as carrel
from environment.cli import main
from environment.preservation.chemistry import pi

BATCH = [
    {"name": "pi", "input": {"temp_c": 20, "rh_pct": 50}},
    {"name": "twpi", "input": {"samples_h_t_rh": [[1, 20, 50], [1, 25, 60]]}, "expect": 26.37},
    {"name": "mould_critical_rh", "input": {"temp_c": -1, "class": "very"}},
]


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["pi", "temp_c=20", "rh_pct=50"], "44.624148 years"),
        (["twpi", "samples_h_t_rh=[[1,20,50],[1,25,60]]"], "26.369808 years"),
        (["dew_point", "temp_c=-5", "rh_pct=50"], "-13.828852 °C"),
        (["mould_critical_rh", "temp_c=25", "class=medium"], "85 %"),
        (["mould_critical_rh", "temp_c=-5"], "none: mould does not grow at this temperature"),
        (["light_dose", "intervals_h_lux=[[8,300],[2,50]]"], "2500 lx·h"),
    ],
)
def test_a_figure_is_printed_with_its_unit(words, printed, capsys):
    assert carrel(["metrics", *words]) == 0
    assert capsys.readouterr().out == f"{printed}\n"


def test_without_a_name_every_figure_is_listed_with_inputs_and_unit(capsys):
    assert main([]) == 0
    listing = capsys.readouterr().out
    assert "twpi               years" in listing
    assert "temp_c (°C), rh_pct (%), pressure_pa=101325.0 (Pa)" in listing
    assert "humidity_ratio in kg/kg" in listing


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["pi", "temp_c=20", "rh_pct=120"], "rh_pct is 120: give a number from 0 to 100 %"),
        (["pi", "temp_c=NaN", "rh_pct=50"], "temp_c is nan: give a number from -50 to 100 °C"),
        (["pi", "20", "50"], "'20' is not key=value, such as temp_c=20"),
        (["pi", "temp_c=20", "temp_c=21", "rh_pct=50"], "temp_c is given twice: give it once"),
        (["pie"], "there is no metric 'pie'"),
        (["mould_critical_rh", "temp_c=20", "class=wet"], "class is 'wet': give one of"),
        (["twpi", f"samples_h_t_rh={'[' * 20_000}"], "samples_h_t_rh is '[[[["),
        (["twpi", f"samples_h_t_rh={'[' * 20_000}{']' * 20_000}"], "samples_h_t_rh is '[[[["),
        (["pi", f"temp_c={'1' * 5000}", "rh_pct=50"], "which is no number"),
        (["--batch", "/nowhere.json"], "/nowhere.json cannot be read (No such file or directory)"),
        (["pi", "--batch", "x.json"], "give either a name or --batch, not both"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, sentence, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("carrel metrics: ")
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


def test_a_batch_gives_its_values_in_order_in_full_precision(tmp_path, capsys):
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(BATCH))
    assert main(["--batch", str(file)]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == [pi(20, 50), pytest.approx(26.37, abs=0.006), None]
    assert captured.err == ""


def test_a_byte_order_mark_before_a_batch_is_no_mistake(tmp_path, capsys):
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(BATCH[:1]), encoding="utf-8-sig")
    assert main(["--batch", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == [pi(20, 50)]


def test_one_bad_entry_is_null_in_its_place_and_a_sentence(tmp_path, capsys):
    file = tmp_path / "batch.json"
    bad = [{"name": "pi", "input": {"temp_c": 20, "rh_pct": -1}}, "pi", {"name": "pi"}, {"input": {}}]
    file.write_text(json.dumps([*bad, BATCH[0]]))
    assert main(["--batch", str(file)]) == 1
    captured = capsys.readouterr()
    values = json.loads(captured.out)
    assert values[:4] == [None] * 4
    assert values[4] == pytest.approx(44.62, abs=0.01)
    assert captured.err.splitlines() == [
        "carrel metrics: entry 1: rh_pct is -1: give a number from 0 to 100 %",
        'carrel metrics: entry 2: it is not {"name": ..., "input": {...}}',
        'carrel metrics: entry 3: pi has no "input" object',
        'carrel metrics: entry 4: it is not {"name": ..., "input": {...}}',
    ]


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[" * 100_000, "is not JSON"), ('{"name": "pi"}', "holds no list")]
)
def test_a_batch_that_is_no_list_is_refused(text, sentence, tmp_path, capsys):
    file = tmp_path / "batch.json"
    file.write_text(text)
    assert main(["--batch", str(file)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_batch_that_is_no_text_is_refused(tmp_path, capsys):
    file = tmp_path / "batch.json"
    file.write_bytes(b"\xff\xfe\x00")
    assert main(["--batch", str(file)]) == 2
    assert "is not JSON" in capsys.readouterr().err


def test_a_batch_comes_from_standard_input():
    def told(text):
        words = [sys.executable, "-m", "carrel.cli", "metrics", "--batch", "-"]
        return subprocess.run(words, input=text, capture_output=True, encoding="utf-8", timeout=60, check=False)

    for mark in ("", "\ufeff"):
        done = told(mark + json.dumps(BATCH))
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout) == [pi(20, 50), pytest.approx(26.37, abs=0.006), None]
    refused = told("[")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("carrel metrics: standard input is not JSON")
