"""Tag contracts."""

from __future__ import annotations

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import catalogue, impact


def find(call: Call) -> Answer:
    """List contracts by name."""
    found = catalogue.contracts(
        call.services,
        search=call.values.get("search", ""),
        limit=call.values.get("limit", 100),
        after=call.values.get("after", ""),
    )
    return Answer({"contracts": [present.contract(one) for one in found]})


def read(call: Call) -> Answer:
    """Give one contract with its versions."""
    return Answer(present.contract(catalogue.contract(call.services, call.values["name"])))


def consumers(call: Call) -> Answer:
    """List the consumers that a major concerns."""
    found = impact.who_is_hit(call.services, call.values["name"], call.values["major"])
    return Answer({"consumers": [present.hit(one) for one in found]})
