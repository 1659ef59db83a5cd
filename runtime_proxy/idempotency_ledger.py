"""What people may see and say of calls whose outcome is not known, in whichever store they stand."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any, Final, Protocol

from kernel.errors import Place
from runtime_proxy.errors import KeysUnavailable
from runtime_proxy.idempotency_owners import Owners
from runtime_proxy.idempotency_rows import RESOLVED_SECONDS, mark_unknown, open_rows, resolve, unresolved
from runtime_proxy.idempotency_store import Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

_LISTED: Final = 10_000


class Ledger(Protocol):
    """The entries with an unknown outcome; everything raises `KeysUnavailable`."""

    def unresolved(self) -> list[Unresolved]:
        """List them, the oldest first."""

    def resolve(self, request_id: str, *, done: bool) -> bool:
        """Settle one; not done: its key is free again. False: there is no such entry."""


class FileLedger:
    """The ledger of the file of one host; it may be read while proxies run."""

    def __init__(self, rows: sqlite3.Connection) -> None:
        self._rows = rows

    def unresolved(self) -> list[Unresolved]:
        """List them, the oldest first."""
        return unresolved(self._rows)

    def resolve(self, request_id: str, *, done: bool) -> bool:
        """Settle one."""
        return resolve(self._rows, request_id, done=done)


@contextlib.contextmanager
def open_file_ledger(folder: Path, most_bytes: int) -> Iterator[Ledger | None]:
    """Open the ledger of a folder; None: no key was ever kept there."""
    file = folder / "keys.sqlite"
    if not file.is_file():
        yield None
        return
    try:
        owners = Owners(folder / "owners")
        try:
            with contextlib.closing(open_rows(file, most_bytes)) as rows:
                mark_unknown(rows, owners)
                yield FileLedger(rows)
        finally:
            owners.close()
    except (sqlite3.Error, OSError) as error:
        raise KeysUnavailable(f"idempotency keys cannot be read: {error}", place=Place(str(file))) from error


class RedisLedger:
    """The ledger of a Redis server, found by going through all keys."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def unresolved(self) -> list[Unresolved]:
        """List them, the oldest first."""
        return sorted((one for _, one in self._found()), key=lambda one: one.since)[:_LISTED]

    def resolve(self, request_id: str, *, done: bool) -> bool:
        """Settle one."""
        for key, one in self._found():
            if one.request_id == request_id:
                if not done:
                    return bool(self._redis.delete(key))
                with self._redis.pipeline() as steps:
                    steps.hset(key, "state", "resolved")
                    steps.expire(key, int(RESOLVED_SECONDS))
                    steps.execute()
                return True
        return False

    def _found(self) -> Iterator[tuple[bytes, Unresolved]]:
        from runtime_proxy.idempotency_redis import ALIVE, ROW  # noqa: PLC0415 - needs redis, which few have

        found: Any
        for key in self._redis.scan_iter(match=ROW + b"*", count=1000):
            found = self._redis.hgetall(key)
            row: dict[bytes, bytes] = found
            state = row.get(b"state")
            if state == b"running" and not self._redis.exists(ALIVE + row[b"owner"]):
                state = b"unknown"
                self._redis.hset(key, "state", "unknown")
            if state == b"unknown":
                yield (
                    key,
                    Unresolved(
                        row=bytes.fromhex(key.removeprefix(ROW).decode()),
                        request_id=row[b"request_id"].decode(),
                        contract=row[b"contract"].decode(),
                        operation=row[b"operation"].decode(),
                        consumer=row[b"consumer"].decode(),
                        since=float(row[b"since"]),
                    ),
                )


@contextlib.contextmanager
def open_redis_ledger(url: str) -> Iterator[Ledger | None]:
    """Open the ledger of a server."""
    from redis import Redis  # noqa: PLC0415 - few have it
    from redis.exceptions import RedisError  # noqa: PLC0415

    redis = Redis.from_url(url, socket_timeout=10.0)
    try:
        yield RedisLedger(redis)
    except (RedisError, OSError) as error:
        raise KeysUnavailable(
            f"idempotency keys cannot be read from Redis: {type(error).__name__}", place=Place("redis_url")
        ) from error
    finally:
        redis.close()
