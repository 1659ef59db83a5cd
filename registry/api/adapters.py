"""Tag adapters: what this environment's routes go through."""

from __future__ import annotations

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import routing


def find(call: Call) -> Answer:
    """List all adapters."""
    return Answer({"adapters": [present.adapter(one) for one in routing.adapters(call.services)]})


def put(call: Call) -> Answer:
    """Enter an adapter, or change its settings."""
    made = routing.put_adapter(
        call.services,
        call.principal,
        name=call.body["name"],
        kind=call.body["kind"],
        settings=call.body.get("settings", {}),
    )
    return Answer(present.adapter(made), 201)


def remove(call: Call) -> Answer:
    """Remove an adapter."""
    routing.remove_adapter(call.services, call.principal, call.values["adapter_name"])
    return Answer(None, 204)
