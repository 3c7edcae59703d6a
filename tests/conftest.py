"""For all tests: a clock to turn, and an eye on log calls."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.support.clock import ManualClock
from tests.support.log_watch import LogWatch

WATCH = LogWatch()

hypothesis.settings.register_profile("carrel", deadline=None)  # no test is judged by the time it takes
hypothesis.settings.load_profile("carrel")


JOURNEYS = "tests/journeys/"


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: whole programs and pages spend some of their time waiting."""
    return (os.cpu_count() or 1) + 1


class Scheduling(LoadFileScheduling):
    """A file's tests stay together. So does every other journey: they wait more than they work, and share a library."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._journeys: dict[str, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        if not file.startswith(JOURNEYS):
            return file
        return self._journeys.setdefault(file, f"{JOURNEYS}{len(self._journeys) % 2}")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Files in the order of `pytest_collection_modifyitems`, not by how many tests they hold."""
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that at the end no worker is waited for."""
    items.sort(key=lambda item: (not item.nodeid.startswith(JOURNEYS), not _takes_long(item)))


def _takes_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("process", "browser", "long"))


def pytest_configure(config: pytest.Config) -> None:
    """Our debug calls are made, so that LogWatch can try them; reports and `caplog` show warnings, as without it."""
    WATCH.install()
    if config.option.log_level is None:
        config.option.log_level = "WARNING"


@pytest.fixture(autouse=True)
def _log_calls_are_well_formed() -> Iterator[None]:
    """Fail a test in which a log call could not be formatted."""
    WATCH.malformed.clear()
    yield
    assert not WATCH.malformed, "malformed log calls:\n" + "\n".join(WATCH.malformed)


@pytest.fixture
def clock() -> ManualClock:
    """Time as an argument; stands still until the test turns it."""
    return ManualClock()
