"""Denials: consumers and routes that are closed at once, and keys that were revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.bundle.deny import Denied
from registry.api.call import Answer, Call
from registry.review import denials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.deny import Denial


def find(call: Call) -> Answer:
    """List what is denied now."""
    return Answer(_list(denials.denials(call.services)))


def deny_consumer(call: Call) -> Answer:
    """Deny a consumer."""
    return _deny(call, Denied("consumer", call.values["consumer_id"]))


def allow_consumer(call: Call) -> Answer:
    """Lift the denial of a consumer."""
    return _allow(call, Denied("consumer", call.values["consumer_id"]))


def deny_route(call: Call) -> Answer:
    """Deny a route."""
    return _deny(call, _route(call))


def allow_route(call: Call) -> Answer:
    """Lift the denial of a route."""
    return _allow(call, _route(call))


def _route(call: Call) -> Denied:
    return Denied("route", f"{call.values['contract']}/v{call.values['major']}")


def _deny(call: Call, what: Denied) -> Answer:
    return Answer(_list(denials.deny(call.services, call.principal, what, call.body["reason"])))


def _allow(call: Call, what: Denied) -> Answer:
    return Answer(_list(denials.allow(call.services, call.principal, what)))


def _list(rows: Iterable[Denial]) -> dict[str, Any]:
    return {
        "denials": [
            {"kind": row.what.kind, "name": row.what.name, "at": row.at, "by": row.by, "reason": row.reason}
            for row in rows
        ]
    }
