"""Where the virtual building's ports are found."""

from pathlib import Path

import pytest

from firmware_sim.settings import Port, SettingsError, address, settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_without_any_file() -> None:
    found = settings(environ={})
    assert found.control == Port("127.0.0.1", 18700)
    assert found.io == Port("127.0.0.1", 18702)
    assert found.speed == 60


def test_config_in_the_folder_is_read_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[sim]\ncontrol = "127.0.0.1:4000"\nio_port = 4001\nspeed = 30\n[other]\nx = 1\n'
    )
    found = settings(environ={})
    assert found.control == Port("127.0.0.1", 4000)
    assert found.io.port == 4001
    assert found.speed == 30
    assert settings(environ={"CARREL_SIM__SPEED": "5"}).speed == 5
    assert settings(speed=0, environ={"CARREL_SIM__SPEED": "5"}).speed == 0


def test_environment_beats_config_and_command_line_beats_both(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[sim]\ncontrol = "127.0.0.1:4000"\n')
    environ = {"CARREL_SIM__CONTROL": "127.0.0.1:5000", "CARREL_SIM__IO_PORT": "5001"}
    config = tmp_path / "my.toml"
    assert settings(config=config, environ=environ).control == Port("127.0.0.1", 5000)
    assert settings(config=config, environ=environ).io.port == 5001
    explicit = settings(control="[::1]:6000", io_port=0, config=config, environ=environ)
    assert explicit.control == Port("::1", 6000, explicit=True)
    assert explicit.io == Port("127.0.0.1", 0, explicit=True)


@pytest.mark.parametrize("wrong", ["18700", "host:", ":1", "host:port", "host:70000", 5, None])
def test_wrong_address_is_refused(wrong: object) -> None:
    with pytest.raises(SettingsError):
        address(wrong)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("sim = 3", "sim is not a table"),
        ("[sim", "cannot read"),
        ("[sim]\nio_port = 99999", "99999"),
        ("[sim]\nspeed = 'fast'", "speed 'fast'"),
        ("\xff", "read"),
    ],
)
def test_wrong_config_is_one_sentence(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "config.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsError, match=complaint) as refused:
        settings(environ={})
    assert "\n" not in str(refused.value)


def test_named_config_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot read .*none\.toml: No such file"):
        settings(config=tmp_path / "none.toml", environ={})
