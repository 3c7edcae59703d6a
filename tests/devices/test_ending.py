"""Whether a task was told to end, also when something swallowed the cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from devices.ending import apart, end_if_told, to_the_end, told_to_end


async def test_a_task_that_nobody_cancelled_goes_on() -> None:
    assert not told_to_end()
    end_if_told()


async def test_a_swallowed_cancellation_is_not_forgotten() -> None:
    told: list[bool] = []

    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        told.append(told_to_end())
        end_if_told()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [True]


async def test_a_time_limit_that_ran_out_is_no_order_to_end() -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    assert not told_to_end()


async def test_outside_of_any_task_there_is_nothing_to_go_on_with() -> None:
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: answer.set_result(told_to_end()))
    assert await answer


async def test_work_apart_gives_its_value_and_its_failure() -> None:
    async def work(fails: bool) -> int:
        if fails:
            raise OSError("unplugged")
        return 7

    assert await apart(work(False)) == 7
    with pytest.raises(OSError, match="unplugged"):
        await apart(work(True))
    assert not told_to_end()


async def test_a_task_group_that_fails_apart_leaves_nobody_told_to_end() -> None:
    async def fail() -> None:
        raise OSError("unplugged")

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            tasks.create_task(asyncio.Event().wait())

    for _ in range(2):  # a loop around it goes on
        with pytest.raises(ExceptionGroup):
            await apart(group())
        assert not told_to_end()


async def test_work_apart_ends_with_whoever_waits_for_it() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    waiting = asyncio.create_task(apart(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["work"]


async def test_what_is_done_to_the_end_is_not_cut_off_by_any_number_of_cancellations() -> None:
    steps: list[int] = []

    async def closing() -> None:
        for step in range(20):
            await asyncio.sleep(0)
            steps.append(step)

    task = asyncio.create_task(to_the_end(closing()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(steps) == 20


async def test_what_is_done_to_the_end_gives_its_value_and_its_failure_and_a_cancellation_comes_before_both() -> None:
    async def work(fails: bool) -> int:
        await asyncio.sleep(0)
        if fails:
            raise OSError("unplugged")
        return 7

    assert await to_the_end(work(False)) == 7
    with pytest.raises(OSError, match="unplugged"):
        await to_the_end(work(True))
    task = asyncio.create_task(to_the_end(work(True)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
