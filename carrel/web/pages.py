"""Renders pages: one Jinja environment per language, and `mount`, which joins the design system to an application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse

from carrel.web import i18n
from carrel.web.assets import PREFIX, Assets
from carrel.web.guard import Guard
from carrel.web.i18n import LANGUAGES, Language, Words, in_language

HERE = Path(__file__).parent
THEMES = ("light", "dark")
THEME_COOKIE = "carrel_theme"
GZIP_FROM_BYTES = 500
YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says about the library."""

    name: str
    name_zh: str
    zone: ZoneInfo
    default_language: Language
    simulated: bool

    def title(self, language: Language) -> str:
        """The library's name in a language."""
        return in_language(language, (self.name, self.name_zh))


class Pages:
    """The templates of one program, in every language."""

    def __init__(self, site: Site, template_folders: Sequence[Path] = ()) -> None:
        self.site = site
        self.assets = Assets((HERE / "static", HERE / "vendor"))
        self._words = {language: Words(language, site.zone, i18n.load(language)) for language in LANGUAGES}
        folders = [*template_folders, HERE / "templates"]
        self._environments = {language: self._environment(language, folders) for language in LANGUAGES}

    def words(self, language: Language) -> Words:
        """Messages, dates and numbers of a language."""
        return self._words[language]

    def language(self, connection: HTTPConnection) -> Language:
        """The language of this visitor."""
        return i18n.choose(connection, self.site.default_language)

    def html(self, template: str, language: Language, **context: Any) -> str:
        """A template as text."""
        context.setdefault("now", datetime.now(UTC))
        return self._environments[language].get_template(template).render(context)

    def response(self, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page or fragment for a visitor; keeps a language chosen with `?lang=`."""
        language = self.language(request)
        theme = request.cookies.get(THEME_COOKIE)
        theme = theme if theme in THEMES else None
        body = self.html(template, language, request=request, theme=theme, **context)
        response = HTMLResponse(body, status, {"Vary": "Cookie, Accept-Language", "Content-Language": language})
        if request.query_params.get("lang") == language:
            response.set_cookie(i18n.COOKIE, language, max_age=YEAR_S, samesite="lax")
        return response

    def _environment(self, language: Language, folders: Sequence[Path]) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        words = self._words[language]
        environment.install_gettext_translations(words.translations, newstyle=True)  # type: ignore[attr-defined]  # put there by jinja2.ext.i18n
        environment.policies["ext.i18n.trimmed"] = True
        environment.filters.update(moment=words.moment, number=words.number, age=words.age)
        environment.globals.update(
            site=self.site,
            library=self.site.title(language),
            lang=language,
            words=words,
            static=self.assets.url,
            icon=self._icon,
            address_in=address_in,
        )
        return environment

    def _icon(self, name: str, label: str = "") -> Markup:
        """An icon of the sprite; without a label it is decoration."""
        role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        address = escape(self.assets.url("icons.svg"))
        return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(role, address, name)


def mount(app: FastAPI, site: Site, template_folders: Sequence[Path] = ()) -> Pages:
    """Join the design system to an application: static files, headers, compression; returns what renders its pages."""
    pages = Pages(site, template_folders)
    app.mount(PREFIX, pages.assets, name="static")
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM_BYTES)
    app.add_middleware(Guard)
    app.state.pages = pages
    return pages


def address_in(request: Request, language: Language) -> str:
    """This page's own address in another language; of an answer to a form, the page that the form stood on."""
    if request.method in ("GET", "HEAD"):
        return f"?{request.url.include_query_params(lang=language).query}"
    return f"{urlsplit(request.headers.get('referer', '/')).path}?lang={language}"
