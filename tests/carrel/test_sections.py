"""The sections that every program reads."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from carrel.config import ConfigError, Document, load
from carrel.sections import Placed, SimConfig, placed, read_common
from tests.support.tree import ROOT


def doc(folder: Path, text: str) -> Document:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder / "config.toml", {})


def test_the_shipped_file_is_read(tmp_path: Path) -> None:
    common = read_common(load(ROOT / "config.toml", {}))
    assert common.library.zone == ZoneInfo("Asia/Shanghai")
    assert [room.id for room in common.rooms] == ["reading-room", "stacks", "out"]
    assert placed(common.floors[0].plan) == (
        Placed("reading-room", 1, 1, 3, 3),
        Placed("stacks", 4, 1, 2, 2),
        Placed("hall", 4, 3, 2, 1),
    )
    assert common.mqtt.port == 18830
    assert common.var == ROOT / "var"


def test_an_empty_file_has_defaults(tmp_path: Path) -> None:
    common = read_common(doc(tmp_path, ""))
    assert (common.library.branch, common.log.level, common.rooms) == ("main", "info", ())
    assert common.var == tmp_path / "var"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[library]\ntimezone = "Mars/Olympus"', "line 2: 'library.timezone' = 'Mars/Olympus': no such time zone"),
        ('[library]\ntimezone = "../etc/passwd"', "no such time zone"),
        ('[library]\nbranch = "Main Street"', "line 2: 'library.branch' = 'Main Street'"),
        ('[library]\nlanguage = "fr"', "line 2: 'library.language' = 'fr'"),
        (
            '[library]\nopening = [{ from = "21:00", to = "08:30", days = ["mon"] }]',
            "line 2: 'library.opening.0': write an opening time that lies before the closing time",
        ),
        ('[library]\nopening = [{ from = "9", to = "17:00", days = ["mon"] }]', "library.opening.0.from"),
        ('[log]\nlevel = "loud"', "line 2: 'log.level' = 'loud'"),
        ("[mqtt]\nport = 70000", "line 2: 'mqtt.port' = 70000"),
        ('[mqtt]\npassword = "x"', "line 1: 'mqtt': a password without a username keeps nobody out"),
        ('[mqtt]\nusername = "a:b"', "the username must not have a colon"),
        ('[[room]]\nid = "a"\nname = "A"\ntemp = [26.0, 20.0]', "line 4: 'room.0.temp': write the lower end"),
        ('[[room]]\nid = "a"\nname = "A"\ntemp = [20.0]', "line 4: 'room.0.temp.1' is missing"),
        ('[[floor]]\nname = "0"\nplan = ["a b", "a"]', "line 3: 'floor.0.plan': write as many names in each line"),
        ('[[floor]]\nname = "0"\nplan = ["a a", "a b"]', "the squares of 'a' are no rectangle"),
        ('[[floor]]\nname = "0"\nplan = ["a b a"]', "the squares of 'a' are no rectangle"),
        ('[[floor]]\nname = "0"\nplan = ["hall"]', "line 3: 'floor.0.plan': 'hall' is neither a [[room]] nor"),
        ('[[room]]\nid = "a"\nname = "A"\n[[room]]\nid = "a"\nname = "B"', "line 5: 'a' is the id of two entries"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read_common(doc(tmp_path, text))
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    "line",
    ['control = "18700"', 'control = "127.0.0.1:99999"', "io_port = 0", "speed = -1", "sped = 60", "speed = nan"],
)
def test_a_wrong_sim_section_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=r"^config\.toml line 2: "):
        doc(tmp_path, f"[sim]\n{line}").section("sim", SimConfig)


def test_the_control_address_is_taken_apart() -> None:
    assert SimConfig(control="127.0.0.1:18700").control_address == ("127.0.0.1", 18700)
