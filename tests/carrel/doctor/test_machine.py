"""What the doctor says of the machine."""

import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carrel.doctor import machine

INSTALLED = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_versions_of_these_tests_are_good() -> None:
    assert [(f.check, f.verdict) for f in machine.versions()] == [
        ("python", "ok"), ("sqlite", "ok"), ("packages", "ok"),
    ]  # fmt: skip


def test_packages_that_are_missing_or_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["nosuch>=1", "sqlalchemy<2", "pydantic>=99.1", "uvicorn[standard]>=0.1,<99", 'theirs>=1; extra == "x"']
    monkeypatch.setattr("importlib.metadata.requires", lambda _: needs)
    found = list(machine.versions())[-1]
    assert found.verdict == "bad"
    said = found.what.split("; ")
    assert said[0] == "nosuch is not installed"
    assert said[1].endswith("Carrel needs <2")
    assert said[2].endswith("Carrel needs >=99.1")
    assert len(said) == 3


@pytest.mark.parametrize(("now", "verdict"), [(timedelta(0), "ok"), (-timedelta(days=2), "bad")])
def test_a_clock_from_before_the_program_was_installed_is_bad(now: timedelta, verdict: str) -> None:
    assert machine.clock(INSTALLED + now, INSTALLED).verdict == verdict


@pytest.mark.parametrize(("said", "verdict"), [("yes", "ok"), ("no", "warn"), ("", "ok")])
def test_a_clock_that_nobody_keeps_right_is_a_warning(
    said: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "timedatectl"
    fake.write_text(f"#!/bin/sh\necho {said}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert machine.time_service().verdict == verdict


def test_a_machine_that_does_not_tell_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.time_service().verdict == "ok"


@pytest.mark.parametrize(("free", "verdict"), [(2 << 30, "ok"), (1 << 29, "warn"), (1 << 20, "bad")])
def test_little_room_warns_and_less_is_bad(
    free: int, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("Usage", "free")(free))
    assert machine.space(tmp_path / "not" / "there").verdict == verdict
