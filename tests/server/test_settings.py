"""What the server reads of config.toml, and what it says about mistakes."""

from pathlib import Path

import pytest

from carrel.config import ConfigError, load
from server.settings import read_settings


def read(folder: Path, text: str, **environ: str):  # type: ignore[no-untyped-def]
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return read_settings(load(folder / "config.toml", environ))


def test_the_shipped_file_is_valid_and_its_paths_lie_beside_it() -> None:
    root = Path(__file__).parents[2]
    settings = read_settings(load(root / "config.toml", {}))
    assert settings.database_url.database == str(root / "var/server.db")
    assert settings.token_file == root / "var/run/machine-token"
    assert settings.server.demo


def test_an_empty_file_gives_a_library_without_demo(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert (settings.server.port, settings.server.demo, settings.server.policy.loan_days) == (8080, False, 30)


def test_postgresql_is_spoken_through_psycopg(tmp_path: Path) -> None:
    settings = read(tmp_path, "", CARREL_SERVER__DATABASE="postgresql://me:pw@host/name")
    assert settings.database_url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("prot = 1", r"line 2: unknown key 'server\.prot'"),
        ("port = 99999", r"line 2: 'server\.port' = 99999"),
        ('port = "eighty"', r"line 2: 'server\.port' = 'eighty'"),
        ("session_hours = 0", r"line 2: 'server\.session_hours'"),
        ("policy = { loan_days = 0 }", r"'server\.policy\.loan_days' = 0"),
        ('database = "not a url"', r"'server\.database' is not a database URL"),
        ('database = "mysql://u:hidden@h/x"', r"'server\.database': 'mysql' is not served"),
        ('database = "sqlite://"', r"'server\.database' names no file"),
        ('database = "sqlite:///:memory:"', r"'server\.database' names no file"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_key(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read(tmp_path, f"[server]\n{line}\n")
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)
