"""One thread that writes: jobs that arrive together share a transaction, and so one wait for the disk."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from adapters.canonical.engine import WRITES
from adapters.errors import CanonicalStoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

T = TypeVar("T")
_MOST_WAITING = 4096
_MOST_TOGETHER = 64


class Writer:
    """Runs jobs in order; a job's result is given only after the commit that holds it.

    A job that raises takes only itself back (savepoint); when the commit fails, all of its group fail with
    `CanonicalStoreError`, and what they did is either wholly there or wholly not.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.Queue[tuple[Callable[[Connection], Any], Future[Any]] | None] = queue.Queue(
            _MOST_WAITING
        )
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="canonical-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[Connection], T]) -> T:
        """Run a job and wait until its effect is durable."""
        return await asyncio.wrap_future(self.submit(job))

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Put a job in the queue; raises `CanonicalStoreError` when the queue is full or closed."""
        future: Future[T] = Future()
        if self._closed:
            raise CanonicalStoreError("the canonical store is closed")
        try:
            self._jobs.put_nowait((job, future))
        except queue.Full:
            raise CanonicalStoreError(
                "too many messages wait for the disk", hint="is the disk slow?"
            ) from None
        return future

    def close(self) -> None:
        """Finish what waits and end the thread; may be called twice."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._take_group()
            if group:
                self._write(group)

    def _take_group(self) -> tuple[list[tuple[Callable[[Connection], Any], Future[Any]]], bool]:
        group = []
        item = self._jobs.get()
        while item is not None:
            group.append(item)
            if len(group) >= _MOST_TOGETHER:
                return group, False
            try:
                item = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _write(self, group: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._engine.connect().execution_options(**WRITES) as connection, connection.begin():
                for job, future in group:
                    done.append((future, *_attempt(connection, job)))
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of this group may be called durable
            failure = _store_failure(error)
            for _, future in group:
                _settle(future, None, failure)
            return
        for future, result, problem in done:
            _settle(future, result, problem)


def _attempt(connection: Connection, job: Callable[[Connection], Any]) -> tuple[Any, BaseException | None]:
    try:
        with connection.begin_nested():
            return job(connection), None
    except SQLAlchemyError as error:
        if connection.invalidated:  # the whole transaction is gone, not this job alone
            raise
        return None, _store_failure(error)
    except Exception as error:  # noqa: BLE001 - the job's own refusal, told to who asked
        return None, error


def _store_failure(error: Exception) -> CanonicalStoreError:
    cause = getattr(error, "orig", None) or error
    failure = CanonicalStoreError(
        f"the canonical store could not write ({type(cause).__name__})",
        hint="check disk space and the database",
    )
    failure.__cause__ = error
    return failure


def _settle(future: Future[Any], result: Any, problem: BaseException | None) -> None:
    if not future.set_running_or_notify_cancel():
        return  # the caller went away; what was written stays
    if problem is None:
        future.set_result(result)
    else:
        future.set_exception(problem)
