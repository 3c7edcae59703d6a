"""For all tests: a clock to turn, and an eye on log calls."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.clock import ManualClock
from tests.support.log_watch import LogWatch

WATCH = LogWatch()

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of programs are started: our modules are compiled once
sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of a shell's background job, and of all that it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("carrel", deadline=None)  # no test is judged by the time it takes
hypothesis.settings.load_profile("carrel")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: whole programs and pages spend half of their time waiting."""
    return (os.cpu_count() or 1) + 1


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
