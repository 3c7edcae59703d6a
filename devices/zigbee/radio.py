"""Starts zigpy on a radio and watches for its end. All that is particular to zigpy's radio libraries is here."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sqlite3
import stat
import sys
import traceback
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import zigpy.exceptions
import zigpy.types
from zigpy.application import ControllerApplication

from devices.ending import to_the_end
from devices.errors import (
    DamagedDatabaseError,
    LinkLostError,
    LinkSilentError,
    NoNetworkError,
    RadioResetError,
    WrongDeviceError,
)
from devices.zigbee.config import ZigbeeConfig
from devices.zigbee.network import backup, database

STARTUP_S = 90.0  # forming a network on a real radio takes up to a minute
SREQ_S = 5  # at the start a radio may write flash between question and answer
SERVING_SREQ_S = 2.0  # later it answers within milliseconds
PING_EVERY_S = 3.4
PING_S = 1.5  # so that silence is told within 5 s
STOP_S = 2.0

LIBRARY_LOGS = {
    "zigpy": logging.ERROR,
    "zigpy_znp": logging.ERROR,
    "bellows": logging.CRITICAL,
}
"""zigpy warns of a garbled interview with a trace; the others repeat in many lines what we say in one."""

BROADCASTS = 0xFFF8
"""Short addresses from here on are no device's."""

NO_NETWORK = "the radio has no network: run `carrel zigbee form`, or press Form on the devices page"
HAS_BACKUP = (
    "the radio has no network, but this library's devices belong to one: run `carrel zigbee restore` to bring it back "
    "to this radio, or `carrel zigbee form --replace` to begin anew"
)
OTHER_NETWORK = (
    "the radio holds another network than the one this library's devices belong to: plug in the right radio, or run "
    "`carrel zigbee restore` to bring the network to this one"
)

PORT_GONE = (RuntimeError, AttributeError)
"""What a radio's library runs into between the loss of its port and its end."""

log = logging.getLogger(__name__)

RADIO_MODULES = {"znp": "zigpy_znp.zigbee.application", "bellows": "bellows.zigbee.application"}
"""Imported when chosen: they are slow to import, and bellows is optional."""
RADIO_LIBRARIES = {module.partition(".")[0] for module in RADIO_MODULES.values()}


class RadioWatch:
    """Listens to zigpy for the end of the connection; `lost` then holds the reason."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[ConnectionError] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by zigpy."""
        self.end(LinkLostError(f"the radio's port was lost ({exc or 'end of file'}): plug the radio in again"))

    def end(self, reason: ConnectionError) -> None:
        """Only the first reason counts."""
        if not self.lost.done():
            self.lost.set_result(reason)

    async def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this as long as the connection stands; raises the reason of its end, as what waits for an answer would
        wait in vain."""
        task = asyncio.ensure_future(work)
        either: set[asyncio.Future[Any]] = {self.lost, task}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self.lost.done():
                raise self.lost.result()
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def load(config: ZigbeeConfig) -> ControllerApplication:
    """zigpy with its database of devices, not yet connected; a missing port is told before anything is opened.

    A damaged database is mended from the newest backup and told as DamagedDatabaseError: the next attempt uses it.
    """
    check_port(config.path)
    _quieten()
    config.database.parent.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "device": {"path": config.path, "baudrate": config.baud},
        "database_path": str(config.database),
        "ota": {"enabled": False},
        "topology_scan_enabled": False,
        "watchdog_enabled": False,  # 45 s until it notices; `keep_asking` takes its place
        "backup_enabled": False,  # network/session.py does it
        "validate_network_settings": True,
    }
    if config.kind == "znp":
        _spell_quickly()
        settings["znp_config"] = {"sync_request_timeout": SREQ_S, "async_response_timeout": 3 * SREQ_S}
    try:
        app = await _whole(_radio_class(config.kind).new(settings, start_radio=False))
    except (zigpy.exceptions.CorruptDatabase, sqlite3.DatabaseError) as error:
        said = backup.mend(config.database, config.backups, datetime.now(UTC))
        log.error("%s", said)
        raise DamagedDatabaseError(said) from error
    database.keep_private(config.database)
    database.write_seldom(app)
    _leave_early_frames(app)
    return app


def _leave_early_frames(app: ControllerApplication) -> None:
    """zigpy-znp fails on what devices say before the radio has said who it is; all are read once it serves."""
    inner = getattr(app, "on_af_message", None)
    if inner is None:
        return

    serves = False

    async def heard(message: Any) -> None:
        nonlocal serves
        serves = serves or app.state.node_info.ieee in app.devices
        if serves:
            await inner(message)

    vars(app)["on_af_message"] = heard  # which is what it hands to its radio when it connects


def _spell_quickly() -> None:
    """zigpy-znp spells out each byte on the wire for a trace that is off nearly always, in a twentieth of our time."""
    from zigpy_znp import uart  # noqa: PLC0415  only where that radio is in use

    vars(uart)["Bytes"] = SimpleNamespace(__repr__=lambda data: data.hex(":"))  # all it uses of it


async def _whole(making: Coroutine[Any, Any, ControllerApplication]) -> ControllerApplication:
    """Make it to the end even when cancelled: half made, its database's thread would keep the process from ending."""
    made = asyncio.ensure_future(making)
    try:
        return await to_the_end(made)
    except asyncio.CancelledError:
        if made.exception() is None:
            await stop(made.result())
        raise


async def start(app: ControllerApplication, watch: RadioWatch, *, form: bool) -> None:
    """Connect and resume the network, or restore or form one when the radio has none; raises a ConnectionError."""
    startup = asyncio.ensure_future(app.startup(auto_form=form))
    try:
        waiters: set[asyncio.Future[Any]] = {startup, watch.lost}
        await asyncio.wait(waiters, timeout=STARTUP_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not startup.done():
            startup.cancel()
            await asyncio.wait({startup})
    if watch.lost.done():
        raise watch.lost.result()
    if startup.cancelled():
        raise LinkSilentError(f"the radio did not start within {STARTUP_S:.0f} s")
    _raise_as_connection_error(startup.exception(), has_backup=bool(app.backups.backups))


async def connect(app: ControllerApplication) -> None:
    """Open the port and greet the radio, whatever network it has; raises a ConnectionError."""
    try:
        async with asyncio.timeout(STARTUP_S):
            await app.connect()
    except Exception as error:
        _raise_as_connection_error(error, has_backup=False)


def short_address(nwk: int) -> Any:
    """As zigpy wants it."""
    return zigpy.types.NWK(nwk)  # type: ignore[no-untyped-call]  # zigpy leaves it bare


def watch_resets(app: ControllerApplication, watch: RadioWatch) -> None:
    """A radio that restarts by itself answers pings and has forgotten all else; neither library reacts to it."""
    znp = getattr(app, "_znp", None)  # no public way to MT's own indications
    if znp is None:
        return
    from zigpy_znp.commands import SYS  # noqa: PLC0415  only where that radio is in use

    def reset(indication: Any) -> None:
        name = getattr(indication.Reason, "name", indication.Reason)
        said = f"the radio restarted by itself ({name}) and is started anew; if this goes on, look at its power"
        watch.end(RadioResetError(said))

    znp.callback_for_response(SYS.ResetInd.Callback(partial=True), reset)


def count_bad_frames(app: ControllerApplication, bad: Callable[[str], None]) -> None:
    """zigpy-znp resynchronises in silence; this tells each frame that it dropped."""
    uart = getattr(getattr(app, "_znp", None), "_uart", None)
    if uart is None:
        return
    from zigpy_znp.exceptions import InvalidFrame  # noqa: PLC0415  only where that radio is in use

    extract = uart._extract_frame

    def counted() -> Any:
        try:
            return extract()
        except InvalidFrame:
            bad("a frame with a wrong start or checksum")
            raise

    uart._extract_frame = counted


def limit_answers(app: ControllerApplication, silent: Callable[[str], None]) -> None:
    """Once it serves: give the radio less time for its immediate answers, and tell each that did not come."""
    znp = getattr(app, "_znp", None)
    if znp is None:
        return
    inner = znp.request

    async def limited(request: Any, timeout: float | None = None, **expected: Any) -> Any:  # noqa: ASYNC109  zigpy's
        limit_s = min(timeout or SERVING_SREQ_S, SERVING_SREQ_S)
        try:
            return await inner(request, timeout=limit_s, **expected)
        except TimeoutError:
            silent(f"the radio did not answer {type(request).__qualname__} within {limit_s:g} s")
            raise

    znp.request = limited
    _look_at_failures(znp)


def _look_at_failures(znp: Any) -> None:
    """zigpy-znp shields what it asks from cancellation; asyncio would trace what fails when nobody waits any more."""
    inner = znp.request_callback_rsp

    def asked(**request: Any) -> asyncio.Future[Any]:
        asking: asyncio.Future[Any] = asyncio.ensure_future(inner(**request))
        asking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asking

    znp.request_callback_rsp = asked


async def keep_asking(
    app: ControllerApplication, watch: RadioWatch, doubt: asyncio.Event, silent: Callable[[str], None]
) -> None:
    """Ping the radio now and then, and at once when there is doubt; two unanswered pings end the connection."""
    while True:
        try:
            async with asyncio.timeout(PING_EVERY_S):
                await doubt.wait()
        except TimeoutError:
            pass
        doubt.clear()
        reason = await _ping(app)
        if reason:
            silent(f"the radio does not answer: {reason}")
            reason = await _ping(app)
        if reason:
            watch.end(
                LinkSilentError(f"the radio does not answer: {reason}; if this goes on, unplug it and plug it in again")
            )
            return


async def _ping(app: ControllerApplication) -> str:
    """What went wrong; empty when it answered."""
    try:
        async with asyncio.timeout(PING_S):
            await app.watchdog_feed()
    except Exception as error:  # whatever the library raises, the radio did not answer
        return str(error) or type(error).__name__
    return ""


def _radio_class(kind: str) -> type[ControllerApplication]:
    try:
        module = importlib.import_module(RADIO_MODULES[kind])
    except ModuleNotFoundError as error:
        raise WrongDeviceError(f"zigbee.kind = {kind!r} needs the Python package {error.name}") from error
    found: type[ControllerApplication] = module.ControllerApplication
    return found


async def stop(app: ControllerApplication) -> None:
    """Close port and database, also when cancelled meanwhile: a database left open keeps the process from ending."""
    await to_the_end(_close(app))


async def _close(app: ControllerApplication) -> None:
    """A port that will not close, as one full of unsent bytes, is aborted after STOP_S."""
    for _ in range(2):
        try:
            async with asyncio.timeout(STOP_S):
                await app.shutdown()
                return
        except TimeoutError:
            _abort_port(app)
    log.error("the radio's port or database did not close")


def _abort_port(app: ControllerApplication) -> None:
    uart = getattr(getattr(app, "_znp", None), "_uart", None)
    transport = getattr(uart, "_transport", None)
    if transport is not None:
        transport.abort()


def _quieten() -> None:
    """zigpy tells each interview and failed attempt in long lines; our events and the supervisor say it once."""
    for name, level in LIBRARY_LOGS.items():
        library = logging.getLogger(name)
        if not library.isEnabledFor(logging.DEBUG):  # unless someone debugs
            library.setLevel(level)
    logging.getLogger("zigpy.zcl").addFilter(_NO_CUT_OFF)


class _NoCutOff(logging.Filter):
    """zigpy.zcl traces each answer of ours that the end of a connection cuts off, dozens at a time, and the link says
    it in one line. All else that it tells is a fault, perhaps our own: its tasks run our code too."""

    def filter(self, _record: logging.LogRecord) -> bool:
        """Called while the error is being handled."""
        return not is_cut_off(sys.exc_info()[1])


_NO_CUT_OFF = _NoCutOff()


def is_cut_off(error: BaseException | None) -> bool:
    """Whether it is what a task meets whose radio has gone: cancelled, or failed inside the radio's own library."""
    if isinstance(error, asyncio.CancelledError):
        return True
    if not isinstance(error, PORT_GONE) or error.__traceback__ is None:
        return False
    *_, (last, _line) = traceback.walk_tb(error.__traceback__)
    return str(last.f_globals.get("__name__", "")).partition(".")[0] in RADIO_LIBRARIES


def check_port(path: str) -> None:
    """Raises a ConnectionError for a serial port that is not there; a network address is tried when it is opened."""
    if "://" in path:
        return
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        raise LinkLostError(f"cannot open {path}: {error.strerror}; is the radio plugged in?") from error
    if not stat.S_ISCHR(mode):
        raise WrongDeviceError(f"{path} is not a serial port")


def _raise_as_connection_error(error: BaseException | None, *, has_backup: bool) -> None:
    if error is None:
        return
    if isinstance(error, zigpy.exceptions.NetworkNotFormed):
        raise NoNetworkError(HAS_BACKUP if has_backup else NO_NETWORK) from error
    if isinstance(error, zigpy.exceptions.NetworkSettingsInconsistent):
        raise WrongDeviceError(OTHER_NETWORK) from error
    if isinstance(error, TimeoutError):
        raise LinkSilentError("the radio did not answer: is it a radio of this kind, and with its firmware?") from error
    if isinstance(error, zigpy.exceptions.TransientConnectionError | OSError):
        raise LinkLostError(
            f"cannot connect to the radio: {error.__cause__ or error or type(error).__name__}"
        ) from error
    if isinstance(error, zigpy.exceptions.ZigbeeException | zigpy.exceptions.RadioException):
        raise LinkSilentError(f"the radio did not start: {error or type(error).__name__}") from error
    raise error
