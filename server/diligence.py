"""What works beside the requests: the loop of a thread that takes jobs from the database, and its words in trouble."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from server.db import AWAY

LOOK_EVERY_S = 0.5
"""How soon a new job is begun by an idle worker."""
TIDY_EVERY_S = 600.0


def work_until(
    stopping: threading.Event, work: Callable[[], bool], tidy: Callable[[], None], *, log: logging.Logger, trouble: str
) -> None:
    """Call `work`, at once again while it finds something to do, and `tidy` at first and now and then.

    Neither ends the loop by raising: `trouble` is logged once, and what was under way is tried again.
    """
    tidied_at: float | None = None
    told = False
    while not stopping.is_set():
        try:
            if tidied_at is None or time.monotonic() - tidied_at > TIDY_EVERY_S:
                tidy()
                tidied_at = time.monotonic()
            if work():
                continue
            told = False
        except Exception as error:  # when the database is back, what was under way is taken up again
            if not told:
                tell(log, trouble, error)
            told = True
        stopping.wait(LOOK_EVERY_S)


def tell(log: logging.Logger, trouble: str, error: Exception) -> None:
    """One sentence about a database that does not answer or takes nothing; a fault of ours with its trace."""
    if isinstance(error, AWAY):
        said = str(getattr(error, "orig", error)).partition("\n")[0]
        log.error("%s: the database does not answer: %s", trouble, said)
    else:
        log.error("%s: this is a fault of ours", trouble, exc_info=error)
