"""`carrel gateway`: the edge daemon."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys

import uvloop

from carrel.config import ConfigError, load
from carrel.logging import configure
from carrel.system_clock import SystemClock
from gateway.app import build
from gateway.settings import GatewaySettings, read_settings
from gateway.store import StoreError

GARBAGE_AFTER = 10_000
"""New objects before a search for cycles among them; Python's 700 are made by a few reports."""
SETTLED_S = 30.0
"""By then the Zigbee network with its devices is loaded; later a collection of 200 devices takes 100 ms each time."""


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; 1 when configuration, store or a kiosk's port cannot be used."""
    parser = argparse.ArgumentParser(prog="carrel gateway", description="Radios, readers, I/O modules and kiosk.")
    parser.add_argument("--config", metavar="FILE")
    try:
        settings = read_settings(load(parser.parse_args(argv).config))
        configure(settings.common.log.level, settings.common.log.format)
        check_ports(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # a tenth less processor time
            runner.run(_serve(settings))
    except (ConfigError, StoreError, OSError) as error:
        print(f"carrel gateway: {error}", file=sys.stderr)
        return 1
    return 0


def check_ports(settings: GatewaySettings) -> None:
    """Raises OSError for a kiosk's port that is taken at the start; one lost later is tried again by its station."""
    for kiosk in settings.gateway.kiosk:
        try:
            socket.create_server((kiosk.host, kiosk.port)).close()
        except OSError as error:
            where = f"{kiosk.host}:{kiosk.port}"
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(
                f"kiosk '{kiosk.id}' cannot listen on {where}: {reason}; end the program there or change its port"
            ) from None


def keep_what_is_there() -> None:
    """Programs, settings and the network's devices stay: looking at them again and again would stop everything.

    Nearly all that comes and goes with each report is freed at once, so cycles need be looked for but seldom; then soon
    in all that is left, which is little, or what the seldom looks have missed would stay for hours.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 2, 2)


async def _serve(settings: GatewaySettings) -> None:
    gateway = build(settings, SystemClock())
    keep_what_is_there()
    work = asyncio.ensure_future(gateway.run())
    loop = asyncio.get_running_loop()
    loop.call_later(SETTLED_S, keep_what_is_there)

    def stop() -> None:
        """End in order; a second signal must not interrupt that."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, lambda: None)
        work.cancel()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop)
    try:
        await work
    except asyncio.CancelledError:
        return
