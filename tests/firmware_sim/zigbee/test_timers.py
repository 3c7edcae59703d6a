"""Timers of the running loop."""

import asyncio

from firmware_sim.zigbee.timers import LoopTimers
from tests.support.sim import eventually


async def test_a_call_comes_once_unless_it_is_called_off():
    timers, rung = LoopTimers(), []
    timers.after(0.0, lambda: rung.append("kept"))
    timers.after(0.0, lambda: rung.append("cancelled")).cancel()
    await eventually(lambda: rung)
    await asyncio.sleep(0)
    assert rung == ["kept"]


async def test_all_are_called_off_together():
    timers, rung = LoopTimers(), []
    timers.after(0.0, lambda: rung.append("a"))
    timers.after(-1.0, lambda: rung.append("b"))
    timers.cancel_all()
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, done.set)
    await done.wait()
    assert rung == []
