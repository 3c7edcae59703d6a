"""Hashes of passwords and PINs."""

import pytest

from server import hashing


def test_a_hash_fits_its_secret_only() -> None:
    stored = hashing.make("2468")
    assert stored.startswith("$argon2id$")
    assert "2468" not in stored
    assert hashing.matches(stored, "2468")
    assert not hashing.matches(stored, "2469")
    assert hashing.make("2468") != stored, "the salt differs"


@pytest.mark.parametrize("broken", ["", "plain", "$argon2id$v=19$m=1"])
def test_a_broken_hash_fits_nothing(broken: str) -> None:
    assert not hashing.matches(broken, "")
    assert not hashing.matches(broken, broken)
