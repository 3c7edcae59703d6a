"""The file with the machines' token."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carrel.config import ConfigError
from server.auth.machine_token import read_or_make


def test_the_first_start_makes_it_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "run" / "token"
    token = read_or_make(file)
    assert len(token) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_or_make(file) == token
    assert [path.name for path in file.parent.iterdir()] == ["token"]


def test_programs_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read_or_make, [tmp_path / "token"] * 16))) == 1


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_file_without_a_token_is_told_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"server\.token_file"):
        read_or_make(file)


def test_a_folder_in_its_place_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot use the token file"):
        read_or_make(tmp_path)
