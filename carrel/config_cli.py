"""`carrel config`: check config.toml and show what is in force."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from typing import Any

from carrel.config import ConfigError, Document, load

READERS = ("gateway.settings:read_settings", "server.settings:read_settings", "carrel.run:read_site")
"""Each program's own reader, imported by name: the ground floor leans on nothing above it."""

MASK = "********"
SECRETS = ("password", "mqtt_password", "token")


def main(argv: list[str]) -> int:
    """Print the configuration in force as JSON; 1 with one sentence when something in it is wrong."""
    parser = argparse.ArgumentParser(prog="carrel config", description="Check config.toml; show what is in force.")
    parser.add_argument("--config", metavar="FILE")
    parser.add_argument("--quiet", action="store_true", help="only check")
    options = parser.parse_args(argv)
    try:
        doc = load(options.config)
        for reader in READERS:
            check(reader, doc)
    except ConfigError as error:
        print(f"carrel config: {error}", file=sys.stderr)
        return 1
    if not options.quiet:
        print(json.dumps(_masked(doc.data), ensure_ascii=False, indent=2, default=str))
    return 0


def check(reader: str, doc: Document) -> None:
    """Let a program read its part; raises ConfigError."""
    module, function = reader.split(":")
    getattr(importlib.import_module(module), function)(doc)


def _masked(value: Any, key: str = "") -> Any:
    """The same without passwords, those in addresses included."""
    if isinstance(value, dict):
        return {name: _masked(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_masked(entry, key) for entry in value]
    if not isinstance(value, str):
        return value
    return MASK if key in SECRETS and value else re.sub(r"(?<=://)([^/\s]*):[^/\s]*@", rf"\1:{MASK}@", value)
