"""The words of letters, the library's own included."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from carrel.sections import LibraryConfig
from server.lending.policy import LibraryPolicy
from server.notices.letters import writing
from server.notices.letters.writing import Letter, Somebody, Writer
from server.notices.policy import Kind
from server.patrons import service as patrons
from server.patrons.service import Patron
from tests.server.notices.conftest import Library
from tests.support.library import ALICE, BO

KINDS = get_args(Kind)
LIBRARY = LibraryConfig(name="Town Library", name_zh="市图书馆")


@pytest.fixture
def people(make: Callable[..., Library]) -> list[Patron]:
    counter = make().counter
    return [patron for card in (ALICE, BO) if (patron := counter.ask(lambda s, card=card: patrons.find(s, card)))]  # type: ignore[misc]


def compose(patron: Patron, kind: Kind, folder: Path | None = None) -> Letter:
    facts = writing.example(kind, date(2026, 3, 5), "main")
    return Writer(LIBRARY, folder).compose(patron, kind, facts, owed=facts[0].get("amount"), policy=LibraryPolicy())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_in_both_languages(people: list[Patron], kind: Kind) -> None:
    english, chinese = (compose(patron, kind) for patron in people)
    assert (english.language, chinese.language) == ("en", "zh-CN")
    for letter, library in ((english, "Town Library"), (chinese, "市图书馆")):
        assert library in letter.subject
        assert "红楼梦" in letter.text
        assert "红楼梦" not in letter.subject
        assert "\n\n\n" not in letter.text
        assert letter.text.endswith(f"{library}\n")
        assert "{" not in letter.text
    for letter, branch in ((english, "Main library"), (chinese, "总馆")):
        facts = [line.get("pickup") for line in letter.lines]
        assert (branch in letter.text) == (facts == ["main"]), "people read names, programs codes"


def test_both_languages_have_the_same_templates() -> None:
    english, chinese = ({file.name for file in (writing.SHIPPED / name).iterdir()} for name in ("en", "zh-CN"))
    assert english == chinese == {f"{kind}.txt" for kind in (*KINDS, "test")}


def test_a_letter_that_tries_a_channel_is_in_the_language_asked_for() -> None:
    writer = Writer(LIBRARY, None)
    english, chinese = (writer.trial(Somebody("", language)) for language in ("en", "zh-CN"))
    assert (english.subject, chinese.subject) == ("A test from Town Library", "市图书馆的测试通知")
    assert writer.trial(Somebody("", None)).language == LIBRARY.language


def test_a_library_may_use_its_own_words(people: list[Patron], tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "hold_ready.txt").write_text("Come\n  and get it\n\nHi {{ name }} & co.\n", encoding="utf-8")
    own = compose(people[0], "hold_ready", tmp_path)
    assert (own.subject, own.text) == ("Come", "and get it\n\nHi Alice Wu & co.\n")
    assert compose(people[0], "overdue", tmp_path) == compose(people[0], "overdue")


@pytest.mark.parametrize(
    "wrong",
    [
        "{{ nobody }}",
        "{% if %}",
        "{{ name.__class__.__mro__ }}",
        "{{ 1 // 0 }}",
        "{{ owed + name }}",
        "{{ lines[9].x }}",
        "",
        "{# later #}\n\n",
    ],
)
def test_words_that_are_wrong_give_way_to_the_shipped_ones(
    people: list[Patron], tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "fee.txt").write_text(wrong, encoding="utf-8")
    letter = compose(people[0], "fee", tmp_path)
    assert replace(letter, fault="") == compose(people[0], "fee")
    assert letter.fault.startswith("en/fee.txt: ")
    assert "en/fee.txt" in caplog.text


def test_words_that_are_no_text_give_way_too(people: list[Patron], tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "fee.txt").write_bytes("费用".encode("gb18030"))
    assert "UnicodeDecodeError" in compose(people[0], "fee", tmp_path).fault
