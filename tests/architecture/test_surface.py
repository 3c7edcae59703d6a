"""What other people's programs see is written down where the rules say so."""

from __future__ import annotations

import re

from carrel import cli
from carrel.config import SECTIONS, load
from carrel.contracts import topics
from gateway.links.registry import LINK_FACTORIES
from tests.support.tree import ROOT

VECTORS = {"znp": "unpi", "bellows": "", "modbus": "modbus", "feig": "feig"}
SIMULATED = {"znp": "zigbee", "bellows": "", "modbus": "modbus", "feig": "rfid"}


def test_every_section_of_the_configuration_is_in_the_shipped_file() -> None:
    assert set(load(ROOT / "config.toml", {}).data) == set(SECTIONS)


def test_every_key_of_the_shipped_file_is_explained_where_it_first_stands() -> None:
    seen, silent = set(), []
    explained = False
    for line in (ROOT / "config.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            table = line.split("]")[0].strip("[] ")
            explained = "#" in line
        elif line.startswith("#"):
            explained = True
        elif key := re.match(r"([\w-]+) = ", line):
            name = (table, key[1])
            obvious = key[1] in ("id", "zone", "name", "name_zh", "mode", "module", "input", "device", "metric")
            if name not in seen and "#" not in line and not obvious and not explained:
                silent.append(name)
            seen.add(name)
    assert silent == []


def test_every_topic_is_parsed_back_to_itself() -> None:
    for topic in topics.TOPICS:
        address = topics.parse(topics.name("main", "gw-1", topic, "x"))
        assert address is not None
        assert address.topic is topic


def test_every_kind_of_link_has_a_simulator_and_vectors() -> None:
    for kind in LINK_FACTORIES:
        assert kind in SIMULATED, f"{kind}: no simulator"
        if SIMULATED[kind]:
            assert (ROOT / "firmware-sim/firmware_sim" / SIMULATED[kind]).is_dir()
            assert (ROOT / "tests/vectors" / f"{VECTORS[kind]}.toml").is_file()


def test_every_command_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in cli.COMMANDS if f"carrel {name}" not in readme] == []
