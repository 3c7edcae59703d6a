"""What the server reads of config.toml."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from carrel.config import ConfigError, Document, Section
from carrel.sections import Common, read_common
from server.catalogue.lookup.config import CatalogueConfig
from server.jobs.config import JobsConfig
from server.notices.config import NoticesConfig
from server.sip2.profile import Sip2Config

DEFAULT_DATABASE = "sqlite:///var/server.db"


class LendingPolicyConfig(Section):
    """`[server.policy]`: what a fresh library lends."""

    loan_days: int = Field(default=30, ge=1, le=3650)
    max_loans: int = Field(default=10, ge=0, le=10_000)
    max_renewals: int = Field(default=2, ge=0, le=1000)
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    fee_per_open_day: Decimal = Field(default=Decimal(0), ge=0, max_digits=8, decimal_places=2)
    grace_open_days: int = Field(default=0, ge=0, le=3650)
    fee_cap: Decimal | None = Field(default=None, ge=0, max_digits=8, decimal_places=2)
    fee_limit: Decimal | None = Field(default=None, ge=0, max_digits=8, decimal_places=2)
    hold_limit: int = Field(default=5, ge=0, le=10_000)
    hold_shelf_days: int = Field(default=7, ge=0, le=3650)
    forget_after_days: int = Field(default=30, ge=0, le=3650)
    closed_weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        default=(), max_length=6
    )


class RelationsConfig(Section):
    """`[server.relations]`: what readers may expect of the library."""

    answer_days: int = Field(default=5, ge=0, le=365)
    suggestions_a_month: int = Field(default=5, ge=0, le=1000)


class ServerConfig(Section):
    """`[server]`."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    database: str = DEFAULT_DATABASE
    session_hours: float = Field(default=12, gt=0, le=24 * 366)
    demo: bool = False
    token_file: Path = Path("var/run/machine-token")
    policy: LendingPolicyConfig = LendingPolicyConfig()
    relations: RelationsConfig = RelationsConfig()
    sip2: Sip2Config = Sip2Config()
    catalogue: CatalogueConfig = CatalogueConfig()
    jobs: JobsConfig = JobsConfig()
    notices: NoticesConfig = NoticesConfig()


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The server's configuration with every path absolute."""

    common: Common
    server: ServerConfig
    database_url: URL
    token_file: Path
    document: Document


def read_settings(document: Document) -> ServerSettings:
    """Validate the server's sections; raises ConfigError."""
    server = document.section("server", ServerConfig)
    return ServerSettings(
        common=read_common(document),
        server=server,
        database_url=_database_url(document, server.database),
        token_file=document.path(server.token_file),
        document=document,
    )


def _database_url(document: Document, text: str) -> URL:
    """A relative SQLite file lies in the configuration file's folder; errors never repeat the URL's password."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigError("'server.database' is not a database URL, such as sqlite:///var/server.db") from None
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("'server.database' names no file: write it as sqlite:///var/server.db")
        return url.set(drivername="sqlite+pysqlite", database=str(document.path(url.database)))
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        f"'server.database': '{url.get_backend_name()}' is not served; write sqlite:///var/server.db "
        "or postgresql+psycopg://user:password@host/name"
    )
