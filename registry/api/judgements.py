"""Tag reviews: by what a review was judged, through whom, and what the board accepts of it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from registry.api import present
from registry.api.call import Answer, Call
from registry.errors import RequestRefused
from registry.review import catalogue, impact, waiving

if TYPE_CHECKING:
    from datetime import datetime

    from registry.review.model import Use
    from registry.review.services import Services
    from registry.review.waiver import RecordedWaiver


def read(call: Call) -> Answer:
    """Give profile, day and mode, the contract's waivers, and who uses a schema with whom it would break."""
    review = catalogue.review(call.services, call.values["review_id"])
    now = call.services.now()
    judgement = review.assessment.judgement
    told = {name: judgement.policy.get(name, "") for name in ("profile", "fail_on", "as_of", "mode")}
    waivers = [_waiver(one, now) for one in waiving.waivers(call.services, review.contract)]
    return Answer({**told, "waivers": waivers, "uses": [_use(call.services, one) for one in judgement.uses]})


def waive(call: Call) -> Answer:
    """Accept one finding of an open review until a day."""
    review = catalogue.review(call.services, call.values["review_id"])
    body = call.body
    try:
        expires = date.fromisoformat(body["expires"])
    except ValueError:
        raise RequestRefused("`expires` is no date", hint="write it as 2027-01-31") from None
    made = waiving.waive(
        call.services,
        call.principal,
        review,
        fingerprint=body["fingerprint"],
        owner=body["owner"],
        reason=body["reason"],
        expires=expires,
    )
    return Answer(_waiver(made, call.services.now()))


def revoke(call: Call) -> Answer:
    """Take a waiver back."""
    done = waiving.revoke(call.services, call.principal, call.values["waiver_id"], reason=call.body["reason"])
    return Answer(_waiver(done, call.services.now()))


def _use(services: Services, use: Use) -> dict[str, Any]:
    return {
        "contract": use.contract,
        "version": use.version,
        "directions": list(use.directions),
        "verdict": str(use.outcome),
        "findings": present.findings(use.findings),
        "consumers": [present.hit(one) for one in impact.who_is_hit(services, use.contract, use.major)],
    }


def _waiver(row: RecordedWaiver, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "contract": row.contract,
        "fingerprint": row.fingerprint,
        "rule": row.rule,
        "what": row.what[:8_000],
        "owner": row.owner,
        "reason": row.reason,
        "expires": row.expires.isoformat(),
        "review_id": row.review_id,
        "recorded_at": present.moment(row.recorded_at),
        "recorded_by": row.recorded_by,
        "holds": row.holds(now),
        "revoked_at": present.moment(row.revoked_at),
        "revoked_by": row.revoked_by,
        "revoke_reason": row.revoke_reason,
    }
