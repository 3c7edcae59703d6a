"""What arrives from the edge, handed to the domains and then to the pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from carrel.contracts.actuation import (
    CommandResult,
    CommandStatus,
    OverrideCancel,
    OverrideSet,
    PanelCommand,
    RulesState,
)
from carrel.contracts.alarms import AlarmState, EdgeEvent
from carrel.contracts.config import ConfigState
from carrel.contracts.health import GatewayStatus, LinkReport
from carrel.contracts.network import NetworkState
from carrel.contracts.telemetry import DeviceList, DeviceState, TelemetryBatch
from server.alarms import service as alarms
from server.alarms.book import AlarmBook
from server.deps import Core
from server.devices.names import Names
from server.edge.ingest import Arrived
from server.edge.outbox import Outbox, Settled
from server.live.board import Board
from server.rooms import overrides
from server.rooms.control import RoomControl
from server.rooms.picture import Picture
from server.telemetry.store import TelemetryStore


class EdgeInbox:
    """Satisfies server.edge.ingest.Inbox."""

    def __init__(
        self,
        core: Core,
        outbox: Outbox,
        *,
        picture: Picture,
        store: TelemetryStore,
        board: Board,
        control: RoomControl,
        names: Names,
        alarm_book: AlarmBook,
    ) -> None:
        self._database = core.database
        self._clock = core.clock
        self._outbox = outbox
        self._picture = picture
        self._store = store
        self._board = board
        self._control = control
        self._names = names
        self._alarm_book = alarm_book
        self._reconciled: dict[str, frozenset[tuple[str, datetime]]] = {}
        self._alarms_rev = ""
        self._wishes: Mapping[str, str] = {}

    def forget(self, gateway: str) -> None:
        """It was retired; in the event loop."""
        self._picture.forget(gateway)
        self._board.show_watch()

    def see(self, arrived: Arrived) -> None:
        """Take up a live state and show what changed; in the event loop."""
        gateway = arrived.address.gateway
        match arrived.message:
            case AlarmState() as alarm:
                self._alarm_book.hear(gateway, alarm)
            case EdgeEvent() as event:
                self._alarm_book.hear(gateway, event.alarm)
            case _:
                self._see_state(arrived)

    def _see_state(self, arrived: Arrived) -> None:
        gateway, message = arrived.address.gateway, arrived.message
        match message:
            case DeviceState():
                self._picture.set_device(gateway, arrived.address.id or "", message)
                self._board.show_values(message.zone)
            case RulesState():
                self._picture.set_rules(gateway, message)
                self._board.show_actuators()
            case GatewayStatus():
                self._picture.set_status(gateway, message, self._clock.now())
                self._board.show_watch()
                self._board.show_rulebook()
            case LinkReport():
                self._picture.set_links(gateway, message)
                self._board.show_health()
            case DeviceList():
                self._picture.set_devices(gateway, message)
            case NetworkState():
                self._picture.set_network(gateway, message)
                self._board.show_network()
            case ConfigState():
                self._picture.set_config(gateway, message)
                self._board.show_rulebook()
            case _:
                raise AssertionError(f"{type(message).__name__} is no live state")

    def store(self, arrived: Arrived) -> None:
        """Store it in one transaction; in a worker thread."""
        gateway, message = arrived.address.gateway, arrived.message
        match message:
            case TelemetryBatch():
                self._store.append(message.points)
            case EdgeEvent():
                self._record(gateway, message.alarm)
            case AlarmState():
                self._record(gateway, message)
            case CommandResult():
                self._settle(gateway, message)
                self.look_at_wishes()
            case RulesState():
                self._reconcile(gateway, message)
            case NetworkState():
                self._names.record(gateway, message)
            case _:
                raise AssertionError(f"{type(message).__name__} is not stored")

    def tell(self, arrived: Arrived) -> None:
        """It has been committed; in the event loop."""
        match arrived.message:
            case EdgeEvent() | AlarmState():
                self._board.show_alarms(self._alarms_rev)
            case CommandResult():
                self._outbox.notify(arrived.message.id)
                self.show_wishes()
            case _:
                pass

    def give_up_overdue(self) -> None:
        """End the commands that nobody answered in time; in a worker thread."""
        for id_ in self._outbox.overdue():
            with self._database.writing() as session:
                settled = self._outbox.give_up(session, id_)
                if settled is not None:
                    self._pass_on(session, settled)

    def look_at_wishes(self) -> None:
        """How far people's wishes have come; in a worker thread."""
        self._wishes = self._control.wishes()

    def show_wishes(self) -> None:
        """What was seen by the last look; in the event loop."""
        self._picture.set_wishes(self._wishes)
        self._board.show_actuators()

    def look_at_alarms(self) -> str:
        """The alarms' rev as it is now; in a worker thread."""
        with self._database.reading() as session:
            self._alarms_rev = self._alarm_book.rev(session)
        return self._alarms_rev

    def _record(self, gateway: str, alarm: AlarmState) -> None:
        self._alarm_book.record(gateway, alarm)
        self.look_at_alarms()

    def _settle(self, gateway: str, result: CommandResult) -> None:
        with self._database.writing() as session:
            settled = self._outbox.settle(session, gateway, result)
            if settled is not None:
                self._pass_on(session, settled)

    def _pass_on(self, session: Session, settled: Settled) -> None:
        """To the domain that sent the command, in the transaction that stores the answer."""
        command, result = settled.order.command, settled.result
        self._reconciled.pop(settled.order.gateway, None)
        match command:
            case OverrideSet():
                overrides.answered(session, command, result)
            case OverrideCancel() if result.status is CommandStatus.DONE:
                overrides.cancelled(session, command.override, result.ts)
            case OverrideCancel():
                overrides.not_cancelled(session, command.override)
            case PanelCommand():
                alarms.answered(session, result)

    def _reconcile(self, gateway: str, rules: RulesState) -> None:
        """Overrides change rarely, the table often: only a change of theirs is worth a transaction."""
        held = frozenset((s.override.id, s.override.until) for s in rules.actuators if s.override is not None)
        if self._reconciled.get(gateway) == held:
            return
        with self._database.writing() as session:
            overrides.reconcile(session, gateway, rules)
        self._reconciled[gateway] = held
