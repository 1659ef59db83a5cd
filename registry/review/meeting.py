"""Whether what is served meets what a caller was built against: by the board's verdicts, else by comparing now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel.contract.finding import Finding, Outcome, Severity
from kernel.contract.lifecycle import FROZEN_FOR_EVER
from kernel.contract.version import Version
from kernel.errors import InterlockError
from registry.review.catalogue import known_version
from registry.review.operations import concerns, named_operations
from registry.review.references import self_contained
from registry.review.release import Answer

if TYPE_CHECKING:
    from registry.review.model import ContractVersion
    from registry.review.ports import Ledger
    from registry.review.release import Need
    from registry.review.services import Services

MOST_COMPARED = 20  # pairs that one question may compare anew
_SHOWN = 3  # findings that one sentence names
_BLOCKING = frozenset({Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED})
_ANNOUNCED = frozenset(
    {"removed-after-sunset", "unstable-not-compared"}
)  # a caller may rely on it all the same
_Judged = tuple[Outcome, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Meeting:
    """The answer for one need and one served version; `why` continues a sentence."""

    answer: Answer
    why: str


class Meetings:
    """Judges needs within one view of the registry; each pair of versions is compared once.

    At most `most_compared` pairs that no review compared are compared now, and the rest is unknown. Never
    raises for what stands in the documents.
    """

    def __init__(self, services: Services, ledger: Ledger, *, most_compared: int = MOST_COMPARED) -> None:
        self._services = services
        self._ledger = ledger
        self._left = most_compared
        self._known: dict[tuple[str, str], _Judged | None] = {}

    def meet(self, need: Need, served: str) -> Meeting:
        """Judge one served version against one need."""
        wanted, given = Version.parse(need.version), Version.parse(served)
        if given == wanted:
            return Meeting(Answer.YES, "it is the same version")
        if given.major != wanted.major:
            return Meeting(Answer.NO, f"{given.major}.x is another major than {wanted.major}.x")
        base, new = (known_version(self._ledger, need.contract, one) for one in (need.version, served))
        if new.state not in FROZEN_FOR_EVER:
            return Meeting(Answer.NO, f"{new.label} is {new.state}, not frozen")
        judged = self._pair(base, new)
        if judged is None:
            return Meeting(Answer.UNKNOWN, "the two were not compared")
        return _said(self._ledger, need, base, judged)

    def _pair(self, base: ContractVersion, new: ContractVersion) -> _Judged | None:
        key = (base.label, new.label)
        if key not in self._known:
            judged = self._reviewed(base, new)
            if judged is None and self._left > 0:
                self._left -= 1
                with suppress(InterlockError):  # what cannot be compared is unknown, and blocks
                    judged = self._compared(base, new)
            self._known[key] = judged
        return self._known[key]

    def _reviewed(self, base: ContractVersion, new: ContractVersion) -> _Judged | None:
        """Give what was found when the newer version was reviewed; None where that pair was not compared."""
        review = self._ledger.reviews.get(new.review_id)
        for one in review.assessment.comparisons if review else ():
            if (one.base_version, one.base_digest) == (base.version, base.digest):
                return one.outcome, one.findings
        return None

    def _compared(self, base: ContractVersion, new: ContractVersion) -> _Judged:
        old, later = (self_contained(self._ledger, one.digest) for one in (base, new))
        verdict = self._services.engines.compare(old, later, new.kind)
        return verdict.outcome, verdict.findings


def _said(ledger: Ledger, need: Need, base: ContractVersion, judged: _Judged) -> Meeting:
    outcome, findings = judged
    if need.operations:
        known = named_operations(self_contained(ledger, base.digest), base.kind)
        pointers = {known[name] for name in need.operations if name in known}
        findings = tuple(one for one in findings if concerns(one, pointers))
    accepted = [one for one in findings if one.waived and one.severity in _BLOCKING]
    if outcome is Outcome.COMPATIBLE and accepted:
        return Meeting(
            Answer.UNKNOWN,
            f"the board waived what may break whoever relies on {need.version}: {_listed(accepted)}",
        )
    allowed = [one for one in findings if _lets_pass(one)]
    if outcome is Outcome.COMPATIBLE and allowed:
        return Meeting(
            Answer.UNKNOWN,
            f"the policy lets pass what may break whoever relies on {need.version}: {_listed(allowed)}",
        )
    if outcome is Outcome.COMPATIBLE:
        return Meeting(Answer.YES, f"it keeps what {need.version} promised")
    breaking = [one for one in findings if one.severity in {Severity.BREAKING, Severity.RISKY}]
    if breaking:
        return Meeting(Answer.NO, f"it breaks what {need.version} promised: {_listed(breaking)}")
    open_ones = [one for one in findings if one.severity is Severity.UNDECIDED]
    if open_ones or not need.operations:
        what = f": {_listed(open_ones)}" if open_ones else ""
        return Meeting(Answer.UNKNOWN, f"whether it keeps what {need.version} promised is undecided{what}")
    return Meeting(Answer.YES, "what it breaks is in operations that are not relied on")


def _lets_pass(finding: Finding) -> bool:
    """Whether the policy let a change pass for what was announced or accepted, and not since it breaks nobody."""
    return finding.rule in _ANNOUNCED or finding.excused or finding.severity in _BLOCKING


def _listed(findings: list[Finding]) -> str:
    shown = "; ".join(f"{one.what} [{one.rule}]" for one in findings[:_SHOWN])
    more = len(findings) - _SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown
