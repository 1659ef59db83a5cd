"""Tag routes: which majors go through which adapter, and which versions are active."""

from __future__ import annotations

from kernel.bundle.model import Limit
from kernel.contract.version import Version
from registry.api import present
from registry.api.call import Answer, Call
from registry.errors import RequestRefused
from registry.review import routing
from registry.review.environment import Route


def find(call: Call) -> Answer:
    """List all routes."""
    return Answer({"routes": [present.route(one) for one in routing.routes(call.services)]})


def put(call: Call) -> Answer:
    """Bind a major to an adapter, or change the binding."""
    body = call.body
    wanted = Route(
        contract=call.values["contract"],
        major=call.values["major"],
        adapter=body["adapter"],
        current=None,
        limits=tuple(Limit(**one) for one in body.get("limits", ())),
        report_only=body.get("report_only", False),
        timeout_seconds=float(body.get("timeout_seconds", 30)),
        upstream_prefix=body.get("upstream_prefix", ""),
    )
    return Answer(present.route(routing.put_route(call.services, call.principal, wanted)))


def remove(call: Call) -> Answer:
    """Remove a route."""
    routing.remove_route(call.services, call.principal, call.values["contract"], call.values["major"])
    return Answer(None, 204)


def activate(call: Call) -> Answer:
    """Make a frozen version active and current."""
    number = _of_this_major(call, call.body["version"])
    return Answer(
        present.route(routing.activate(call.services, call.principal, call.values["contract"], number))
    )


def deactivate(call: Call) -> Answer:
    """Stop serving a version."""
    number = _of_this_major(call, call.values["version"])
    found = routing.deactivate(call.services, call.principal, call.values["contract"], number)
    return Answer(present.route(found))


def _of_this_major(call: Call, number: str) -> str:
    if Version.parse(number).major != call.values["major"]:
        raise RequestRefused(f"{number} is not of major {call.values['major']}")
    return number
