"""What the index holds of a text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from server.catalogue.search import variants
from server.catalogue.search.text import BETWEEN, WORD_LENGTH, is_cjk, isbn_forms, joined, normalise, words

CJK_SAMPLES = "一龥㐀𠀀𪜀𫝀𫠠𬺰𰀀\U00031350〇々あがガㄅ한"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("红楼梦", "红 楼 梦"),
        ("紅樓夢", "红 楼 梦"),
        ("C语言程序设计", "c 语 言 程 序 设 计"),
        ("Les  Misérables", "les miserables"),
        ("ＡＢＣ１２３", "abc123"),
        ("Straße, Łódź & Ørsted", "strasse lodz orsted"),
        ("İstanbul", "istanbul"),
        ("Ёлка и чай", "елка и чаи"),
        ("o'Neil l_w 100%", "o neil l w 100"),
        ("I︠U︡riĭ ʻAṭīyah, Tʻang, obʺi︠a︡vlenie ʼ", "iurii atiyah tang obiavlenie"),
        ("尹一淸 硏究 囯家 浜 芸", "尹 一 清 研 究 国 家 浜 芸"),
        ("心理谘询 諮詢 痲痺 暱稱", "心 理 咨 询 咨 询 麻 痹 昵 称"),
        ("I247.57/12", "i247 57 12"),
        ("C++ Primer, C# in Depth", "cplusplus primer csharp in depth"),
        ("a\x00b\tc\n\ud800", "a b c"),
        ("", ""),
        ("———《》…", ""),
    ],
)
def test_width_case_accents_and_script_do_not_matter(text: str, found: str) -> None:
    assert " ".join(words(text)) == found


@pytest.mark.parametrize("character", list(unicodedata.normalize("NFC", CJK_SAMPLES)))
def test_each_character_of_every_plane_is_a_word(character: str) -> None:
    assert words(f"x{character}y") == ["x", normalise(character), "y"]
    assert is_cjk(normalise(character))


@pytest.mark.parametrize(
    ("whole", "part"), [("乾隆皇帝", "乾"), ("大清乾隆年", "清乾"), ("魯迅著作", "著"), ("瞭望", "瞭")]
)
def test_a_part_becomes_what_it_is_in_the_whole(whole: str, part: str) -> None:
    assert normalise(part) in normalise(whole)


def test_no_character_is_folded_twice() -> None:
    every = [chr(code) for code in range(0x2E80, 0x32400)]
    assert [one for one in every if normalise(normalise(one)) != normalise(one)] == []


def test_each_variant_is_in_one_group_and_would_stay_alone_without_it() -> None:
    convert = OpenCC("t2s").convert
    groups = (variants._OLDER + variants._JAPANESE).split()
    others = [other for group in groups for other in group[1:]]
    assert len(others) == len(set(others)) == len(variants.VARIANTS)
    assert [group for group in groups if convert(group[0]) in map(convert, group[1:])] == []
    assert [group for group in groups if len({normalise(one) for one in group}) > 1] == []


@given(st.text(max_size=60))
def test_normal_text_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=200))
def test_words_are_clean(text: str) -> None:
    for word in words(text):
        assert 0 < len(word) <= WORD_LENGTH
        assert not set(word) & set(f" '\"\\\x00{BETWEEN}")
        word.encode()


@given(st.text(alphabet="红楼夢ab c", max_size=12), st.text(alphabet="红楼夢ab c", max_size=12))
def test_chinese_words_of_a_part_follow_each_other_in_the_whole(before: str, part: str) -> None:
    chinese = [word for word in words(part) if is_cjk(word)]
    assert " ".join(chinese) in " ".join(word for word in words(before + part) if is_cjk(word))


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("7-02-000220-X", ("9787020002207", "702000220x")),
        ("978-7-02-000220-7", ("9787020002207", "702000220x")),
        ("9787020002207 (pbk.)", ("9787020002207", "702000220x")),
        ("979-10-90636-07-1", ("9791090636071",)),
        ("9787020002208", ("9787020002208",)),
        ("no number", ()),
        ("", ()),
    ],
)
def test_an_isbn_has_both_forms(text: str, forms: tuple[str, ...]) -> None:
    assert isbn_forms(text) == forms


def test_values_of_a_field_are_kept_apart() -> None:
    assert joined(["红楼", "", "Red Mansions", "紅樓"]) == f"红 楼 {BETWEEN} red mansions"


def test_words_with_an_apostrophe_are_indexed_whole_and_parted() -> None:
    assert joined(["L'amour"]) == f"l amour {BETWEEN} lamour"
    assert joined(["Tʻang"]) == f"tang {BETWEEN} t ang"
    assert joined(["rock 'n' roll, 1960's"]) == "rock n roll 1960 s"
