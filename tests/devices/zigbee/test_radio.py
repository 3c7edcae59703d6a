"""zigpy's beginning and end, whatever moment is chosen for them."""

import asyncio
import threading
from pathlib import Path

import pytest

from carrel.config import load
from devices.zigbee import radio
from devices.zigbee.config import ZigbeeConfig
from tests.support.sim import ROOT, eventually

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
    loading = asyncio.create_task(radio.load(config))
    await eventually(reached[moment])
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    await eventually(lambda: not {t for t in threading.enumerate() if "_connection_worker_thread" in t.name})
