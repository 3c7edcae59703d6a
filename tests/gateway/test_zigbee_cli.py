"""`carrel zigbee` on the virtual radio's pty: forming is an explicit act, backups come back, also to another radio."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.zigbee.network import admin
from gateway import zigbee_cli
from gateway.control.network import read_roster
from gateway.control.roster import MEMORY, Roster, to_json
from gateway.store import Store
from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.sim import ROOT
from tests.support.zigbee_site import coordinator, named, placed, running, served, site

VENT = "reading-vent"


class Site:
    """A folder with config.toml and a virtual radio."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "config.toml").read_text(encoding="utf-8")
        text = text.replace('path = "var/run/zigbee"', f'path = "{folder}/zigbee"').replace(
            "form = true", "form = false"
        )
        (folder / "config.toml").write_text(text, encoding="utf-8")

    async def run(self, *words: str) -> tuple[int, str]:
        """One command in a thread, as it makes a loop of its own; its code and what it printed."""
        said = io.StringIO()

        def call() -> int:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                return zigbee_cli.main(["--config", str(self.folder / "config.toml"), *words])

        return await asyncio.to_thread(call), said.getvalue()

    def backups(self) -> list[Path]:
        return sorted((self.folder / "var/backups/zigbee").glob("*.json"))

    def store(self) -> Store:
        return Store(self.folder / "var/gateway.db")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[VirtualRadio]:
    async with open_radio(tmp_path, devices=placed(VENT)) as opened:
        yield opened


async def test_forming_is_done_once_and_never_by_accident(tmp_path: Path, home: VirtualRadio) -> None:
    here = Site(tmp_path)
    code, said = await here.run("form")
    assert (code, "a network is formed: channel" in said) == (0, True)
    first = home.network.describe()["pan"]
    code, said = await here.run("form")
    assert (code, "nothing was changed" in said, home.network.describe()["pan"]) == (1, True, first)
    code, said = await here.run("form", "--replace")
    assert (code, "is kept in" in said) == (0, True)
    assert home.network.describe()["pan"] != first
    kept = json.loads(here.backups()[-1].read_text())
    assert kept["network"]["pan_id"] == f"{first:04x}"


async def test_a_backup_brings_network_devices_and_names_to_a_new_radio(tmp_path: Path) -> None:
    here, moved = Site(tmp_path), named(VENT, id="hall-fan", zone="stacks")
    config = site(tmp_path, [moved], database=tmp_path / "var/zigbee.db", backups=tmp_path / "var/backups/zigbee")
    async with open_radio(tmp_path, devices=placed(VENT)) as home:
        seen = Recorder()
        async with running(coordinator(config), seen):
            await served(seen, "hall-fan")
        before = home.network.describe()
        store = here.store()
        store.save(MEMORY, to_json(Roster().named(moved)))
        store.close()
        code, said = await here.run("backup", str(tmp_path / "kept.json"))
        assert code == 0, said
        counter = json.loads((tmp_path / "kept.json").read_text())["network"]["network_key"]["frame_counter"]
    (tmp_path / "nv.json").unlink()  # another radio; the devices keep their memory
    store = here.store()
    store.save(MEMORY, to_json(Roster()))
    store.close()
    async with open_radio(tmp_path, devices=placed(VENT)) as home:
        code, said = await here.run("restore", str(tmp_path / "kept.json"))
        assert (code, "--yes" in said) == (1, True)
        code, said = await here.run("restore", str(tmp_path / "kept.json"), "--yes")
        assert code == 0, said
        after = home.network.describe()
        assert (after["pan"], after["channel"]) == (before["pan"], before["channel"])
        assert home.joined("02:ca:77:e1:00:00:00:08")
        store = here.store()
        assert read_roster(store).entries == {moved.ieee: moved}
        store.close()
        seen = Recorder()
        async with running(coordinator(config), seen):
            await served(seen, "hall-fan")
        await here.run("backup", str(tmp_path / "after.json"))
        ahead = json.loads((tmp_path / "after.json").read_text())["network"]["network_key"]["frame_counter"]
        assert ahead >= counter + admin.COUNTER_AHEAD


async def test_a_blank_radio_is_not_formed_anew_while_there_is_a_backup_of_the_librarys_network(tmp_path: Path) -> None:
    here = Site(tmp_path)
    async with open_radio(tmp_path, devices=()):
        await here.run("form")
        await here.run("backup")
    (tmp_path / "nv.json").unlink()
    (tmp_path / "var/zigbee.db").unlink()
    async with open_radio(tmp_path, devices=()):
        code, said = await here.run("form")
        assert (code, "carrel zigbee restore" in said) == (1, True)
        code, said = await here.run("form", "--replace")
        assert (code, "a network is formed" in said) == (0, True)


async def test_while_the_gateway_runs_the_radio_is_its_own(tmp_path: Path, home: VirtualRadio) -> None:
    here = Site(tmp_path)
    store = here.store()
    try:
        for words in (("form",), ("restore", "x.json", "--yes")):
            (tmp_path / "x.json").write_text("{}")
            code, said = await here.run(*words)
            assert code == 1
        code, said = await here.run("form")
        assert "another gateway is using it" in said
        assert "end `carrel run`" in said
        code, said = await here.run("backup")
        assert (code, "has made no backup yet" in said) == (1, True)
    finally:
        store.close()
    await here.run("form")
    await here.run("backup")
    store = here.store()
    try:
        code, said = await here.run("backup", str(tmp_path / "copy.json"))
        assert (code, "its newest backup is of" in said) == (0, True)
        assert (tmp_path / "copy.json").read_bytes() == here.backups()[-1].read_bytes()
    finally:
        store.close()


async def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    here = Site(tmp_path)
    for words, expected in (
        (("form",), "is the radio plugged in?"),
        (("restore", str(tmp_path / "nothing.json"), "--yes"), "choose another backup"),
    ):
        code, said = await here.run(*words)
        assert (code, expected in said) == (1, True), said
    text = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace(f'path = "{tmp_path}/zigbee"', 'path = ""'))
    code, said = await here.run("list")
    assert (code, "names no radio" in said) == (1, True)


def test_the_configuration_may_be_named_after_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = str(tmp_path / "other.toml")
    for words in (["--config", absent, "list"], ["list", "--config", absent]):
        assert zigbee_cli.main(words) == 1
        assert "other.toml" in capsys.readouterr().err


async def test_the_list_tells_names_where_they_come_from_and_backups(tmp_path: Path) -> None:
    here = Site(tmp_path)
    code, said = await here.run("list")
    assert (code, "reading-th" in said, "backups, newest first: none" in said) == (0, True, True)
    store = here.store()
    store.save(MEMORY, to_json(Roster().named(named("reading-co2")).without(named("out-lux").ieee)))
    store.close()
    _, said = await here.run("list")
    lines = {line.split()[0]: line for line in said.splitlines() if line}
    assert lines["reading-co2"].endswith("page")
    assert lines["reading-th"].endswith("config.toml")
    assert lines["out-lux"].endswith("removed on the page")
