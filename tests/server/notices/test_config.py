"""What `[server.notices]` may say."""

from pathlib import Path

import pytest

from carrel.config import ConfigError, load
from server.notices.channels import channels_of
from server.notices.config import NoticesConfig
from server.settings import read_settings

WRONG = [
    ("[server.notices.mail]\nhost = 'mail.example'\n", "sender"),
    ("[server.notices.mail]\nhost = 'mail.example'\nsender = 'a@b.example'\nuser = 'u'\ntls = 'none'\n", "clear"),
    ("[server.notices.mail]\nsender = 'not an address'\n", "sender"),
    ("[server.notices.webhook]\nurl = 'https://hooks.example'\nsecret = 'short-but-mine'\n", "secret"),
    ("[server.notices]\noverdue_days = [7, 1]\n", "rising order"),
    ("[server.notices]\nquiet_from = '25:00'\n", "quiet_from"),
    ("[server.jobs]\nnightly_from = '2'\n", "nightly_from"),
]


@pytest.mark.parametrize(("text", "word"), WRONG)
def test_what_cannot_work_is_told_when_the_server_starts(text: str, word: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=word) as refused:
        read_settings(load(file, {}))
    assert "short-but-mine" not in str(refused.value)


def test_nothing_is_sent_unless_somebody_says_where_to() -> None:
    assert channels_of(NoticesConfig()) == {}
