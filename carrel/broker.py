"""`carrel broker`: the built-in MQTT broker of a one-machine library (amqtt, MQTT 3.1.1).

It keeps retained messages in memory only and queues nothing for absent clients; gateway and server do not rely on
either. A larger library points `[mqtt]` at Mosquitto instead.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carrel.config import ConfigError, load
from carrel.logging import configure
from carrel.sections import Common, MqttConfig, read_common

if TYPE_CHECKING:
    from amqtt.broker import Broker

log = logging.getLogger(__name__)

END_WITHIN_S = 2.0


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; 1 when the port is taken or the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="carrel broker", description="The built-in MQTT broker.")
    parser.add_argument("--config", metavar="FILE")
    try:
        common = read_common(load(parser.parse_args(argv).config))
        configure(common.log.level, common.log.format)
        asyncio.run(serve(common))
    except (ConfigError, OSError) as error:
        print(f"carrel broker: {error}", file=sys.stderr)
        return 1
    return 0


async def serve(common: Common) -> None:
    """Run the broker until a signal; raises OSError when the port cannot be bound."""
    from amqtt.broker import Broker  # noqa: PLC0415  # slow to import; `carrel` itself stays instant
    from amqtt.errors import AMQTTError  # noqa: PLC0415

    where = f"{common.mqtt.host}:{common.mqtt.port}"
    try:  # amqtt says it in a page of traces
        socket.create_server((common.mqtt.host, common.mqtt.port)).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(f"cannot listen on {where}: {reason}; end the program there or change [mqtt] port") from None
    with ExitStack() as kept:
        secret = common.mqtt.username and kept.enter_context(tempfile.TemporaryDirectory(prefix="carrel-broker-"))
        broker = Broker(settings(common.mqtt, Path(secret)))
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        try:
            await broker.start()
        except AMQTTError as error:
            raise OSError(f"cannot listen on {where}: {error}") from error
        await stop.wait()
        await end(broker)


async def end(broker: Broker) -> None:
    """Stop; amqtt may wait for ever for a client that leaves in the same moment, so not longer than END_WITHIN_S."""
    try:
        async with asyncio.timeout(END_WITHIN_S):
            await broker.shutdown()
    except TimeoutError:
        log.warning("a client was in the way of an orderly end")


def settings(mqtt: MqttConfig, folder: Path) -> dict[str, Any]:
    """amqtt's configuration; with a user name only that user may connect (password file in `folder`)."""
    plugins: dict[str, dict[str, Any]] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    if mqtt.username:
        from pwdlib.hashers.argon2 import Argon2Hasher  # noqa: PLC0415  # amqtt's own dependency

        file = folder / "passwords"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(f"{mqtt.username}:{Argon2Hasher().hash(mqtt.password)}\n")
        plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(file)}}
    return {
        "listeners": {"default": {"type": "tcp", "bind": f"{mqtt.host}:{mqtt.port}"}},
        "plugins": plugins,
    }
