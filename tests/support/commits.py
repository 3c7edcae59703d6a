"""How often a library has committed."""

from __future__ import annotations

import pytest

from server.db.transaction import Transaction


def counting_commits(monkeypatch: pytest.MonkeyPatch) -> list[Transaction]:
    """Grows by each transaction that ends well from now on."""
    ended: list[Transaction] = []
    end_well = Transaction.end_well

    def count(transaction: Transaction) -> None:
        ended.append(transaction)  # before: who has the answer finds it counted
        end_well(transaction)

    monkeypatch.setattr(Transaction, "end_well", count)
    return ended
