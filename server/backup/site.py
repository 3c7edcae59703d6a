"""Where everything lies that a backup holds: the server's own settings, and the edge's files by their keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict

from carrel.config import Document, Section
from server.backup.manifest import Part
from server.settings import ServerSettings, read_settings


class _GatewayPart(Section):
    """What a backup reads of `[gateway]`; the gateway checks the rest."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    store: Path = Path("var/gateway.db")


class _ZigbeePart(Section):
    """What a backup reads of `[zigbee]`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    database: Path = Path("var/zigbee.db")
    backups: Path = Path("var/backups/zigbee")


@dataclass(frozen=True, slots=True)
class Site:
    """All paths absolute."""

    settings: ServerSettings
    gateway: Path
    zigbee: Path
    zigbee_backups: Path

    @property
    def config(self) -> Path:
        """The configuration file that was read."""
        return self.settings.document.file

    @property
    def run_lock(self) -> Path:
        """Held by `carrel run`."""
        return self.settings.common.var / "run" / "carrel.lock"

    @property
    def gateway_lock(self) -> Path:
        """Held by a gateway that uses the store."""
        return self.gateway.with_name(f"{self.gateway.name}.lock")

    @property
    def unfinished(self) -> Path:
        """There while a restore puts things in their places; left behind only by one that was cut off."""
        return self.settings.common.var / "restore-unfinished"

    def place(self, part: Part) -> Path | None:
        """Where a file of the edge and the token go; None for what goes elsewhere."""
        if part.kind == "zigbee-backup":
            return self.zigbee_backups / part.stem
        places = {"gateway": self.gateway, "zigbee": self.zigbee, "token": self.settings.token_file}
        return places.get(part.kind)


def read_site(document: Document) -> Site:
    """Validate what is needed; raises ConfigError."""
    zigbee = document.section("zigbee", _ZigbeePart)
    return Site(
        settings=read_settings(document),
        gateway=document.path(document.section("gateway", _GatewayPart).store),
        zigbee=document.path(zigbee.database),
        zigbee_backups=document.path(zigbee.backups),
    )
