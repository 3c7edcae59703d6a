"""The configuration sections that more than one program reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from carrel.config import ConfigError, Document, Section
from carrel.contracts.ids import RoomId, Slug

FLOOR_SQUARES = 12
"""So many rows and columns a floor's plan has at most."""

Port = Annotated[int, Field(ge=1, le=65535)]


class OpeningConfig(Section):
    """An entry of `library.opening`: from `from` up to `to`, local time, on these days; never past midnight."""

    start: Annotated[str, Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, Field(alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    days: Annotated[tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.start < self.end:
            raise ValueError("write an opening time that lies before the closing time")
        return self


class LibraryConfig(Section):
    """`[library]`."""

    name: str = "Library"
    name_zh: str = ""
    branch: Slug = "main"
    timezone: str = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    owner: str = ""
    simulated: bool = False
    opening: tuple[OpeningConfig, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no such time zone; use a name such as Asia/Shanghai or Europe/Helsinki") from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The library's own time zone."""
        return ZoneInfo(self.timezone)


class PathsConfig(Section):
    """`[paths]`."""

    var: Path = Path("var")


class LogConfig(Section):
    """`[log]`."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class MqttConfig(Section):
    """`[mqtt]`: without `ca_file` the system's certificate authorities are trusted; `cert_file` with `key_file` is for
    brokers that ask their clients for a certificate."""

    host: str = "127.0.0.1"
    port: Port = 18830
    embedded: bool = True
    username: str = ""
    password: str = ""
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    home_assistant: Annotated[str, Field(pattern=r"^[^\s#+$]*$")] = ""

    @model_validator(mode="after")
    def _whole_sign_in(self) -> Self:
        if self.password and not self.username:
            raise ValueError("a password without a username keeps nobody out: set both or neither")
        if ":" in self.username or not self.username.isprintable():
            raise ValueError("the username must not have a colon or control characters")
        return self

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        if self.tls and self.embedded:
            raise ValueError("the built-in broker speaks no TLS: set embedded = false and run another, or tls = false")
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("certificates are named but tls is false: set tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class InfluxConfig(Section):
    """`[telemetry.influx]`: an empty url means that there is none. `api` v2 is written through /api/v2/write with org,
    bucket and token, v1 through /write with database and perhaps username and password; both are read by InfluxQL."""

    url: Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$")] = ""
    api: Literal["v1", "v2"] = "v2"
    org: str = ""
    bucket: str = "carrel"
    token: str = ""
    database: str = "carrel"
    username: str = ""
    password: str = ""
    gzip: bool = False


class TelemetryConfig(Section):
    """`[telemetry]`: where history is kept and for how long (raw values, 5-minute and hourly rollups)."""

    store: Literal["embedded", "influx"] = "embedded"
    raw_days: int = Field(default=7, ge=1, le=3650)
    five_minute_days: int = Field(default=90, ge=1, le=36500)
    influx: InfluxConfig = InfluxConfig()

    @model_validator(mode="after")
    def _store_exists(self) -> Self:
        if self.store == "influx" and not self.influx.url:
            raise ValueError('store = "influx" needs [telemetry.influx] with a url')
        return self


class SimConfig(Section):
    """`[sim]`; the virtual building reads it by itself too."""

    enabled: bool = False
    control: Annotated[str, Field(pattern=r"^[^:\s]+:[0-9]{1,5}$")] = "127.0.0.1:18700"
    io_port: Port = 18702
    speed: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60

    @field_validator("control")
    @classmethod
    def _port_exists(cls, value: str) -> str:
        if not 1 <= int(value.rpartition(":")[2]) <= 65535:
            raise ValueError("the port is a number from 1 to 65535")
        return value

    @property
    def control_address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.control.rpartition(":")
        return host, int(port)


class RoomConfig(Section):
    """`[[room]]`: bands are (low, high), shown beside the values."""

    id: RoomId
    name: str
    name_zh: str = ""
    outdoor: bool = False
    temp: tuple[float, float] | None = None
    rh: tuple[float, float] | None = None
    lux: tuple[float, float] | None = None

    @field_validator("temp", "rh", "lux")
    @classmethod
    def _in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("write the lower end of the band first")
        return value


@dataclass(frozen=True, slots=True)
class Placed:
    """A place on a floor's plan: where its rectangle begins, counted from 1, and its squares across and down."""

    id: str
    column: int
    row: int
    columns: int
    rows: int


class FloorConfig(Section):
    """`[[floor]]`: `plan` draws it, a line a row, in each square the place that it belongs to; `.` is none.

    `places` names those that are no `[[room]]`: (English, Chinese).
    """

    name: str
    name_zh: str = ""
    plan: Annotated[tuple[str, ...], Field(min_length=1, max_length=FLOOR_SQUARES)]
    places: dict[Slug, tuple[str, str]] = Field(default={})

    @field_validator("plan")
    @classmethod
    def _drawn(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        widths = {len(line.split()) for line in value}
        if len(widths) > 1 or not 1 <= min(widths) <= FLOOR_SQUARES:
            raise ValueError(f"write as many names in each line as in the others, {FLOOR_SQUARES} at most")
        for one in placed(value):
            drawn = {(row, one.column + i) for row in range(one.row, one.row + one.rows) for i in range(one.columns)}
            if drawn != _squares(value)[one.id]:
                raise ValueError(
                    f"the squares of '{one.id}' are no rectangle: fill its gaps, or give a part another name"
                )
        return value


def placed(plan: tuple[str, ...]) -> tuple[Placed, ...]:
    """The places of a plan, as they come when it is read; each with the rectangle around all its squares."""
    found = []
    for id_, squares in _squares(plan).items():
        rows, columns = {row for row, _ in squares}, {column for _, column in squares}
        row, column = min(rows), min(columns)
        found.append(Placed(id_, column, row, max(columns) - column + 1, max(rows) - row + 1))
    return tuple(found)


def _squares(plan: tuple[str, ...]) -> dict[str, set[tuple[int, int]]]:
    """Place -> (row, column) of its squares."""
    found: dict[str, set[tuple[int, int]]] = {}
    for row, line in enumerate(plan, 1):
        for column, id_ in enumerate(line.split(), 1):
            if id_ != ".":
                found.setdefault(id_, set()).add((row, column))
    return found


@dataclass(frozen=True, slots=True)
class Common:
    """What every program reads of config.toml."""

    library: LibraryConfig
    log: LogConfig
    mqtt: MqttConfig
    telemetry: TelemetryConfig
    rooms: tuple[RoomConfig, ...]
    floors: tuple[FloorConfig, ...]
    var: Path

    @property
    def places(self) -> dict[str, tuple[str, str]]:
        """Rooms and the other places of the floors: id -> (English, Chinese or empty)."""
        named = {room.id: (room.name, room.name_zh) for room in self.rooms}
        return {**{id_: names for floor in self.floors for id_, names in floor.places.items()}, **named}


def read_common(doc: Document) -> Common:
    """Validate the shared sections; raises ConfigError."""
    rooms = doc.entries("room", RoomConfig)
    refuse_repeats(doc, "room", [room.id for room in rooms])
    floors = doc.entries("floor", FloorConfig)
    _refuse_unknown_places(doc, floors, {room.id for room in rooms})
    return Common(
        library=doc.section("library", LibraryConfig),
        log=doc.section("log", LogConfig),
        mqtt=_with_files(doc, doc.section("mqtt", MqttConfig)),
        telemetry=doc.section("telemetry", TelemetryConfig),
        rooms=rooms,
        floors=floors,
        var=doc.path(doc.section("paths", PathsConfig).var),
    )


def _with_files(doc: Document, mqtt: MqttConfig) -> MqttConfig:
    """With absolute paths; raises ConfigError when a certificate cannot be read."""
    files = {name: doc.path(file) for name in ("ca_file", "cert_file", "key_file") if (file := getattr(mqtt, name))}
    for name, file in files.items():
        if not file.is_file():
            raise ConfigError(f"{doc.where(('mqtt', name))}: 'mqtt.{name}': there is no file {file}")
    return mqtt.model_copy(update=files)


def _refuse_unknown_places(doc: Document, floors: tuple[FloorConfig, ...], rooms: set[RoomId]) -> None:
    """Raises ConfigError when a plan has a name that nothing has."""
    for number, floor in enumerate(floors):
        for one in placed(floor.plan):
            if one.id not in rooms and one.id not in floor.places:
                raise ConfigError(
                    f"{doc.where(('floor', number, 'plan'))}: 'floor.{number}.plan': '{one.id}' is neither a [[room]] "
                    f"nor one of this floor's places: correct its spelling, or add it to places"
                )


def refuse_repeats(doc: Document, array: str, ids: list[str]) -> None:
    """Raises ConfigError when two entries of `[[array]]` have one id."""
    for number, id_ in enumerate(ids):
        if id_ in ids[:number]:
            loc: tuple[str | int, ...] = (*array.split("."), number, "id")
            raise ConfigError(f"{doc.where(loc)}: '{id_}' is the id of two entries of [[{array}]]: rename one")
