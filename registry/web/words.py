"""Turns reviews, verdicts and states into words, shapes and sentences for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel.contract.finding import Bump, Outcome, Severity
from kernel.contract.lifecycle import State
from kernel.contract.version import Version
from kernel.theme.pages import count
from registry.review.model import ReviewState
from registry.review.principal import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.contract.finding import Finding
    from registry.review.model import Review
    from registry.review.principal import Principal

LONGEST_VALUE = 4_000  # characters of one shown value


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is shown: `look` picks shape and colour, `word` says it."""

    look: str
    word: str


STATES: Mapping[State, Look] = {
    State.DRAFT: Look("", "draft"),
    State.IN_REVIEW: Look("accent", "in review"),
    State.FROZEN: Look("good", "frozen"),
    State.DEPRECATED: Look("warn", "deprecated"),
    State.RETIRED: Look("", "retired"),
    State.WITHDRAWN: Look("", "withdrawn"),
    State.REJECTED: Look("bad", "rejected"),
}
ENDS: Mapping[ReviewState, Look] = {
    ReviewState.OPEN: Look("accent", "open"),
    ReviewState.FROZEN: Look("good", "frozen"),
    ReviewState.REJECTED: Look("bad", "rejected"),
    ReviewState.WITHDRAWN: Look("", "withdrawn"),
    ReviewState.SUPERSEDED: Look("", "superseded"),
}
OUTCOMES: Mapping[Outcome, Look] = {
    Outcome.COMPATIBLE: Look("good", "compatible"),
    Outcome.BREAKING: Look("bad", "breaking"),
    Outcome.UNDECIDED: Look("unsure", "undecided"),
}
SEVERITIES: Mapping[Severity, Look] = {  # worst first
    Severity.ERROR: Look("bad", "invalid"),
    Severity.BREAKING: Look("bad", "breaking"),
    Severity.UNDECIDED: Look("unsure", "undecided"),
    Severity.RISKY: Look("warn", "risky"),
    Severity.WARNING: Look("warn", "advice"),
    Severity.SAFE: Look("good", "safe"),
    Severity.INFO: Look("", "note"),
}
RESULTS: Mapping[str, Look] = {
    "passed": Look("good", "passed"),
    "failed": Look("bad", "failed"),
    "undecided": Look("unsure", "undecided"),
}
_ORDER = tuple(SEVERITIES)


def verdict_of(review: Review) -> Look:
    """Show what the machine says of a review in one word."""
    if not review.assessment.comparisons:
        return Look("accent", "first of its major")
    return OUTCOMES[review.assessment.outcome]


def worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    """Sort findings by severity, then by place."""
    return sorted(
        findings, key=lambda finding: (_ORDER.index(finding.severity), finding.pointer, finding.rule)
    )


def sentence(review: Review, consumers: int) -> str:
    """Say in one sentence what approving would mean."""
    label, major = f"{review.contract} {review.version}", Version.parse(review.version).major
    assessment = review.assessment
    bases = [comparison.base_version for comparison in assessment.comparisons]
    if not bases:
        return f"{label} is the first version of major {major}: nothing that anybody uses can break."
    against = _listed(bases)
    broken = [use for use in assessment.judgement.uses if use.outcome is Outcome.BREAKING]
    if broken:
        users = _listed([f"{use.contract} {use.version}" for use in broken])
        return f"{label} would make {users} break its own consumers, once it is built on it."
    accepted = {one.fingerprint for row in assessment.comparisons for one in row.findings if one.waived}
    if assessment.outcome is Outcome.COMPATIBLE and accepted:
        return (
            f"{label} does not keep all that {against} promised: {count(len(accepted), 'finding')} "
            f"{'is' if len(accepted) == 1 else 'are'} waived; it concerns {_consumers(consumers)}."
        )
    if assessment.outcome is Outcome.COMPATIBLE:
        return f"{label} breaks nothing that {against} promised, for any of {_consumers(consumers)}."
    if assessment.outcome is Outcome.BREAKING:
        breaking = {
            finding.fingerprint
            for comparison in assessment.comparisons
            for finding in comparison.findings
            if finding.severity is Severity.BREAKING and not finding.waived
        }
        return (
            f"{label} breaks what {against} promised, in {count(len(breaking), 'place')}; "
            f"it concerns {_consumers(consumers)}."
        )
    return (
        f"It could not be decided whether {label} breaks what {against} promised; that blocks all the same."
    )


def bump_sentence(review: Review) -> str:
    """Say which increment is needed and which was declared."""
    comparisons = review.assessment.comparisons
    if not comparisons:
        return ""
    needed = review.assessment.required_bump
    declared = comparisons[0].declared_bump
    if needed is Bump.NONE:
        return f"The change needs no new version by itself; it declares a {declared} one."
    return f"It needs at least a {needed} version, and declares a {declared} one."


def why_not_approve(review: Review, principal: Principal) -> tuple[str, ...]:
    """Give the reasons why this person cannot approve, in sentences; empty: the button works."""
    reasons = why_not_reject(review, principal)
    if reasons:
        return reasons
    if any(approval.principal == principal.name for approval in review.approvals):
        return ("You have approved this digest already.",)
    return review.blockers


def why_not_reject(review: Review, principal: Principal) -> tuple[str, ...]:
    """Give the reasons why this person cannot decide at all."""
    if review.state is not ReviewState.OPEN:
        return (f"This review has ended: it was {ENDS[review.state].word}.",)
    if not principal.holds(Role.BOARD):
        return ("Only members of the board decide.",)
    if principal.name in review.authors:
        return ("You submitted this version, so others decide on it.",)
    return ()


def waivable(finding: Finding) -> bool:
    """Whether a finding stands in the way and could be accepted."""
    return not finding.waived and finding.severity in {
        Severity.BREAKING,
        Severity.RISKY,
        Severity.UNDECIDED,
    }


def shown(value: Any) -> str:
    """Write a value of a document or a witness as indented JSON, shortened."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}\n… ({len(text):,} characters)"


def roles(principal: Principal) -> str:
    """Name the roles that somebody holds."""
    return ", ".join(sorted(principal.roles)) or "no role"


def _consumers(number: int) -> str:
    return "its consumers (none has a grant yet)" if number == 0 else count(number, "consumer")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
