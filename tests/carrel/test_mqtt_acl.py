"""The rights file for Mosquitto, from the table of topics."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.cli import main
from carrel.contracts import topics
from carrel.mqtt_acl import acl


def block(text: str, user: str) -> list[str]:
    return text.split(f"user {user}\n")[1].split("\n\n", maxsplit=1)[0].strip().splitlines()


def test_a_gateway_speaks_only_below_its_own_prefix() -> None:
    for line in block(acl("main", "srv", {"gw-1": "edge", "gw-2": "edge-2"}), "edge"):
        assert line.split(" ", 2)[2].startswith("carrel/1/main/gw-1/"), line


def test_every_topic_has_one_sender_but_the_server_may_clear_what_is_retained() -> None:
    text = acl("main", "srv", {"gw-1": "edge"})
    for topic in topics.TOPICS:
        own, all_ = topics.name("main", "gw-1", topic, "+"), topics.name("main", "+", topic, "+")
        edge = {f"topic write {own}", f"topic readwrite {own}"} & set(block(text, "edge"))
        server = {f"topic write {all_}"} & set(block(text, "srv"))
        assert bool(edge) != bool(server) or topic.retained, topic.path


def test_one_user_for_all_has_all_rights_once() -> None:
    text = acl("main", "both", {"gw-1": "both"})
    assert text.count("user both") == 1
    assert "topic read carrel/1/main/+/#" in text
    assert "topic write carrel/1/main/gw-1/telemetry" in text


def test_home_assistant_is_told_of_devices_only_where_wanted() -> None:
    assert "homeassistant" not in acl("main", "srv", {"gw-1": "edge"})
    text = acl("main", "srv", {"gw-1": "e"}, home_assistant="homeassistant")
    assert "topic readwrite homeassistant/device/+/config" in block(text, "e")
    assert "topic readwrite homeassistant/device/+/config" in block(text, "srv")


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(
        '[mqtt]\nembedded = false\nusername = "srv"\n[gateway]\nid = "gw-7"\nmqtt_username = "edge"\n'
    )
    config = ["--config", str(tmp_path / "config.toml")]
    assert main(["mqtt-acl", *config, "--gateway", "gw-8=other"]) == 0
    printed = capsys.readouterr().out
    assert "user srv\n" in printed
    assert "carrel/1/main/gw-7/telemetry" in "".join(block(printed, "edge"))
    assert "carrel/1/main/gw-8/telemetry" in "".join(block(printed, "other"))
    assert main(["mqtt-acl", *config, "--gateway", "gw-8=other", "--out", str(tmp_path / "acl")]) == 0
    assert (tmp_path / "acl").read_text() == printed


@pytest.mark.parametrize("word", ["gw-8", "=x", "gw-8=", "+=x", "GW 8=x", "gw-8=x\ntopic read #"])
def test_a_gateway_written_wrong_is_explained(word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("")
    assert main(["mqtt-acl", "--config", str(tmp_path / "config.toml"), "--gateway", word]) == 1
    assert "ID=USER" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text("")
    file = tmp_path / "no" / "acl"
    assert main(["mqtt-acl", "--config", str(tmp_path / "config.toml"), "--out", str(file)]) == 1
    assert capsys.readouterr().err == f"carrel mqtt-acl: cannot write {file}: No such file or directory\n"
