"""An uplink that does not take its time."""

from __future__ import annotations

import pytest

from gateway.relay import uplink as module


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(module, "LAST_RETRY_S", 0.1)
    monkeypatch.setattr(module, "CONFIRM_WITHIN_S", 0.2)
    monkeypatch.setattr(module, "GATHER_S", 0.02)
