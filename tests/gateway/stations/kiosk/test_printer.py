"""Receipts as files: whole, kept for a day, and never in the way of a loan."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.stations.kiosk.printer import KEPT_S, ReceiptFolder

AT = datetime(2026, 3, 2, 20, 5, 9, 42_000, tzinfo=UTC)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def sizes(folder: Path) -> set[int]:
    """Of the receipts that a print queue would take now."""
    return {file.stat().st_size for file in folder.glob("*.txt")}


def aged(file: Path, seconds: float) -> Path:
    """A file written so long ago."""
    file.write_text("an old receipt")
    os.utime(file, (time.time() - seconds,) * 2)
    return file


async def test_a_receipt_is_a_file_named_by_kiosk_and_instant(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    await ReceiptFolder("kiosk-1", folder).write("红楼梦\n", AT)
    assert names(folder) == ["kiosk-1-20260302T200509-042.txt"]
    assert (folder / "kiosk-1-20260302T200509-042.txt").read_text(encoding="utf-8") == "红楼梦\n"


async def test_two_receipts_of_one_second_are_two_files(tmp_path: Path) -> None:
    printer = ReceiptFolder("kiosk-1", tmp_path)
    await printer.write("one", AT)
    await printer.write("two", AT + timedelta(milliseconds=1))
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["one", "two"]


async def test_whoever_waits_for_a_receipt_sees_it_whole(tmp_path: Path) -> None:
    text = "a long receipt\n" * 200_000
    writing = asyncio.create_task(ReceiptFolder("kiosk-1", tmp_path).write(text, AT))
    seen: set[int] = set()
    while not writing.done():
        seen |= sizes(tmp_path)
        await asyncio.sleep(0)
    await writing
    assert seen <= {len(text)}
    assert (tmp_path / names(tmp_path)[0]).read_text() == text
    assert len(names(tmp_path)) == 1, "no half receipt is left"


async def test_without_a_folder_nothing_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await ReceiptFolder("kiosk-1", None).write("text", AT)
    assert names(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_logged_and_does_not_raise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "receipts"
    in_the_way.write_text("a file")
    await ReceiptFolder("kiosk-1", in_the_way / "today").write("Card ending in 0001", AT)
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    assert "kiosk kiosk-1: no receipt written" in record.getMessage()
    assert "0001" not in caplog.text


async def test_receipts_older_than_a_day_go_and_nothing_else_does(tmp_path: Path) -> None:
    gone = aged(tmp_path / "kiosk-1-20260228T100000-000.txt", KEPT_S + 60)
    kept = [
        aged(tmp_path / "kiosk-1-20260302T100000-000.txt", KEPT_S - 60),
        aged(tmp_path / "kiosk-2-20260228T100000-000.txt", KEPT_S + 60),
        aged(tmp_path / "notes.txt", KEPT_S + 60),
    ]
    await ReceiptFolder("kiosk-1", tmp_path).write("new", AT)
    assert not gone.exists()
    assert all(file.exists() for file in kept)
    assert len(names(tmp_path)) == 4


async def test_a_print_queue_may_take_a_receipt_away_at_any_moment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kiosk-1-20260228T100000-000.txt").symlink_to(tmp_path / "taken")  # listed, and gone when looked at
    await ReceiptFolder("kiosk-1", tmp_path).write("new", AT)
    assert caplog.records == []
