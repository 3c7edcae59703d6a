"""What a kiosk keeps on the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.stations.kiosk.events import Lend, TakeBack
from gateway.stations.kiosk.pending import PendingRequests, Repairs
from gateway.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "gateway.db")
    yield opened
    opened.close()


def test_requests_are_found_again_in_order_with_all_that_they_said(store: Store) -> None:
    before = PendingRequests("kiosk-1", store)
    first = before.keep(Lend("r1", "90000001", {"2": ("E2",), "1": ("E1", "E3")}))
    second = before.mark_undo(before.keep(TakeBack("r2", {"3": ("E4",)})))
    after = PendingRequests("kiosk-1", store).load()
    assert after == (first, second)
    assert list(after[0].items) == ["2", "1"], "the server compares a repeat with what came first"
    assert (after[0].card, after[0].undo, after[1].card, after[1].undo) == ("90000001", False, None, True)


def test_what_is_settled_is_gone(store: Store) -> None:
    requests = PendingRequests("kiosk-1", store)
    first, second = requests.keep(TakeBack("r1", {})), requests.keep(TakeBack("r2", {}))
    requests.settle(first)
    assert PendingRequests("kiosk-1", store).load() == (second,)
    requests.settle(second)
    requests.settle(second)
    assert PendingRequests("kiosk-1", store).load() == ()


def test_kiosks_do_not_know_each_other(store: Store) -> None:
    PendingRequests("kiosk-1", store).keep(TakeBack("r1", {}))
    assert PendingRequests("kiosk-2", store).load() == ()


def test_a_row_that_cannot_be_read_does_not_hinder_the_others(store: Store) -> None:
    good = PendingRequests("kiosk-1", store).keep(TakeBack("r1", {"1": ("E1",)}))
    store.save("kiosk_pending/kiosk-1", [{"an": "older shape"}, *store.load("kiosk_pending/kiosk-1"), "no row"])
    assert PendingRequests("kiosk-1", store).load() == (good,)


def test_a_request_the_disk_does_not_take_is_not_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = PendingRequests("kiosk-1", store)
    with monkeypatch.context() as disk:
        disk.setattr(store, "save", refuse)
        with pytest.raises(sqlite3.Error):
            requests.keep(TakeBack("r1", {}))
    second = requests.keep(TakeBack("r2", {}))
    assert PendingRequests("kiosk-1", store).load() == (second,)


def test_repairs_are_found_again_until_they_are_done(store: Store) -> None:
    repairs = Repairs("kiosk-1", store)
    repairs.add({"E1": True, "E2": False})
    repairs.add({"E1": False})
    repairs.done("E2")
    repairs.done("never heard of")
    assert Repairs("kiosk-1", store).load() == {"E1": False}


def test_a_repair_that_is_on_the_list_already_is_not_written_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    repairs = Repairs("kiosk-1", store)
    repairs.add({"E1": True})
    monkeypatch.setattr(store, "save", refuse)
    repairs.add({"E1": True})
    repairs.done("E2")


def test_a_damaged_repair_list_is_an_empty_one(store: Store) -> None:
    store.save("kiosk_repairs/kiosk-1", ["E1"])
    assert Repairs("kiosk-1", store).load() == {}


def refuse(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")
