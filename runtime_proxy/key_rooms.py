"""Chooses where idempotency keys are kept: the one place that knows the concrete stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.sealing.payload import Sealer
from runtime_proxy.idempotency import KeyRoom
from runtime_proxy.idempotency_file import FileStore

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.settings import Settings


def key_room(root: Path, settings: Settings) -> KeyRoom:
    """Give the room of a data folder (or the throw-away folder of `proxy run`); raises `SealingError`."""
    store = FileStore(root / "idempotency", most_bytes=settings["idempotency_max_bytes"])
    return KeyRoom(store, Sealer(root / "keys"))
