import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from starlette.requests import Request

from carrel.web import i18n
from carrel.web.i18n import LANGUAGES, Words, choose, load
from carrel.web.i18n_tool import extract
from carrel.web.words import REFUSALS, refusal

ROOT = Path(__file__).parents[3]
SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 12, 3, 0, 5, tzinfo=UTC)
PLACE = re.compile(r"%\((\w+)\)")


def catalogue(locale):
    with (i18n.LOCALE_DIR / locale / "LC_MESSAGES/carrel.po").open("rb") as file:
        return read_po(file, locale=locale)


def words(language):
    return Words(language, SHANGHAI, load(language))


def request(query="", cookie="", accept="", state=None):
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accept.encode())]
    return Request({"type": "http", "query_string": query.encode(), "headers": headers, "state": state or {}})


@pytest.fixture(scope="module")
def used():
    return extract(ROOT)


@pytest.mark.parametrize("locale", ["zh_Hans_CN", "en"])
def test_every_message_of_the_code_is_in_the_catalogue_and_translated(used, locale):
    known = catalogue(locale)
    lacking = [m.id for m in used if m.id and (m.id not in known or not all(_forms(known[m.id].string)))]
    assert lacking == []
    assert [m.id for m in known if m.fuzzy and m.id] == []


@pytest.mark.parametrize("locale", ["zh_Hans_CN", "en"])
def test_no_catalogue_keeps_messages_that_nobody_says(used, locale):
    said = {_key(m.id) for m in used}
    assert [m.id for m in catalogue(locale) if m.id and _key(m.id) not in said] == []


def test_a_translation_has_the_places_of_its_message():
    for message in catalogue("zh_Hans_CN"):
        if message.id:
            wanted = set(PLACE.findall("".join(_forms(message.id))))
            for form in _forms(message.string):
                assert set(PLACE.findall(form)) == wanted, message.id


def test_dates_are_written_the_way_each_language_does():
    assert words("zh-CN").moment(AT) == "2026年12月3日 08:05"
    assert words("en").moment(AT) == "3 Dec 2026, 08:05"
    assert words("en").moment(AT, "day") == "Thu 3 Dec"


@pytest.mark.parametrize(
    ("ago", "zh", "en"),
    [
        (timedelta(seconds=3), "刚刚", "just now"),
        (timedelta(seconds=40), "40秒钟前", "40 seconds ago"),
        (timedelta(days=3), "3天前", "3 days ago"),
        (-timedelta(hours=1), "1小时后", "in 1 hour"),
    ],
)
def test_ages_have_one_unit(ago, zh, en):
    assert words("zh-CN").age(AT - ago, AT) == zh
    assert words("en").age(AT - ago, AT) == en


def test_an_unknown_number_is_a_dash_and_never_zero():
    assert words("en").number(None, 1) == "–"
    assert words("en").number(-0.04, 1) == "0.0"
    assert words("zh-CN").number(12345.6) == "12,346"


def test_english_has_two_plurals_and_chinese_one():
    said = [words("en").ngettext("%(num)s day left", "%(num)s days left", n) for n in (1, 2)]
    assert said == ["1 day left", "2 days left"]
    assert words("zh-CN").ngettext("%(num)s day left", "%(num)s days left", 2) == "还剩 2 天"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        (request(query="lang=en", cookie="carrel_lang=zh-CN"), "en"),
        (request(cookie="carrel_lang=en", state={"language": "zh-CN"}), "en"),
        (request(state={"language": "en"}, accept="zh-CN"), "en"),
        (request(accept="fr;q=0.9, en-GB;q=0.8, zh;q=0.3"), "en"),
        (request(accept="zh-TW, en;q=0.5"), "zh-CN"),
        (request(accept="en;q=nonsense, fr"), "zh-CN"),
        (request(query="lang=xx", cookie="carrel_lang=../../etc"), "zh-CN"),
    ],
)
def test_the_language_is_chosen_in_the_order_of_the_house(asked, language):
    assert choose(asked, "zh-CN") == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_words_and_an_unknown_code_still_tells_what_to_do(language):
    for code in REFUSALS:
        assert refusal(words(language), code, {"limit": 5})
    assert "new_code" in refusal(words(language), "new_code")


def test_a_catalogue_is_read_from_its_source_when_nobody_has_compiled_it(tmp_path):
    folder = tmp_path / "zh_Hans_CN/LC_MESSAGES"
    folder.mkdir(parents=True)
    source = (i18n.LOCALE_DIR / "zh_Hans_CN/LC_MESSAGES/carrel.po").read_bytes()
    (folder / "carrel.po").write_bytes(source)
    assert load("zh-CN", tmp_path).ugettext("Overview") == "总览"


def _forms(text):
    return text if isinstance(text, tuple | list) else (text,)


def _key(message_id):
    return message_id if isinstance(message_id, str) else message_id[0]
