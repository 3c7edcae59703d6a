"""`carrel backup` and `carrel restore`, as somebody at the machine runs them."""

import os
import signal
from pathlib import Path
from types import ModuleType

import pytest

from carrel.cli import main
from carrel.config import load
from gateway.settings import GatewayConfig, ZigbeeConfig
from server.backup import rebuilding, restoring, tables
from server.backup.site import read_site
from tests.support.drill import Place, back_up
from tests.support.library import TOKEN

pytestmark = pytest.mark.parametrize("databases", ["sqlite"], indirect=True)


def test_a_library_is_moved_to_another_machine(
    house: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "library.backup")
    assert main(["backup", file, "--config", str(house.config)]) == 0
    told = capsys.readouterr()
    assert "tables with" in told.out
    assert "sha256 " in told.out
    assert "tables/loan.jsonl: 2 rows" in told.err

    monkeypatch.setenv("CARREL_SERVER__DATABASE", f"sqlite:///{tmp_path}/new/library.db")
    config = str(tmp_path / "new" / "config.toml")
    assert main(["restore", file, "--config", config]) == 0
    told = capsys.readouterr()
    assert "loan                             2 rows of 2" in told.out
    assert "audit log in order: " in told.out
    assert "12 titles in the search" in told.out
    assert (tmp_path / "new" / "token").read_text() == TOKEN
    assert main(["restore", file, "--config", config]) == 1
    assert "there is a library here already" in capsys.readouterr().err
    assert main(["restore", file, "--config", config, "--force"]) == 0


def test_what_cannot_be_done_is_one_sentence(house: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(house.config)
    assert main(["backup", str(tmp_path / "no" / "b"), "--config", config]) == 1
    assert main(["restore", str(tmp_path / "none"), "--config", config]) == 1
    (tmp_path / "text").write_text("hello")
    assert main(["restore", str(tmp_path / "text"), "--config", config]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == f"carrel backup: there is no folder {tmp_path / 'no'}, nothing was written: make it first"
    assert lines[1] == f"carrel restore: {tmp_path / 'none'}: No such file or directory; nothing was changed"
    assert "no whole backup" in lines[2]


@pytest.mark.parametrize(
    ("words", "during", "left"),
    [
        ("backup", (tables, "rows_out"), "nothing was changed"),
        ("restore --force", (rebuilding, "_check_references"), "nothing was changed"),
        ("restore --force", (rebuilding, "put"), "the library is restored;"),
        ("restore --force", (restoring, "reindex"), "the library is restored;"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_told_to_end_tidies_up_and_says_what_is_left(
    house: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    words: str, during: tuple[ModuleType, str], left: str, number: signal.Signals,
) -> None:  # fmt: skip
    library = Path(house.url.removeprefix("sqlite:///"))
    monkeypatch.setenv("CARREL_SERVER__DATABASE", house.url)
    back_up(house, tmp_path / "b")
    before = {file: file.read_bytes() for file in (tmp_path / "b", library)}
    module, name = during
    work = getattr(module, name)

    def told_to_end(*given: object) -> object:
        os.kill(os.getpid(), number)
        return work(*given)

    monkeypatch.setattr(module, name, told_to_end)
    command, *options = words.split()
    assert main([command, str(tmp_path / "b"), *options, "--config", str(house.config)]) == 128 + number
    assert f"\ncarrel {command}: ended; {left}" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert [p for p in (*tmp_path.rglob("*.restoring*"), *tmp_path.glob(".*")) if p.is_file()] == []
    assert not house.site.unfinished.exists()
    if left == "nothing was changed":
        assert {file: file.read_bytes() for file in before} == before


def test_paths_without_a_configuration_are_those_of_the_gateway(house: Place) -> None:
    site = read_site(load(house.config, {}))
    assert site.gateway == house.folder / GatewayConfig().store
    assert site.zigbee == house.folder / ZigbeeConfig().database
    assert site.zigbee_backups == house.folder / ZigbeeConfig().backups
