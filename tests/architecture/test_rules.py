"""The house keeps its rules, and each rule is shown to catch a breach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.support.tree import ROOT, Module, modules

Rule = Callable[[list[Module]], list[str]]

LONG = '"""Doc."""\n' + "X = 1\n" * 400
LONG_FUNCTION = '"""Doc."""\n\n\ndef f() -> None:\n    """Doc."""\n' + "    print()\n" * 40
PLANTED: list[tuple[Rule, dict[str, str]]] = [
    (rules.too_long, {"rfid/long.py": LONG}),
    (rules.too_long, {"rfid/f.py": LONG_FUNCTION}),
    (rules.too_full, {f"rfid/m{n}.py": '"""Doc."""\n' for n in range(13)}),
    (rules.borrowed_tables, {"server/rooms/service.py": '"""Doc."""\nfrom server.patrons.models import Patron\n'}),
    (rules.borrowed_tables, {"server/rooms/x.py": '"""Doc."""\nfrom server.patrons import repository\n'}),
    (rules.upside_down, {"server/rooms/service.py": '"""Doc."""\nfrom server.rooms.endpoints import router\n'}),
    (rules.upside_down, {"server/rooms/policy.py": '"""Doc."""\nimport sqlalchemy\n'}),
    (rules.undocumented, {"rfid/x.py": "def f() -> None: ...\n"}),
]


@pytest.mark.parametrize(
    "rule", [rules.too_long, rules.too_full, rules.borrowed_tables, rules.upside_down, rules.undocumented]
)
def test_the_tree_keeps(rule: Rule) -> None:
    assert rule(modules()) == []


@pytest.mark.parametrize(("rule", "files"), PLANTED, ids=lambda v: getattr(v, "__name__", ""))
def test_a_planted_breach_is_caught(rule: Rule, files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert rule(modules(tmp_path))


def test_no_folder_outside_the_plan_holds_python(tmp_path: Path) -> None:
    assert rules.stray_packages(ROOT) == []
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "x.py").write_text("")
    assert rules.stray_packages(tmp_path) == ["utils"]
