"""One running library for the journeys that leave it as they found it; the others start their own. And a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import browser
from tests.support.programs import Library, library, settled

__all__ = ["browser", "running"]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """All programs, every device joined."""
    with library(tmp_path_factory.mktemp("library")) as found:
        settled(found)
        yield found
