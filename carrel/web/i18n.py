"""Languages of the pages: gettext catalogues, the visitor's choice, and how dates and numbers are written.

Message ids are English sentences. `en` writes dates the British way (3 Dec 2026, 08:05), 24 hours everywhere.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from babel.core import negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from babel.support import Translations
from starlette.requests import HTTPConnection

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
COOKIE = "carrel_lang"
DOMAIN = "carrel"
JUST_NOW = timedelta(seconds=10)
LOCALE_DIR = Path(__file__).with_name("locale")

_LOCALES: dict[Language, str] = {"zh-CN": "zh_Hans_CN", "en": "en"}
_PATTERNS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "date": "y年M月d日",
        "day": "M月d日 EEE",
        "time": "HH:mm",
        "datetime": "y年M月d日 HH:mm",
        "month": "y年M月",
    },
    "en": {"date": "d MMM y", "day": "EEE d MMM", "time": "HH:mm", "datetime": "d MMM y, HH:mm", "month": "LLLL y"},
}


def N_(message: str) -> str:  # noqa: N802  gettext's usual mark for a string that is translated later
    """Mark a message for extraction; it is translated where it is shown."""
    return message


class Words:
    """One language: its messages, dates and numbers in the library's time zone."""

    def __init__(self, language: Language, zone: ZoneInfo, translations: Translations) -> None:
        self.language = language
        self.zone = zone
        self.translations = translations
        self._locale = _LOCALES[language]

    def gettext(self, message: str, **params: object) -> str:
        """The message in this language, its %(name)s filled in."""
        text = self.translations.ugettext(message)
        return text % params if params else text

    def ngettext(self, one: str, many: str, n: int, **params: object) -> str:
        """The message for `n` things; %(num)s is `n`."""
        return self.translations.ungettext(one, many, n) % {"num": n, **params}

    def moment(self, at: datetime, style: Literal["date", "day", "time", "datetime", "month"] = "datetime") -> str:
        """An instant in the library's zone."""
        local = at.astimezone(self.zone)
        return format_datetime(local, _PATTERNS[self.language][style], tzinfo=self.zone, locale=self._locale)

    def age(self, at: datetime, now: datetime) -> str:
        """How long ago (or ahead): 3 days ago; one unit, the largest that fits."""
        delta = at - now
        if abs(delta) < JUST_NOW:
            return self.gettext("just now")
        return format_timedelta(delta, add_direction=True, threshold=1.0, locale=self._locale)

    def number(self, value: float | None, decimals: int = 0) -> str:
        """A number with grouping; the unknown is a dash, never 0."""
        if value is None:
            return "–"
        rounded = round(value, decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
        return format_decimal(rounded, "#,##0." + "0" * decimals if decimals else "#,##0", locale=self._locale)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount as people write it in this language."""
        return money(amount, currency, self.language)


def in_language(language: Language, names: tuple[str, str]) -> str:
    """The name of what config.toml calls (English, Chinese or empty)."""
    return names[1] if language == "zh-CN" and names[1] else names[0]


def money(amount: Decimal, currency: str, language: Language) -> str:
    """An amount as people write it in a language."""
    return format_currency(amount, currency, locale=_LOCALES[language])


@cache
def load(language: Language, folder: Path = LOCALE_DIR) -> Translations:
    """A language's catalogue. A .mo that is missing or older than its .po is made in memory."""
    source = folder / _LOCALES[language] / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = source.with_suffix(".mo")
    if compiled.is_file() and compiled.stat().st_mtime >= source.stat().st_mtime:
        return Translations(io.BytesIO(compiled.read_bytes()), DOMAIN)
    buffer = io.BytesIO()
    with source.open("rb") as file:
        write_mo(buffer, read_po(file, locale=_LOCALES[language]))
    buffer.seek(0)
    return Translations(buffer, DOMAIN)


def choose(connection: HTTPConnection, default: Language) -> Language:
    """`?lang=`, then the cookie, the user's setting (`state.language`), Accept-Language, and the library's default."""
    asked = (
        connection.query_params.get("lang"),
        connection.cookies.get(COOKIE),
        getattr(connection.state, "language", None),
    )
    for value in asked:
        if value in LANGUAGES:
            return cast(Language, value)
    return _accepted(connection.headers.get("accept-language", "")) or default


def _accepted(header: str) -> Language | None:
    weighed: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighed.append((-float(quality or 1), "zh-CN" if tag.lower().startswith("zh") else tag))
        except ValueError:
            continue
    wanted = [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
    return cast("Language | None", negotiate_locale(wanted, LANGUAGES, sep="-"))
