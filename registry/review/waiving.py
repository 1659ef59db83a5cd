"""The board accepts a finding until a day, and takes that back; what is accepted counts where reviews are looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel.contract.finding import Finding
from registry.compat.policy_judge import bump_under, outcome_under
from registry.compat.policy_profiles import DEFAULT, PROFILE
from registry.compat.policy_waivers import NEVER, NOTHING_TO_WAIVE, waived
from registry.errors import Conflict, NotFound, RequestRefused
from registry.review import quorum
from registry.review.acts import acting, reasoned, record
from registry.review.house_policy import day_of
from registry.review.principal import Role
from registry.review.waiver import RecordedWaiver, in_force

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from registry.compat.policy_profiles import FailOn
    from registry.review.model import Assessment, Comparison, Review, Use
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

    Ruled = Callable[[tuple[Finding, ...]], tuple[Finding, ...]]

LONGEST_OWNER = 100
MOST_DAYS = 3_660  # that a waiver may hold


def waive(
    services: Services,
    principal: Principal,
    review: Review,
    *,
    fingerprint: str,
    owner: str,
    reason: str,
    expires: date,
) -> RecordedWaiver:
    """Record that a finding of an open review is accepted, until the end of a day (UTC).

    It holds for every later submission of the contract that has the very same finding. Raises `NotAllowed` (role
    board), `DutiesNotSeparate`, `Conflict` (review ended, or waived already), `NotFound` (no such finding that could
    be waived), `RequestRefused` (a day that is over, an empty reason or owner).
    """
    reason, owner = reasoned(reason), owner.strip()
    today = day_of(services.now())
    if not owner or len(owner) > LONGEST_OWNER:
        raise RequestRefused("an owner is one line of at most 100 characters", hint="say who answers for it")
    if expires < today or (expires - today).days > MOST_DAYS:
        raise RequestRefused(f"{expires} is over, or too far away", hint=f"choose a day from {today} on")
    with acting(services) as ledger:
        quorum.require_judge(principal, review, act="waive a finding")
        _open(ledger, review)
        finding = _finding(review, fingerprint)
        if any(one.fingerprint == fingerprint for one in _standing(ledger, review.contract, services.now())):
            raise Conflict(f"{fingerprint} is waived already", hint="revoke that waiver first")
        made = RecordedWaiver(
            0, review.contract, fingerprint, finding.rule, finding.what, owner, reason, expires,
            review.id, services.now(), principal.name,
        )  # fmt: skip
        made = replace(made, id=ledger.waivers.add(made))
        _tell(services, ledger, principal, "waive", review.digest, made, reason)
    return made


def revoke(services: Services, principal: Principal, waiver_id: int, *, reason: str) -> RecordedWaiver:
    """Take a waiver back from now on. Raises `NotAllowed` (role board), `NotFound`, `Conflict` (revoked already)."""
    reason = reasoned(reason)
    principal.require(Role.BOARD, act="revoke a waiver")
    with acting(services) as ledger:
        found = ledger.waivers.get(waiver_id)
        if found is None:
            raise NotFound(f"there is no waiver {waiver_id}", hint="a review lists those of its contract")
        if found.revoked_at is not None:
            raise Conflict(f"waiver {waiver_id} was revoked by {found.revoked_by} already")
        ledger.waivers.revoke(waiver_id, services.now(), principal.name, reason)
        _tell(services, ledger, principal, "revoke-waiver", "", found, reason)
        revoked = ledger.waivers.get(waiver_id)
    assert revoked is not None
    return revoked


def waivers(services: Services, contract: str) -> tuple[RecordedWaiver, ...]:
    """Give all waivers of a contract, oldest first, those that are over included."""
    with services.store.reading() as ledger:
        return ledger.waivers.of(contract)


def accepted(ledger: Ledger, review: Review, now: datetime) -> Review:
    """Give a review with what is waived: as of now while it is open, as of its end afterwards."""
    at = review.ended_at or now
    held = in_force(ledger.waivers.of(review.contract), at)
    if not held:
        return review
    whole = ledger.reviews.get(review.id) or review  # lists are read without findings
    assessment = _accepted(whole.assessment, review.contract, held, at)
    if not any(one.findings for one in review.assessment.comparisons):
        assessment = replace(
            assessment, comparisons=tuple(replace(one, findings=()) for one in assessment.comparisons)
        )
    return replace(review, assessment=assessment)


def fail_on_of(assessment: Assessment) -> FailOn:
    """Say whether risky findings blocked when it was judged; older releases judged as `standard` does."""
    told = assessment.judgement.policy.get("fail_on")
    return "breaking" if told == "breaking" else "risky" if told else PROFILE[DEFAULT].fail_on


def _accepted(
    assessment: Assessment, contract: str, held: tuple[RecordedWaiver, ...], at: datetime
) -> Assessment:
    rules = tuple(one.as_rule for one in held)
    fail_on = fail_on_of(assessment)

    def ruled(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(waived(one, rules, contract, day_of(at)) for one in findings)

    uses = tuple(_use(one, ruled, fail_on) for one in assessment.judgement.uses)
    return replace(
        assessment,
        comparisons=tuple(_comparison(one, ruled, fail_on) for one in assessment.comparisons),
        judgement=replace(assessment.judgement, uses=uses),
    )


def _comparison(one: Comparison, ruled: Ruled, fail_on: FailOn) -> Comparison:
    findings = ruled(one.findings)
    if not any(finding.waived for finding in findings):
        return one
    return replace(
        one,
        findings=findings,
        outcome=outcome_under(findings, fail_on),
        required_bump=bump_under(findings, fail_on),
    )


def _use(one: Use, ruled: Ruled, fail_on: FailOn) -> Use:
    findings = ruled(one.findings)
    if not any(finding.waived for finding in findings):
        return one
    return replace(one, findings=findings, outcome=outcome_under(findings, fail_on))


def _finding(review: Review, fingerprint: str) -> Finding:
    groups = [one.findings for one in review.assessment.comparisons]
    groups += [one.findings for one in review.assessment.judgement.uses]
    for finding in (one for group in groups for one in group):
        blocks = finding.severity not in NOTHING_TO_WAIVE and finding.rule not in NEVER
        if finding.fingerprint == fingerprint and blocks:
            return finding
    raise NotFound(
        f"review {review.id} has no finding {fingerprint[:32]!r} that could be waived",
        hint="`interlock review show` names the fingerprints; what is safe needs no waiver",
    )


def _open(ledger: Ledger, review: Review) -> None:
    now = ledger.reviews.get(review.id)
    if now is None or now.ended_at is not None:
        raise Conflict(f"review {review.id} has ended", hint="only what waits for a decision can be waived")


def _standing(ledger: Ledger, contract: str, at: datetime) -> tuple[RecordedWaiver, ...]:
    return in_force(ledger.waivers.of(contract), at)


def _tell(  # noqa: PLR0917 - what the record holds
    services: Services,
    ledger: Ledger,
    principal: Principal,
    act: str,
    digest: str,
    waiver: RecordedWaiver,
    reason: str,
) -> None:
    detail: dict[str, str | int] = {
        "waiver": waiver.id,
        "review": waiver.review_id,
        "fingerprint": waiver.fingerprint,
        "rule": waiver.rule,
        "owner": waiver.owner,
        "expires": str(waiver.expires),
    }
    record(services, ledger, principal, act, waiver.contract, digest=digest, note=reason, detail=detail)
