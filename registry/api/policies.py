"""The policies of routes and consumers: one document each, read and set whole."""

from __future__ import annotations

from kernel.bundle.policy_document import policy_document
from registry.api.call import Answer, Call
from registry.review import policies


def of_route(call: Call) -> Answer:
    """Give the policy of a route."""
    found = policies.route_policy(call.services, call.values["contract"], call.values["major"])
    return Answer(policy_document(found))


def set_route(call: Call) -> Answer:
    """Set the policy of a route."""
    contract, major = call.values["contract"], call.values["major"]
    made = policies.set_route_policy(call.services, call.principal, contract, major, call.body)
    return Answer(policy_document(made))


def of_consumer(call: Call) -> Answer:
    """Give the policy of a consumer."""
    return Answer(policy_document(policies.consumer_policy(call.services, call.values["consumer_id"])))


def set_consumer(call: Call) -> Answer:
    """Set the policy of a consumer."""
    consumer_id = call.values["consumer_id"]
    made = policies.set_consumer_policy(call.services, call.principal, consumer_id, call.body)
    return Answer(policy_document(made))
