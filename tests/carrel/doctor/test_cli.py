"""`carrel doctor`, as somebody at the machine runs it."""

import json
from pathlib import Path

import pytest

from carrel.cli import main
from tests.support.ports import free_port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    lines = ["[server]", f"port = {free_port()}", "[server.sip2]", "enabled = false", "[mqtt]", f"port = {free_port()}"]
    file.write_text("\n".join(lines))
    return file


def test_a_library_that_never_ran_is_well(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--config", str(config)])
    told = capsys.readouterr().out
    assert code == 0, told
    assert told.splitlines()[0].startswith("ok    config")
    assert told.splitlines()[-1].endswith("0 bad")
    assert sorted(p.name for p in config.parent.iterdir()) == ["config.toml"]  # nothing was made


def test_what_is_bad_has_its_mend_and_the_exit_code_tells(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + '\n[zigbee]\npath = "/dev/nothing-there"\n')
    assert main(["doctor", "--json", "--config", str(config)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "bad"
    (found,) = [f for f in told["findings"] if f["verdict"] == "bad"]
    assert found["check"] == "devices"
    assert "/dev/nothing-there is not there" in found["what"]
    assert found["mend"]
    assert main(["doctor", "--config", str(config)]) == 1
    assert "-> plug it in" in capsys.readouterr().out


def test_a_mistake_in_the_configuration_is_told_once_and_the_rest_is_still_looked_at(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text() + "\n[gateway]\ncolour = 1\n")
    assert main(["doctor", "--json", "--config", str(config)]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert ["unknown key 'gateway.colour'" in f["what"] for f in findings if f["verdict"] == "bad"] == [True]
    assert {"database", "broker", "space"} <= {f["check"] for f in findings}


def test_no_configuration_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
    assert capsys.readouterr().out.startswith("bad   config")
