"""The two write APIs of InfluxDB over HTTP, and what their answers mean for whoever writes.

v2: POST /api/v2/write, also of InfluxDB 3 and VictoriaMetrics. v1: POST /write, of InfluxDB 1.x.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from gzip import compress
from http import HTTPStatus
from ssl import create_default_context

import httpx
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS, WriteApi
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from carrel.sections import InfluxConfig
from gateway.relay.delivery import AwayError, RefusedError, UnwillingError, Write

TIMEOUT_S = 10.0
LONGEST_RETRY_AFTER_S = 600.0
MESSAGE_LIMIT = 300

LINE_FAULTS = (
    "partial write", "unable to parse", "error parsing", "parsing failed", "line protocol", "field type",
    "beyond retention", "retention period",
)  # fmt: skip
"""Words with which the servers say that it is a line they do not like, and not the request."""

PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def make_write(config: InfluxConfig) -> Write:
    """The write function for a configured server; nothing is sent yet."""
    return V1Write(config) if config.api == "v1" else V2Write(config)


class V2Write:
    """Through influxdb-client's synchronous writer: its batching one loses what it cannot deliver."""

    def __init__(self, config: InfluxConfig) -> None:
        logging.getLogger("urllib3").setLevel(logging.WARNING)
        self._config = config
        client = InfluxDBClient(
            config.url, token=config.token, org=config.org, timeout=int(TIMEOUT_S * 1000), enable_gzip=config.gzip
        )
        self._api: WriteApi = client.write_api(write_options=SYNCHRONOUS)

    def __call__(self, lines: Sequence[str]) -> None:
        """Contract of `Write`."""
        body = "\n".join(lines)
        try:
            self._api.write(self._config.bucket, self._config.org, body, write_precision="ms")  # type: ignore[arg-type]  # its Enum is strings
        except ApiException as error:
            text = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
            if not error.status:  # so it calls a connection that TLS forbids
                raise AwayError(reason(error.reason)) from error
            judge(error.status, text, dict(error.headers or {}), self._config)
        except LocationValueError as error:
            raise UnwillingError(f"{reason(error)}: correct url") from error
        except (HTTPError, OSError) as error:
            raise AwayError(reason(error)) from error


class V1Write:
    """Plain line protocol."""

    def __init__(self, config: InfluxConfig) -> None:
        self._config = config
        self._client = httpx.Client(
            auth=(config.username, config.password) if config.username else None,
            params={"db": config.database, "precision": "ms"},
            headers={"Content-Type": "text/plain; charset=utf-8"}
            | ({"Content-Encoding": "gzip"} if config.gzip else {}),
            timeout=TIMEOUT_S,
            verify=create_default_context(),  # the authorities of this machine, as the other API's client does
            trust_env=False,
        )

    def __call__(self, lines: Sequence[str]) -> None:
        """Contract of `Write`."""
        body = "\n".join(lines).encode()
        try:
            answer = self._client.post(
                f"{self._config.url.rstrip('/')}/write", content=compress(body, 6) if self._config.gzip else body
            )
        except httpx.InvalidURL as error:
            raise UnwillingError(f"{reason(error)}: correct url") from error
        except httpx.HTTPError as error:
            raise AwayError(reason(error)) from error
        judge(answer.status_code, answer.text, answer.headers, self._config)


def judge(status: int, body: str, headers: Mapping[str, str], config: InfluxConfig) -> None:
    """Raise what an answer means; nothing for one that says that all is written."""
    if 200 <= status < 300:
        return
    message = f"{said(body)} ({status})"
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        of_lines = status == HTTPStatus.UNPROCESSABLE_ENTITY or any(word in message.lower() for word in LINE_FAULTS)
        raise RefusedError(message, of_lines=of_lines)
    if status >= 500 or status in PASSING:
        raise AwayError(message, retry_after_s=_retry_after_s(headers))
    raise UnwillingError(f"{message}: {_remedy(status, config)}")


def said(body: str) -> str:
    """The server's own sentence in an error's body: JSON of any version, or whatever it is."""
    text = body.strip()
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            text = str(found.get("message") or found.get("error") or text)
    return text[:MESSAGE_LIMIT] or "no reason given"


def reason(error: object) -> str:
    """Why a request did not come to an answer, in one line; the same one each time, or it would be told each time."""
    if isinstance(error, Urllib3Timeout | httpx.TimeoutException) and not isinstance(error, NewConnectionError):
        return f"no answer within {TIMEOUT_S:g} s"
    return " ".join((str(error) or type(error).__name__).split())[:MESSAGE_LIMIT]


def _retry_after_s(headers: Mapping[str, str]) -> float:
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(float(text), LONGEST_RETRY_AFTER_S) if text.isdecimal() else 0.0


def _remedy(status: int, config: InfluxConfig) -> str:
    v1 = config.api == "v1"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if v1:
            return f"set username and password of a user who may write to database '{config.database}'"
        return f"set a token that may write to bucket '{config.bucket}'"
    if status == HTTPStatus.NOT_FOUND:
        if v1:
            return (
                f"create database '{config.database}' (CREATE DATABASE {config.database}), or correct url or database"
            )
        return f"create bucket '{config.bucket}', or correct url, org or bucket; InfluxDB 1.x needs api = \"v1\""
    return "correct url and api"
