"""Tag reviews: what waits for the board, and its decisions."""

from __future__ import annotations

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import catalogue, decision
from registry.review.model import ReviewState


def find(call: Call) -> Answer:
    """List reviews, oldest first, without their findings."""
    state = call.values.get("state")
    found = catalogue.reviews(
        call.services,
        state=None if state is None else ReviewState(state),
        limit=call.values.get("limit", 100),
        after=call.values.get("after", 0),
    )
    return Answer({"reviews": [present.review(one) for one in found]})


def read(call: Call) -> Answer:
    """Give one review, complete."""
    return Answer(present.review(catalogue.review(call.services, call.values["review_id"])))


def document(call: Call) -> Answer:
    """Give the submitted bytes as text."""
    data, media = catalogue.review_document(call.services, call.values["review_id"])
    return Answer({"media": media, "document": data.decode("utf-8")})


def approve(call: Call) -> Answer:
    """Approve exactly one digest."""
    done = decision.approve(
        call.services,
        call.principal,
        call.values["review_id"],
        digest=call.body["digest"],
        reason=call.body["reason"],
    )
    return Answer(present.review(done))


def reject(call: Call) -> Answer:
    """Reject exactly one digest."""
    done = decision.reject(
        call.services,
        call.principal,
        call.values["review_id"],
        digest=call.body["digest"],
        reason=call.body["reason"],
    )
    return Answer(present.review(done))


def withdraw(call: Call) -> Answer:
    """Take a submission back."""
    done = decision.withdraw(
        call.services, call.principal, call.values["review_id"], reason=call.body["reason"]
    )
    return Answer(present.review(done))
