"""Tag consumers: calling systems, grants and limits."""

from __future__ import annotations

from kernel.bundle.model import Grant, Limit
from registry.api import present
from registry.api.call import Answer, Call
from registry.review import access


def find(call: Call) -> Answer:
    """List all consumers."""
    return Answer({"consumers": [present.consumer(one) for one in access.consumers(call.services)]})


def read(call: Call) -> Answer:
    """Give one consumer."""
    return Answer(present.consumer(access.consumer(call.services, call.values["consumer_id"])))


def add(call: Call) -> Answer:
    """Enter a consumer."""
    made = access.add_consumer(
        call.services,
        call.principal,
        consumer_id=call.body["id"],
        name=call.body["name"],
        audience=call.body["audience"],
    )
    return Answer(present.consumer(made), 201)


def set_grant(call: Call) -> Answer:
    """Grant a contract's major, pinned or not."""
    given = Grant(
        call.values["contract"],
        call.values["major"],
        call.body.get("pin"),
        tuple(call.body.get("scopes", ())),
    )
    return Answer(
        present.consumer(access.grant(call.services, call.principal, call.values["consumer_id"], given))
    )


def drop_grant(call: Call) -> Answer:
    """Take a grant away."""
    found = access.withdraw_grant(
        call.services,
        call.principal,
        call.values["consumer_id"],
        call.values["contract"],
        call.values["major"],
    )
    return Answer(present.consumer(found))


def set_limit(call: Call) -> Answer:
    """Set a named limit."""
    limit = Limit(call.values["limit_name"], call.body["requests"], call.body["seconds"], call.body["burst"])
    found = access.set_limit(call.services, call.principal, call.values["consumer_id"], limit)
    return Answer(present.consumer(found))


def drop_limit(call: Call) -> Answer:
    """Remove a named limit."""
    found = access.drop_limit(
        call.services, call.principal, call.values["consumer_id"], call.values["limit_name"]
    )
    return Answer(present.consumer(found))
