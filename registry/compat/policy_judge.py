"""Judges a change under a policy: what may go, what promises nothing, what counts how much, what was accepted.

The engines prove; this decides what follows. Nothing that a file says can turn *undecided* into *compatible*
without a name and a reason beside the finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.document import Kind
from kernel.contract.finding import Bump, Finding, Outcome, Ruling, Severity, Verdict
from registry.compat.bare_schema import Role
from registry.compat.policy import compare, engines, in_order, is_more_than_notes, set_apart
from registry.compat.policy_lifecycle import Announced, Lives, lives, remark
from registry.compat.policy_modes import DEFAULT_MODE, Mode, role_of
from registry.compat.policy_parts import Part
from registry.compat.policy_profiles import DEFAULT, PROFILE, FailOn, Profile
from registry.compat.policy_pruning import Pruned, pruned
from registry.compat.policy_severities import UNBENDING, needs_a_name
from registry.compat.policy_tables import CompatTable, Override, Waiver
from registry.compat.policy_waivers import waived
from registry.compat.rules import BY_ID

if TYPE_CHECKING:
    from kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class Policy:
    """How findings are judged, and on which day: a clock is read by nobody below the command line.

    `fail_on` is the profile's, unless it was given.
    """

    as_of: date
    profile: Profile = PROFILE[DEFAULT]
    given_fail_on: FailOn | None = None
    severities: Mapping[str, str | Override] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    @property
    def fail_on(self) -> FailOn:
        """Whether risky findings block like breaking ones."""
        return self.given_fail_on or self.profile.fail_on

    def believing(self) -> Policy:
        """Give the policy for a tree without a base: there the day of an announcement is only what it says itself."""
        return replace(self, profile=replace(self.profile, believes_dates=True))

    def described(self, mode: Mode | None = None) -> dict[str, str]:
        """Say what was judged by, for reports and stored verdicts."""
        said = {"profile": self.profile.name, "fail_on": self.fail_on, "as_of": str(self.as_of)}
        return said if mode is None else {**said, "mode": str(mode)}


def policy_of(
    table: CompatTable,
    as_of: date,
    waivers: tuple[Waiver, ...] = (),
    *,
    profile: str | None = None,
    fail_on: FailOn | None = None,
) -> Policy:
    """Make a policy of what interlock.toml says; what is given beside it wins over the file."""
    chosen = PROFILE[profile or table.profile]
    if table.notice_days is not None:
        days = table.notice_days
        chosen = replace(chosen, notice_days=days, beta_notice_days=min(days, chosen.beta_notice_days))
    return Policy(as_of, chosen, fail_on or table.fail_on, table.severity, waivers)


def judge(
    old: Any,
    new: Any,
    kind: Kind,
    policy: Policy,
    *,
    contract: str = "",
    mode: Mode | None = None,
    used: frozenset[str] = frozenset(),
    announced: Sequence[Announced] = (),
    settings: Settings | None = None,
) -> Verdict:
    """Judge `new` against `old` under a policy; both are self-contained roots of one kind.

    `contract` is the name that waivers may be narrowed to. For schemas, `mode` (default FULL_TRANSITIVE) says which
    direction counts, `used` in which of them contracts use the schema. `announced` is what released versions between
    the two announced of their ends (`announcements`). Deterministic: same input, same verdict.
    """
    chosen = (mode or DEFAULT_MODE) if kind == "schema" else None
    found = lives(old, new, policy.profile, policy.as_of, announced)
    role = role_of(chosen, used) if chosen else None
    raw, asked = _compared((old, new), kind, found, role, settings)
    told = [_remarked(one, found, policy) for one in raw]
    if not told and not found.findings and canonical_bytes(old) != canonical_bytes(new):
        rule = BY_ID["notes-changed"]
        told = [Finding.of(rule, "", "Only notes changed", base_pointer="")]
    ruled = [ruling(one, policy, chosen, contract) for one in (*told, *found.findings)]
    findings = in_order(set_apart(ruled))
    return Verdict(
        outcome_under(findings, policy.fail_on),
        bump_under(findings, policy.fail_on),
        findings,
        asked,
        policy.described(chosen),
    )


def _compared(
    ends: tuple[Any, Any], kind: Kind, found: Lives, role: Role | None, settings: Settings | None
) -> tuple[list[Finding], dict[str, str]]:
    """Compare what promises anything: without the parts that may go, in each direction in its own way."""
    if ("schema",) in found.unstable:
        return [], engines()
    old, new = ends
    unstable = {key: part for key, (part, _) in found.unstable.items()}
    later = {key: part for key, (_, part) in found.unstable.items() if part is not None}
    revised = pruned(new, later, properties=False) if later else Pruned(new)
    taken = {**unstable, **found.over}
    whole = Pruned(old) if not taken else pruned(old, taken, properties=True)
    verdict = compare(whole.root, revised.root, kind, role=role, settings=settings)
    first = [_back(one, whole, revised) for one in verdict.findings]
    gone = {part.pointer for key, part in found.over.items() if key[0] == "property"}
    if not gone:
        return first, verdict.engines
    kept = pruned(old, taken, properties=False)
    again = compare(kept.root, revised.root, kind, role=role, settings=settings)
    second = [_back(one, kept, revised) for one in again.findings]
    return [
        *(one for one in first if one.direction != "emits"),
        *(one for one in second if one.direction != "accepts"),  # what has no direction may be seen in either
    ], verdict.engines | again.engines


def _back(finding: Finding, base: Pruned, revised: Pruned) -> Finding:
    """Bring the pointers of a finding back to the whole documents."""
    if finding.base_pointer is None:
        return replace(finding, pointer=revised.origin(finding.pointer))
    before = base.origin(finding.base_pointer)
    # What was removed has its place in the older document only, and both pointers name that.
    removed = finding.rule.endswith("-removed") and finding.pointer == finding.base_pointer
    return replace(
        finding, base_pointer=before, pointer=before if removed else revised.origin(finding.pointer)
    )


def _remarked(finding: Finding, found: Lives, policy: Policy) -> Finding:
    """Add to a break why its part may not go yet, where it was deprecated."""
    if finding.severity is Severity.SAFE or finding.base_pointer is None:
        return finding
    part: Part | None = next(
        (one for one in found.waiting.values() if _inside(finding.base_pointer, one.pointer)), None
    )
    if part is None:
        return finding
    return replace(finding, why=f"{finding.why} {remark(part, policy.as_of, policy.profile)}".strip())


def _inside(pointer: str, around: str) -> bool:
    return pointer == around or pointer.startswith(f"{around}/")


def ruling(finding: Finding, policy: Policy, mode: Mode | None = None, contract: str = "") -> Finding:
    """Give a finding the severity that it has under the policy, and the waiver that accepts it."""
    counted = _told(finding, policy.profile)
    asked = policy.severities.get(finding.rule)
    if asked is not None and finding.rule not in UNBENDING:
        counted = _settled(finding, counted, asked)
    if mode is Mode.NONE and policy.profile.takes_none:
        counted = _excused(finding, counted)
    return waived(counted, policy.waivers, contract, policy.as_of)


def _told(finding: Finding, profile: Profile) -> Finding:
    wanted = profile.severities.get(finding.rule)
    if wanted is None or wanted is finding.severity or finding.severity is Severity.UNDECIDED:
        return finding
    return _with(finding, wanted, "profile", f"the profile {profile.name} says so")


def _settled(finding: Finding, counted: Finding, asked: str | Override) -> Finding:
    """Apply a severity of interlock.toml; a plain word never makes milder what breaks, or what nobody knows."""
    word = asked.severity if isinstance(asked, Override) else asked
    wanted = Severity(word)
    if isinstance(asked, str) and needs_a_name(finding.severity, wanted):
        return counted
    if isinstance(asked, Override):
        return _with(finding, wanted, "settings", asked.reason, owner=asked.owner)
    if wanted is counted.severity:
        return counted
    return _with(finding, wanted, "settings", "[compat.severity] of interlock.toml says so")


def _excused(finding: Finding, counted: Finding) -> Finding:
    """Let a schema change in any way that it likes; what could not be read at all is no change."""
    change = finding.direction is not None or finding.rule == "change-unclassified"
    if counted.severity is Severity.SAFE or not change:
        return counted
    return _with(finding, Severity.SAFE, "mode", "the schema declares compatibility NONE")


def _with(finding: Finding, severity: Severity, by: Any, reason: str, owner: str = "") -> Finding:
    made: Ruling = {"by": by, "severity": str(finding.severity), "reason": reason}
    if owner:
        made["owner"] = owner
    return replace(finding, severity=severity, ruling=made)


def outcome_under(findings: Iterable[Finding], fail_on: FailOn) -> Outcome:
    """Add findings up: what was waived counts no longer, risky counts where it should, undecided comes next."""
    severities = {finding.severity for finding in findings if not finding.waived}
    if severities & _blocking(fail_on):
        return Outcome.BREAKING
    return Outcome.UNDECIDED if Severity.UNDECIDED in severities else Outcome.COMPATIBLE


def bump_under(findings: Iterable[Finding], fail_on: FailOn) -> Bump:
    """Give the least increment: major for what blocks, minor for all else that is more than notes."""
    findings = tuple(findings)
    blocking = _blocking(fail_on) | {Severity.UNDECIDED}
    if any(finding.severity in blocking and not finding.waived for finding in findings):
        return Bump.MAJOR
    if any(map(is_more_than_notes, findings)):
        return Bump.MINOR
    return Bump.PATCH if findings else Bump.NONE


def _blocking(fail_on: FailOn) -> frozenset[Severity]:
    blocking = {Severity.BREAKING, Severity.ERROR}
    return frozenset(blocking | {Severity.RISKY} if fail_on == "risky" else blocking)
