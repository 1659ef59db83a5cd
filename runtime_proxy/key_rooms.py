"""Chooses where idempotency keys are kept: the one place that knows the concrete stores."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kernel.errors import SettingsError
from kernel.sealing.payload import Sealer
from runtime_proxy.idempotency import KeyRoom
from runtime_proxy.idempotency_file import FileStore
from runtime_proxy.idempotency_ledger import open_file_ledger, open_redis_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.settings import Settings
    from runtime_proxy.idempotency_ledger import Ledger
    from runtime_proxy.idempotency_store import IdempotencyStore

_FOLDER = "idempotency"


def key_room(root: Path, settings: Settings) -> KeyRoom:
    """Give the room of a data folder (or the throw-away folder of `proxy run`).

    Raises `SealingError`, and `SettingsError` for a store that there is not.
    """
    sealer = Sealer(root / "keys")
    store: IdempotencyStore
    if _in_redis(settings):
        from runtime_proxy.idempotency_redis import RedisStore  # noqa: PLC0415 - needs redis, which few have

        store = RedisStore(settings["redis_url"])
    else:
        store = FileStore(root / _FOLDER, most_bytes=settings["idempotency_max_bytes"])
    return KeyRoom(store, sealer)


def open_ledger(settings: Settings) -> contextlib.AbstractContextManager[Ledger | None]:
    """Open the ledger of the settings' store; None in it: no key was ever kept."""
    if _in_redis(settings):
        return open_redis_ledger(settings["redis_url"])
    return open_file_ledger(settings.path / _FOLDER, settings["idempotency_max_bytes"])


def _in_redis(settings: Settings) -> bool:
    chosen = settings["idempotency_store"]
    if chosen not in {"file", "redis"} or (chosen == "redis" and not settings["redis_url"]):
        raise SettingsError(
            "idempotency_store is file, or redis with redis_url", hint="`interlock explain idempotency_store`"
        )
    return bool(chosen == "redis")
