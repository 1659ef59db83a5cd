"""Tag bundles: what the proxy runs from."""

from __future__ import annotations

from registry.api.call import Answer, Call
from registry.review import acts


def current(call: Call) -> Answer:
    """Say which editions lie in the bundle folder."""
    with call.services.store.reading() as ledger:
        return Answer({row.part: row.published for row in ledger.serials.all()})


def republish(call: Call) -> Answer:
    """Write all parts again under new serials, for after a restore."""
    acts.republish(call.services, call.principal)
    return current(call)
