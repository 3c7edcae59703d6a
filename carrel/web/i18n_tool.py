"""Keeps the message catalogues in step with the code: `python -m carrel.web.i18n_tool` from the project's root.

It reads every template and every marked string (`_`, gettext, ngettext, N_), adds new messages untranslated and drops
what is no longer used. Nothing is guessed: a new message stays empty until somebody translates it, and the tests fail.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from carrel.web.i18n import DOMAIN, LOCALE_DIR

PACKAGES = ("carrel", "environment", "gateway", "server")
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract")]
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true", "silent": "false"}}
SOURCE_LANGUAGE = "en"
NOISE = re.compile(
    rb'^"(Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|'
    rb"Generated-By)[^\n]*\n",
    re.MULTILINE,
)
"""Header lines that would differ with every run and tell nothing."""


def extract(root: Path) -> Catalog:
    """Every message of the project below `root`, with the files that use it."""
    catalog = Catalog(project="Carrel", charset="utf-8", fuzzy=False)
    for package in PACKAGES:
        found = extract_from_dir(root / package, METHODS, OPTIONS, keywords=KEYWORDS)
        for name, _line, message, comments, context in found:
            catalog.add(message, locations=[(f"{package}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def update(root: Path) -> Iterator[tuple[Path, int]]:
    """Bring each language's catalogue up to date; gives (file, number of messages without a translation)."""
    for file in sorted(LOCALE_DIR.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        locale = file.parts[-3]
        with file.open("rb") as source:
            catalog = read_po(source, locale=locale, domain=DOMAIN)
        catalog.update(extract(root), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        if locale == SOURCE_LANGUAGE:
            _speak_for_itself(catalog)
        buffer = BytesIO()
        write_po(buffer, catalog, width=120, omit_header=False, include_lineno=False, sort_output=True)
        file.write_bytes(NOISE.sub(b"", buffer.getvalue()))
        yield file, sum(1 for message in catalog if message.id and not _translated(message.string))


def _speak_for_itself(catalog: Catalog) -> None:
    """In the language the message ids are written in, a message is its own translation."""
    for message in catalog:
        if message.id:
            message.string = message.id


def _translated(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    for path, missing in update(Path.cwd()):
        sys.stdout.write(f"{path}: {missing} without a translation\n")
