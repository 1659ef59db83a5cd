"""A result that is not there yet: awaited like a future, settled without a turn of the event loop.

An asyncio future wakes its task through the loop's queue: a handle, a context and a further turn, several
times a request. A promise runs what waits for it at once, inside the callback that settles it. It offers
as much of a future as asyncio.Task needs (`_asyncio_future_blocking` and its methods), so that a task may
await it too; the task is then woken through the loop as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any


class Promise:
    """Settled once, by `keep` or `fail`, inside its event loop; awaited by one waiter.

    `settled` is what to call at that moment; whoever drives a coroutine by hand sets it. Cancelling it
    (which a cancelled task does) fails it with CancelledError, and whoever would settle it later is ignored.
    `loop` may be None where no task awaits it.
    """

    __slots__ = ("_asyncio_future_blocking", "_callbacks", "_done", "_error", "_value", "loop", "settled")

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self._asyncio_future_blocking = False
        self._callbacks: list[tuple[Callable[[Any], object], Any]] | None = None
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self.settled: Callable[[], None] | None = None

    def keep(self, value: Any) -> None:
        """Bring the result; nothing happens where somebody has given up waiting."""
        if not self._done:
            self._value = value
            self._settle()

    def fail(self, error: BaseException) -> None:
        """Bring an exception instead."""
        if not self._done:
            self._error = error
            self._settle()

    def _settle(self) -> None:
        self._done = True
        if self._callbacks is not None:
            for callback, context in self._callbacks:
                self.get_loop().call_soon(callback, self, context=context)
            self._callbacks = None
        settled, self.settled = self.settled, None
        if settled is not None:
            settled()

    def __await__(self) -> Generator[Any, None, Any]:
        """Give the result, or raise what it failed with."""
        if not self._done:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    # -- what asyncio asks of a future ----------------------------------------------------------------
    def done(self) -> bool:
        """Whether it is settled."""
        return self._done

    def result(self) -> Any:
        """Give the result, or raise what it failed with; raises InvalidStateError while it is open."""
        if self._error is not None:
            raise self._error
        if not self._done:
            raise asyncio.InvalidStateError("the promise is not settled yet")
        return self._value

    def exception(self) -> BaseException | None:
        """Give what it failed with; raises InvalidStateError while it is open."""
        if not self._done:
            raise asyncio.InvalidStateError("the promise is not settled yet")
        return self._error

    def cancelled(self) -> bool:
        """Whether somebody gave up waiting."""
        return isinstance(self._error, asyncio.CancelledError)

    def cancel(self, msg: object = None) -> bool:
        """Give up waiting; False when it is settled already."""
        del msg
        if self._done:
            return False
        self.fail(asyncio.CancelledError())
        return True

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Give the loop that it belongs to."""
        assert self.loop is not None  # a task belongs to a loop
        return self.loop

    def add_done_callback(self, callback: Callable[[Any], object], *, context: Any = None) -> None:
        """Have `callback` called through the loop once it is settled."""
        if self._done:
            self.get_loop().call_soon(callback, self, context=context)
            return
        if self._callbacks is None:
            self._callbacks = []
        self._callbacks.append((callback, context))

    def remove_done_callback(self, callback: Callable[[Any], object]) -> int:
        """Forget a callback; returns how many times it was there."""
        before = self._callbacks or []
        self._callbacks = [row for row in before if row[0] != callback]
        return len(before) - len(self._callbacks)
