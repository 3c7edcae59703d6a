"""The shared secret of kiosk and gateway: a file only its owner may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from carrel.config import ConfigError

MIN_LENGTH = 16


def read_or_make(path: Path) -> str:
    """The token in this file, made at first start; raises ConfigError when it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot use the token file {path} ('server.token_file'): {error}") from error
    if len(token) < MIN_LENGTH:
        raise ConfigError(f"the token file {path} ('server.token_file') holds no token: delete it and start again")
    return token


def _make(path: Path) -> None:
    """Written aside and linked into place, so that nobody ever reads half a token and the first writer wins."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
