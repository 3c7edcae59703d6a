"""Wire to wire: from a report's bytes on the pty to the command's bytes on the pty, Carrel beside bare zigpy.

Both sides start from copies of one network, so the same devices report the same to both.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.bench import hosts
from tests.bench.figures import Figure
from tests.bench.hosts import Side
from tests.bench.site import make_site

RATIO_MOST = 1.5
BLOCK = 20
WARM_UP = 3  # blocks that do not count


def measure(folder: Path, samples: int) -> list[Figure]:
    """The figures of `samples` reports on each side; raises BenchError."""
    first = make_site(folder / "carrel")
    with ExitStack() as stack:
        hosts.building(stack, first)
        hosts.broker(stack, first)
        hosts.gateway(stack, first, fresh=True)
    second = make_site(folder / "bare")
    hosts.copied(first, second)
    with ExitStack() as stack:
        hosts.building(stack, first)
        hosts.building(stack, second)
        hosts.broker(stack, first)
        carrel = Side(first, hosts.gateway(stack, first, fresh=False))
        bare = Side(second, hosts.bare_zigpy(stack, second))
        hosts.in_turns(carrel, bare, blocks=max(1, round(samples / BLOCK)), samples=BLOCK, warm_up=WARM_UP)
    figures = hosts.time_figures(carrel, bare, most=RATIO_MOST)
    figures.append(Figure("processor time per report", carrel.cpu_ms, "ms", bare.cpu_ms))
    return figures
