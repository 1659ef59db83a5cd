"""Judges a submitted version: against the versions that it is held to, and a schema through whoever uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kernel.contract.document import parse
from kernel.contract.finding import Finding
from kernel.contract.lifecycle import SERVED
from kernel.contract.urn import PREFIX
from kernel.contract.version import Version
from kernel.errors import ReferenceRefused
from registry.compat.canonical_uses import Candidate, User, directions_of
from registry.compat.policy_judge import bump_under, outcome_under, ruling
from registry.compat.policy_lifecycle import announcements, announces
from registry.compat.policy_modes import weakened
from registry.compat.rules import BY_ID
from registry.review import gate
from registry.review.house_policy import day_of, mode_of, policy_for
from registry.review.model import Comparison, Judgement, Use
from registry.review.references import root_of, self_contained
from registry.review.telling import placed

if TYPE_CHECKING:
    from kernel.contract.urn import Urn
    from registry.compat.policy_judge import Policy
    from registry.compat.policy_lifecycle import Announced
    from registry.compat.policy_modes import Mode
    from registry.review.model import ContractVersion, Kind
    from registry.review.opening import Reading
    from registry.review.ports import Ledger
    from registry.review.services import Services


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that judging needs of the registry, read in one view.

    `bases` are the versions that it is held to with their self-contained roots, oldest first. For a schema, `users`
    are the served contracts that name any schema, with their URNs, and `schemas` what those name, by digest.
    """

    policy: Policy
    mode: Mode | None
    bases: tuple[tuple[ContractVersion, Any], ...]
    users: tuple[User, ...] = ()
    schemas: Mapping[str, Any] = field(default_factory=dict)

    def announced_after(self, base: ContractVersion) -> list[Announced]:
        """Give what later versions announced of their ends: who relies on this one had that notice too."""
        number = Version.parse(base.version)
        later = [root for row, root in self.bases if Version.parse(row.version) > number]
        return [announcements(root) for root in later]


def case_of(
    services: Services, ledger: Ledger, version: tuple[str, str], kind: Kind, metadata: Mapping[str, Any]
) -> Case:
    """Read what a version (name, number) is judged by; raises `SettingsError` where `compat_profiles` is senseless."""
    name, number = version
    mode = mode_of(kind, metadata)
    bases = tuple(
        (base, self_contained(ledger, base.digest)) for base in gate.held(ledger, name, number, mode)
    )
    made = Case(policy_for(services.settings, name, metadata, services.now()), mode, bases)
    if kind != "schema":
        return made
    known = ledger.contracts.for_ever()
    schemas = {row.digest: root_of(ledger, row.digest) for row in known if row.kind == "schema"}
    return replace(made, users=tuple(_users(ledger, known)), schemas=schemas)


def _users(ledger: Ledger, known: tuple[ContractVersion, ...]) -> list[User]:
    found = []
    for row in known:
        blob = ledger.contracts.blob(row.digest) if row.state in SERVED else None
        if blob is not None and PREFIX.encode() in blob:
            root = parse(blob, name=row.label, media="json").root
            number = Version.parse(row.version)
            found.append(User(row.contract, number, row.kind, root, mode_of(row.kind, row.metadata)))
    return found


def judged(services: Services, case: Case, reading: Reading) -> tuple[tuple[Comparison, ...], Judgement]:
    """Compare with every version that the reading is held to, and through every contract that uses it."""
    number = Version.parse(reading.version)
    schema = Candidate(reading.contract, number, reading.document.root, reading.digest)
    used = frozenset[str](directions_of(schema.key, case.users))
    comparisons = [_compared(services, case, reading, base, used) for base in case.bases]
    if comparisons and case.mode is not None:
        comparisons[-1] = _mode_kept(comparisons[-1], case, case.mode)
    uses = tuple(_uses(services, case, schema))
    return tuple(comparisons), Judgement(case.policy.described(case.mode), uses)


def _compared(
    services: Services, case: Case, reading: Reading, base: tuple[ContractVersion, Any], used: frozenset[str]
) -> Comparison:
    """Compare with one earlier version: what it promised must still hold."""
    version, root = base
    verdict = services.engines.judge(
        root,
        reading.whole,
        reading.kind,
        case.policy,
        contract=reading.contract,
        mode=case.mode,
        used=used,
        announced=case.announced_after(version),
    )
    return Comparison(
        base_version=version.version,
        base_digest=version.digest,
        outcome=verdict.outcome,
        required_bump=verdict.required_bump,
        declared_bump=Version.parse(reading.version).bump_from(Version.parse(version.version)),
        findings=placed(reading.document, verdict.findings),
        engines=verdict.engines,
    )


def _mode_kept(newest: Comparison, case: Case, mode: Mode) -> Comparison:
    """Add what a change of the declared mode means by itself to whoever relies on the newest version."""
    before = mode_of("schema", case.bases[-1][0].metadata)
    if before is None or not weakened(before, mode):
        return newest
    rule = BY_ID["compatibility-weakened"]
    found = Finding.of(
        rule,
        "/compatibility",
        f"`compatibility` was {before} in {newest.base_version} and is {mode}",
        base_pointer="/compatibility",
        before=str(before),
        after=str(mode),
        source="meta.yaml",
    )
    findings = (ruling(found, case.policy), *newest.findings)
    return replace(
        newest,
        outcome=outcome_under(findings, case.policy.fail_on),
        required_bump=bump_under(findings, case.policy.fail_on),
        findings=findings,
    )


def _uses(services: Services, case: Case, schema: Candidate) -> list[Use]:
    def lookup(urn: Urn) -> Any:
        if urn.digest not in case.schemas:
            raise ReferenceRefused(f"the registry holds no {urn.name} {urn.version} of that digest")
        return case.schemas[urn.digest]

    between = [user for user in case.users if user.kind == "schema"]
    found = []
    for user in _newest(case.users, schema.name):
        verdict = services.engines.judge_through(schema, user, lookup, case.policy)
        if verdict is not None:
            ways = sorted(directions_of(schema.key, [user, *between]))
            number = str(user.version)
            found.append(
                Use(user.name, number, tuple(ways), verdict.outcome, verdict.findings, verdict.engines)
            )
    return found


def _newest(users: tuple[User, ...], name: str) -> list[User]:
    """Give the newest version of each major of each other contract: an older one is never pinned anew."""
    newest: dict[tuple[str, int], User] = {}
    for user in users:
        key = (user.name, user.version.major)
        if user.name != name and (key not in newest or newest[key].version < user.version):
            newest[key] = user
    return [newest[key] for key in sorted(newest)]


def judged_otherwise(services: Services, review_id: int) -> tuple[str, ...]:
    """Say why an open review would be judged otherwise today than when it was submitted; empty where it is not.

    Only sunsets and notice are counted by day, so only documents that announce an end are judged again.
    """
    with services.store.reading() as ledger:
        review = ledger.reviews.get(review_id)
        told = review.assessment.judgement.policy.get("as_of") if review is not None else None
        if review is None or told is None or told == str(day_of(services.now())):
            return ()
        version = (review.contract, review.version)
        case = case_of(services, ledger, version, review.kind, review.metadata)
        new = self_contained(ledger, review.digest)
    known = {(one.base_version, one.base_digest): one for one in review.assessment.comparisons}
    used = frozenset[str](directions_of((review.contract, Version.parse(review.version).major), case.users))
    for base, old in case.bases:
        before = known.get((base.version, base.digest))
        later = case.announced_after(base)
        if before is None or not (announces(old) or announces(new) or any(later)):
            continue
        verdict = services.engines.judge(
            old,
            new,
            review.kind,
            case.policy,
            contract=review.contract,
            mode=case.mode,
            used=used,
            announced=later,
        )
        if _identities(verdict.findings) != _identities(before.findings):
            return (f"it was judged as of {told}, and is judged otherwise today: submit it again",)
    return ()


def _identities(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    kept = (one for one in findings if one.rule != "compatibility-weakened")
    return {(one.fingerprint, str(one.severity)) for one in kept}
