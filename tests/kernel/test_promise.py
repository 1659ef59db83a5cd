"""A promise behaves like a future to a task, and wakes a coroutine driven by hand at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kernel.promise import Promise


async def _double(promise: Promise) -> int:
    return 2 * int(await promise)


async def test_a_task_awaits_it_like_a_future() -> None:
    promise = Promise(asyncio.get_running_loop())
    task = asyncio.create_task(_double(promise))
    await asyncio.sleep(0)
    assert not task.done()
    promise.keep(21)
    assert await task == 42


async def test_a_task_gets_its_exception() -> None:
    promise = Promise(asyncio.get_running_loop())
    task = asyncio.create_task(_double(promise))
    await asyncio.sleep(0)
    promise.fail(LookupError("gone"))
    with pytest.raises(LookupError, match="gone"):
        await task


async def test_gather_and_wait_for_take_it() -> None:
    loop = asyncio.get_running_loop()
    one, other = Promise(loop), Promise(loop)
    loop.call_soon(one.keep, 1)
    loop.call_soon(other.keep, 2)
    assert await asyncio.gather(_double(one), _double(other)) == [2, 4]
    never = Promise(loop)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_double(never), 0.01)
    assert never.cancelled()


async def test_a_cancelled_task_cancels_it_and_a_late_result_is_ignored() -> None:
    promise = Promise(asyncio.get_running_loop())
    task = asyncio.create_task(_double(promise))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert promise.cancelled()
    promise.keep(1)
    promise.fail(ValueError())
    assert isinstance(promise.exception(), asyncio.CancelledError)
    assert promise.cancel() is False


def test_settled_runs_inside_the_call_that_settles() -> None:
    loop = asyncio.new_event_loop()
    promise, order = Promise(loop), []
    promise.settled = lambda: order.append("settled")
    promise.keep("value")
    order.append("after")
    assert order == ["settled", "after"]
    assert (promise.done(), promise.result(), promise.exception(), promise.get_loop()) == (
        True,
        "value",
        None,
        loop,
    )
    loop.close()


def test_a_coroutine_driven_by_hand_sees_the_promise_itself() -> None:
    loop = asyncio.new_event_loop()
    promise = Promise(loop)
    coroutine: Coroutine[Any, None, int] = _double(promise)
    assert coroutine.send(None) is promise
    promise.keep(4)
    with pytest.raises(StopIteration) as end:
        coroutine.send(None)
    assert end.value.value == 8
    loop.close()


def test_an_open_promise_has_no_result() -> None:
    loop = asyncio.new_event_loop()
    promise = Promise(loop)
    for ask in (promise.result, promise.exception):
        with pytest.raises(asyncio.InvalidStateError):
            ask()
    assert not promise.done()
    assert not promise.cancelled()
    loop.close()


async def test_callbacks_come_through_the_loop_and_can_be_taken_back() -> None:
    promise, seen = Promise(asyncio.get_running_loop()), []
    promise.add_done_callback(seen.append)
    promise.add_done_callback(print)
    assert promise.remove_done_callback(print) == 1
    promise.keep(1)
    assert seen == []
    await asyncio.sleep(0)
    promise.add_done_callback(seen.append)
    await asyncio.sleep(0)
    assert seen == [promise, promise]
