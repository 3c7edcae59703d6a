"""`carrel mqtt-acl`: who may say and hear what on a Mosquitto broker, as its acl_file wants it (mosquitto.conf(5))."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from carrel.config import ConfigError, Document, load
from carrel.contracts import topics
from carrel.sections import read_common

GATEWAY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
"""An id as topics carry it; a wildcard here would be a right to every gateway's topics."""
SERVER = "carrel-server"
"""The server's user where `[mqtt]` names none."""

HEAD = """\
# Rights of Carrel's programs on this broker, written by `carrel mqtt-acl`.
# In mosquitto.conf: acl_file THIS_FILE, password_file FILE, allow_anonymous false; names and passwords are made
# with mosquitto_passwd. The same names and passwords go into config.toml: the server's as [mqtt] username and password,
# the gateway's as [gateway] mqtt_username and mqtt_password.
"""


def main(argv: list[str]) -> int:
    """Print the file, or write it; 1 when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="carrel mqtt-acl", description="Users' rights for a Mosquitto broker.")
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--gateway", metavar="ID=USER", action="append", default=[], help="one more gateway")
    parser.add_argument("--out", metavar="FILE", help="write here; left out: to standard output")
    options = parser.parse_args(argv)
    try:
        text = _text(load(options.config), options.gateway)
        if options.out:
            _write(Path(options.out), text)
        else:
            sys.stdout.write(text)
    except ConfigError as error:
        print(f"carrel mqtt-acl: {error}", file=sys.stderr)
        return 1
    return 0


def acl(branch: str, server: str, gateways: Mapping[str, str], *, home_assistant: str = "") -> str:
    """The file: the server's user, then the user of each gateway (id -> user name)."""
    rights: dict[str, list[str]] = {server: [f"topic read {topics.name(branch, '+', EVERYTHING)}"]}
    said = [topic for topic in topics.TOPICS if topic.sender == "server" or topic.retained]  # also to clear it
    rights[server] += [f"topic write {topics.name(branch, '+', topic, '+')}" for topic in said]
    if home_assistant:  # to clear what a gateway said that is retired
        rights[server].append(f"topic readwrite {home_assistant}/device/+/config")
    for gateway, user in gateways.items():
        own = rights.setdefault(user, [])
        for topic in topics.TOPICS:
            verb = "read" if topic.sender == "server" else "readwrite" if topic.heard_back else "write"
            own.append(f"topic {verb} {topics.name(branch, gateway, topic, '+')}")
        if home_assistant:
            own.append(f"topic readwrite {home_assistant}/device/+/config")
    blocks = (f"user {user}\n" + "\n".join(lines) + "\n" for user, lines in rights.items())
    return "\n".join((HEAD, *blocks))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None


EVERYTHING = topics.Topic("#", (), 1, retained=False)


def _text(doc: Document, more: list[str]) -> str:
    common = read_common(doc)
    gateway = doc.data.get("gateway", {})
    id_ = str(gateway.get("id", "gw-1"))
    server = common.mqtt.username or SERVER
    gateways = {id_: str(gateway.get("mqtt_username", "")) or common.mqtt.username or id_}
    for word in more:
        id_, _, user = word.partition("=")
        if not GATEWAY.fullmatch(id_) or not user or not user.isprintable():
            raise ConfigError(f"--gateway {word}: write it as ID=USER, for example gw-2=gw-2")
        gateways[id_] = user
    return acl(common.library.branch, server, gateways, home_assistant=common.mqtt.home_assistant)
