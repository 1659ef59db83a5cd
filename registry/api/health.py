"""Tag health: whether the registry can do its work."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from registry.api.call import Answer, Call
from registry.errors import StoreFailed

_MANY_WAITING = 1_000  # audit records; so many mean that the journal has not taken any for a while


def read(call: Call) -> Answer:
    """Read from the database, and look whether audit records reach their journal; raises `StoreFailed`."""
    with call.services.store.reading() as ledger:
        waiting = ledger.outbox.count()
    if waiting > _MANY_WAITING:
        raise StoreFailed(f"{waiting} audit records wait for the journal", hint="see the registry's log")
    try:
        release = installed("interlock")
    except PackageNotFoundError:
        release = "0"
    return Answer({"status": "ok", "version": release})
