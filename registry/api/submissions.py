"""Tag submissions: handing a version in."""

from __future__ import annotations

from typing import Final

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import submission
from registry.review.model import Draft

CREATED: Final = 201


def submit(call: Call) -> Answer:
    """Judge a draft; 201 when it is in review, 200 when it was refused or only planned."""
    draft = Draft(
        # Text that came as JSON may hold lone surrogates, which no document may: they become unreadable bytes.
        call.body["document"].encode("utf-8", "surrogatepass"),
        call.body["metadata"].encode("utf-8", "surrogatepass"),
        call.body.get("source") or "document",
    )
    act = submission.plan if call.body.get("plan", False) else submission.submit
    done = act(call.services, call.principal, draft)
    return Answer(present.submission(done), CREATED if done.status == "in-review" else 200)
