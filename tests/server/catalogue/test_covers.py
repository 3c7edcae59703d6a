"""Which picture a title has."""

from pathlib import Path

import pytest

from server.catalogue.covers import Covers

ISBN = "978-7-02-000220-7"


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ([], ""),
        (["9787020002207.jpg"], "9787020002207.jpg"),
        (["7-02-000220-X.PNG"], "7-02-000220-X.PNG"),  # the older form of the same
        (["title-17.webp"], "title-17.webp"),
        (["9787020002207.jpg", "title-017.png"], "title-017.png"),
        (["9787020002208.jpg", "title-1.jpg", "title-17.svg", "17.jpg", "cover.jpg"], ""),
    ],
)
def test_a_title_has_the_picture_named_after_it_or_its_isbn(tmp_path: Path, files: list[str], shown: str) -> None:
    covers = Covers(tmp_path)
    assert covers.of(17, ISBN) == ""
    for name in files:
        (tmp_path / name).touch()
    assert covers.of(17, ISBN) == shown, "a folder that has changed is read again"
    assert (covers.file(shown) is not None) == bool(shown)


@pytest.mark.parametrize("name", ["", ".", "..", "notes.txt", "title-1.jpg", "../server.db", "sub"])
def test_nothing_but_pictures_is_given_away(tmp_path: Path, name: str) -> None:
    (tmp_path / "covers" / "sub").mkdir(parents=True)
    (tmp_path / "covers" / "notes.txt").touch()
    assert Covers(tmp_path / "covers").file(name) is None
    assert Covers(tmp_path / "away").file(name) is None
    assert Covers(None).of(17, ISBN) == ""
