"""Passwords and PINs: argon2id, and a limit on how many are worked on at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""19 MiB, two passes: the floor OWASP gives for argon2id, and kind to a small computer's memory."""

_POOL = ThreadPoolExecutor(1, "hashing")
"""Bounds memory: C libraries keep what a thread once used, so hashing in every
worker thread would keep 19 MiB each. One at a time is some forty sign-ins a second."""

NOBODY = _HASHER.hash("nobody's secret")
"""A hash to check against when there is no such account, so that both answers take the same time."""


def make(secret: str) -> str:
    """The hash to store."""
    return _POOL.submit(_HASHER.hash, secret).result()


def matches(stored: str, secret: str) -> bool:
    """Whether the secret is the one behind the hash; a broken hash matches nothing."""
    try:
        return _POOL.submit(_HASHER.verify, stored, secret).result()
    except (VerificationError, InvalidHashError):
        return False
