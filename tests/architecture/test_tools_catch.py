"""The tools of `make check` do fail: each is shown a planted violation in a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tree import PACKAGES, ROOT

BIN = Path(sys.executable).parent
IMPORT_BREACHES = {
    "server/planted.py": "import gateway\n",
    "devices/planted.py": "import rfid\n",
    "carrel/planted.py": "import server\n",
    "environment/planted.py": "import asyncio\n",
    "firmware-sim/firmware_sim/planted.py": "import carrel\n",
    "gateway/planted.py": "import firmware_sim\n",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product's Python files and settings."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("vendor", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = f"{copy}:{copy / 'firmware-sim'}"
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=copy, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.parametrize("breach", IMPORT_BREACHES)
def test_import_linter_catches(breach: str, copy: Path) -> None:
    (copy / breach).write_text('"""Planted."""\n' + IMPORT_BREACHES[breach])
    done = run(copy, "lint-imports", "--no-cache")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "planted" in done.stdout


def test_mypy_catches_an_unannotated_function(copy: Path) -> None:
    (copy / "rfid" / "planted.py").write_text('"""Planted."""\n\n\ndef f(x):\n    return x + 1\n')
    done = run(copy, "mypy", "--follow-imports=silent", "rfid/planted.py")
    assert "rfid/planted.py:4: error" in done.stdout


def test_ruff_catches_a_naive_datetime(copy: Path) -> None:
    (copy / "rfid" / "planted.py").write_text(
        '"""Planted."""\n\nfrom datetime import datetime\n\nNOW = datetime.now()\n'
    )
    done = run(copy, "ruff", "check", "--no-cache", "rfid")
    assert done.returncode == 1
    assert "DTZ005" in done.stdout
