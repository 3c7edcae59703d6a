"""A real broker for the gateway's own tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker, running_broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    with running_broker() as made:
        yield made
