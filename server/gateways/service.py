"""Retiring a gateway that will not come back; one that speaks again is back by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

import aiomqtt

from carrel.contracts.health import GatewayStatus
from carrel.sections import Common
from server.alarms import service as alarms
from server.audit import service as audit
from server.db import Database
from server.deps import Core, Principal
from server.edge.clearing import clear
from server.gateways.errors import BrokerAwayError, GatewayOnlineError, NotClearedError, UnknownGatewayError
from server.rooms.service import Rooms

log = logging.getLogger(__name__)


class Gateways:
    """Of one server process; `app.state.gateways`."""

    def __init__(self, core: Core, rooms: Rooms) -> None:
        self._core = core
        self._rooms = rooms

    def retire(self, gateway: str, *, by: Principal, even_if_online: bool = False) -> None:
        """End its alarms here, and clear all that the broker retains of it.

        Blocks for some seconds; not inside a transaction. Raises UnknownGatewayError, GatewayOnlineError,
        BrokerAwayError, NotClearedError.
        """
        picture = self._rooms.picture
        if gateway not in picture.gateways():
            raise UnknownGatewayError
        if picture.unreached:
            raise BrokerAwayError
        if picture.standing(gateway) != "unknown":
            check_gone(picture.gateways()[gateway].status, even_if_online=even_if_online)
        core = self._core
        forget(core.database, core.settings.common, gateway, by=By(by.user, by.subject), now=core.clock.now())


def check_gone(status: GatewayStatus | None, *, even_if_online: bool) -> None:
    """Raises GatewayOnlineError. A broker that was ended hard may retain for ever that a gateway is online."""
    if status is not None and status.state == "online" and not even_if_online:
        raise GatewayOnlineError(status.since)


@dataclass(frozen=True, slots=True)
class By:
    """Who retires: as alarms name them, and as the audit log does."""

    user: str
    subject: str


def forget(database: Database, common: Common, gateway: str, *, by: By, now: datetime) -> None:
    """As `retire`, of a gateway that is known and gone. Raises BrokerAwayError, NotClearedError."""
    with database.writing() as session:
        ended = alarms.abandon(session, gateway, by=by.user, now=now)
        audit.record(
            session, actor=by.subject, action="gateway.retire", target=f"gateway:{gateway}", at=now,
            detail={"alarms": ended},
        )  # fmt: skip
    try:
        cleared = asyncio.run(clear(common.mqtt, common.library.branch, gateway))
    except (aiomqtt.MqttError, OSError) as error:
        log.warning("gateway %s is not retired: %s", gateway, error)
        raise BrokerAwayError from error
    if not cleared:
        raise NotClearedError
