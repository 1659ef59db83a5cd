"""Tag keys: API keys of consumers."""

from __future__ import annotations

from registry.api import present
from registry.api.call import Answer, Call
from registry.review import access


def issue(call: Call) -> Answer:
    """Make a key; the answer is the only place where it ever stands whole."""
    issued = access.issue_key(
        call.services, call.principal, call.values["consumer_id"], expires_at=call.moment("expires_at")
    )
    return Answer({"key": present.key(issued.key), "presented": issued.presented}, 201)


def revoke(call: Call) -> Answer:
    """Revoke a key."""
    found = access.revoke_key(
        call.services, call.principal, call.values["consumer_id"], call.values["key_id"]
    )
    return Answer(present.consumer(found))
