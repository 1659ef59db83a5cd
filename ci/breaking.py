"""Compares a contract with the earlier versions that somebody may rely on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci.bases import BaseVersion
from ci.contracts import Contract, identity
from ci.report import Comparison, placed
from ci.rules import found
from ci.users import mode_of
from kernel.contract.document import kind_of, parse
from kernel.contract.finding import Bump, Finding, Outcome, Verdict
from kernel.contract.version import BUMP_ORDER
from kernel.errors import InterlockError
from registry.compat.policy import check_bump
from registry.compat.policy_judge import Policy, bump_under, judge, outcome_under, ruling
from registry.compat.policy_lifecycle import Announced, announcements
from registry.compat.policy_modes import held_to, mode_named, weakened
from registry.compat.rules import BY_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernel.settings import Settings
    from registry.compat.schema_change import Direction


def compare_with(
    contract: Contract,
    bases: tuple[BaseVersion, ...],
    policy: Policy,
    settings: Settings,
    *,
    used: frozenset[Direction] = frozenset(),
) -> tuple[tuple[Comparison, ...], Bump, Finding | None]:
    """Give the verdict against each version of the major, the bump, and whether the declared one is enough.

    Within major 0 a minor increment may break (semver 2.0.0 §4), so only versions of the same minor count.
    For a canonical schema its declared mode says which versions count, and in which direction; `used` are those in
    which contracts use it.
    """
    relied_on = [base for base in bases if _relied_on(contract, base)]
    if contract.kind == "schema":
        relied_on = list(held_to(mode_named(contract.metadata.compatibility), relied_on))
    told = [_announced(base) for base in relied_on]
    comparisons = tuple(
        _compared(contract, base, policy, settings, used=used, announced=told[place + 1 :])
        for place, base in enumerate(relied_on)
    )
    required = max(
        (one.verdict.required_bump for one in comparisons), key=BUMP_ORDER.index, default=Bump.NONE
    )
    older = [one for one in comparisons if one.base is not None and one.base <= contract.version]
    low = None
    if older and older[-1].base is not None and older[-1].verdict.outcome is not Outcome.UNDECIDED:
        low = check_bump(older[-1].base, contract.version, older[-1].verdict.required_bump)
    return comparisons, required, _at_its_number(contract, low) if low else None


def _at_its_number(contract: Contract, low: Finding) -> Finding:
    """Place a number that is too low where it is written; a schema has it in meta.yaml alone."""
    if contract.kind != "schema":
        return placed(contract, (low,))[0]
    file = contract.folder.metadata
    place = parse(file.read_bytes(), name=contract.folder.shown(file)).position("/version")
    return replace(low, pointer="/version", source=place.source, line=place.line, column=place.column)


def _announced(base: BaseVersion) -> Announced:
    """Give what a version announced of its ends: whoever relies on an earlier one had that notice too."""
    try:
        return announcements(base.document.root)
    except InterlockError:
        return {}  # where it is compared itself it is told that it cannot be read


def _compared(
    contract: Contract,
    base: BaseVersion,
    policy: Policy,
    settings: Settings,
    *,
    used: frozenset[Direction],
    announced: Sequence[Announced],
) -> Comparison:
    try:
        before = base.document
        kinds = (kind_of(before.root), contract.kind)
        if kinds[0] != kinds[1]:
            verdict = _kinds_differ(*kinds)
        else:
            ends = (before.root, contract.document.root)
            verdict = judge(
                *ends,
                contract.kind,
                policy,
                contract=contract.name,
                mode=mode_of(contract),
                used=frozenset(used),
                announced=announced,
                settings=settings,
            )
            verdict = _with_promise(verdict, contract, base, policy)
    except InterlockError as error:
        finding = found("base-unreadable", "", f"{base.place} cannot be read: {error}")
        return Comparison(base.version, base.place, Verdict(Outcome.UNDECIDED, Bump.MAJOR, (finding,)))
    return Comparison(
        base.version, base.place, replace(verdict, findings=placed(contract, verdict.findings, base))
    )


def _with_promise(verdict: Verdict, contract: Contract, base: BaseVersion, policy: Policy) -> Verdict:
    """Add that a schema promises its users less than the version before did, where that is known."""
    if contract.kind != "schema" or base.folder is None:
        return verdict
    _, _, before, _ = identity(base.folder)
    old, new = mode_named(before.compatibility), mode_named(contract.metadata.compatibility)
    if not weakened(old, new):
        return verdict
    rule = BY_ID["compatibility-weakened"]
    what = f"The schema promised {old} compatibility, and this version promises {new}"
    told = Finding.of(rule, "", what, before=str(old), after=str(new))
    findings = (*verdict.findings, ruling(told, policy, contract=contract.name))
    return replace(
        verdict,
        findings=findings,
        outcome=outcome_under(findings, policy.fail_on),
        required_bump=bump_under(findings, policy.fail_on),
    )


def _kinds_differ(before: str, after: str) -> Verdict:
    rule = BY_ID["kinds-differ"]
    what = f"The earlier version is a document of kind {before}, this one of kind {after}"
    finding = Finding.of(rule, "", what, before=before, after=after)
    return Verdict(Outcome.UNDECIDED, Bump.MAJOR, (finding,))


def _relied_on(contract: Contract, base: BaseVersion) -> bool:
    """Whether somebody may rely on a version and expect this one to serve in its place."""
    mine, theirs = contract.version, base.version
    if base.retired:
        return False
    if theirs is None:
        return True
    if theirs.prerelease:
        return False  # nobody may rely on what is not released (semver 2.0.0 §9)
    if theirs.major != mine.major or theirs > mine:
        return False
    return mine.major > 0 or theirs.minor == mine.minor
