"""zigpy's beginning and end, whatever moment is chosen for them."""

import asyncio
import logging
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from zigpy_znp.commands import AF

from carrel.config import load
from devices.zigbee import radio
from devices.zigbee.config import ZigbeeConfig
from tests.support.field import open_radio
from tests.support.sim import ROOT, eventually
from tests.support.zigbee_site import site

EARLY = AF.IncomingMsg.Callback(
    GroupId=0, ClusterId=0x0402, SrcAddr=0x1234, SrcEndpoint=1, DstEndpoint=1, WasBroadcast=False, LQI=200,
    SecurityUse=False, TimeStamp=0, TSN=1, Data=b"\x18\x01\x0a\x00\x00\x29\xc4\x09",
    MacSrcAddr=0x1234, MsgResultRadius=30,
)  # fmt: skip
SHIPPED = load(ROOT / "config.toml", environ={}).section("zigbee", ZigbeeConfig)


@pytest.mark.parametrize("moment", ["begun", "opened", "writing"])
async def test_a_start_that_is_cancelled_leaves_no_thread_that_would_keep_the_process(
    moment: str, tmp_path: Path
) -> None:
    database = tmp_path / "zigbee.db"
    reached = {
        "begun": lambda: True,
        "opened": database.exists,
        "writing": lambda: database.exists() and database.stat().st_size,
    }
    (tmp_path / "port").symlink_to("/dev/ptmx")
    config = SHIPPED.model_copy(update={"path": str(tmp_path / "port"), "database": database})
    before = set(threading.enumerate())
    loading = asyncio.create_task(radio.load(config))
    await eventually(reached[moment])
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    await eventually(lambda: not {t for t in set(threading.enumerate()) - before if "_connection_worker" in t.name})


@pytest.mark.parametrize("turns", [0, 1, 3, 10])
async def test_an_end_that_is_cancelled_leaves_no_thread_either(turns: int, tmp_path: Path) -> None:
    """As when the radio is unplugged in the moment in which the gateway is told to stop."""
    before = set(threading.enumerate())
    async with open_radio(tmp_path, devices=()):
        app = await radio.load(site(tmp_path, ()))
        await radio.start(app, radio.RadioWatch(), form=True)
        ending = asyncio.create_task(radio.stop(app))
        for _ in range(2):
            for _ in range(1 + turns):
                await asyncio.sleep(0)
            ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert not {t for t in set(threading.enumerate()) - before if "_connection_worker" in t.name}


async def test_a_report_that_comes_before_the_radio_has_said_who_it_is_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "port").symlink_to("/dev/ptmx")
    app = await radio.load(
        SHIPPED.model_copy(update={"path": str(tmp_path / "port"), "database": tmp_path / "zigbee.db"})
    )
    try:
        await app.on_af_message(EARLY)  # type: ignore[attr-defined]  # zigpy-znp's
    finally:
        await radio.stop(app)


async def test_only_its_owner_may_read_the_networks_key(tmp_path: Path) -> None:
    (tmp_path / "port").symlink_to("/dev/ptmx")
    database = tmp_path / "zigbee.db"
    app = await radio.load(SHIPPED.model_copy(update={"path": str(tmp_path / "port"), "database": database}))
    try:
        assert modes(tmp_path) == {0o600}
    finally:
        await radio.stop(app)


def modes(folder: Path) -> set[int]:
    """Permissions of the database and its companions."""
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("zigbee.db*")}


def test_what_the_end_of_a_connection_cuts_off_is_not_traced_and_a_fault_of_ours_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    radio._quieten()
    library = logging.getLogger("zigpy.zcl")

    def failing(name: str, error: str) -> Callable[[], None]:
        """Code of a module of that name."""
        space: dict[str, object] = {"__name__": name}
        exec(f"def fail():\n    raise {error}", space)
        made = space["fail"]
        assert callable(made)
        return made  # type: ignore[return-value]

    def tell(fail: Callable[[], None]) -> bool:
        caplog.clear()
        try:
            fail()
        except BaseException:
            library.exception("task failed")
        return bool(caplog.records)

    assert not tell(failing("zigpy.zcl", "__import__('asyncio').CancelledError"))
    assert not tell(failing("zigpy_znp.zigbee.application", "AttributeError('_znp')"))
    assert not tell(failing("bellows.ezsp", "RuntimeError('closed')"))
    assert tell(failing("devices.zigbee.ias", "AttributeError('ours')"))
    assert tell(failing("zigpy_znp.api", "KeyError('theirs')"))
    assert tell(failing("zigpy.zcl", "TypeError('wrong argument of ours')"))
