"""Judges a new version of a canonical schema through the contracts that use an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ci.contracts import Contract, Folder, read
from ci.report import Comparison
from ci.rules import found
from kernel.contract.finding import Bump, Finding, Outcome, Verdict
from kernel.errors import InterlockError
from registry.compat.canonical_uses import Candidate, User, directions_of, judged_through
from registry.compat.inputs import beside
from registry.compat.policy_judge import Policy
from registry.compat.policy_modes import Mode

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.compat.schema_change import Direction


def mode_of(contract: Contract) -> Mode | None:
    """Give the compatibility mode that a canonical schema declares; None is the default one."""
    declared = contract.metadata.compatibility
    return Mode(declared) if contract.kind == "schema" and declared else None


def directions(schema: Contract, contracts: Iterable[Contract]) -> frozenset[Direction]:
    """Give the directions in which the contracts of the tree use a schema."""
    return directions_of((schema.name, schema.version.major), map(_user, contracts))


def through_users(
    schema: Contract, contracts: Iterable[Contract], policy: Policy, settings: Settings
) -> tuple[Comparison, ...]:
    """Compare each contract that uses an earlier version of the schema's major with itself on the new version.

    Only the newest version of each contract counts: an older one is never pinned anew.
    """
    newest: dict[str, Contract] = {}
    for one in contracts:
        if one.name != schema.name and (one.name not in newest or newest[one.name].version < one.version):
            newest[one.name] = one
    made = (_through(schema, one, policy, settings) for _, one in sorted(newest.items()))
    return tuple(one for one in made if one is not None)


def _user(contract: Contract) -> User:
    return User(contract.name, contract.version, contract.kind, contract.pinned, mode_of(contract))


def _through(schema: Contract, contract: Contract, policy: Policy, settings: Settings) -> Comparison | None:
    candidate = Candidate(schema.name, schema.version, schema.pinned, schema.digest)
    place = contract.folder.shown(contract.folder.document)
    try:
        known = beside(contract.folder.document)
        verdict = judged_through(candidate, _user(contract), known, policy, settings)
    except InterlockError as error:
        unread = found("base-unreadable", "", f"{contract.label} cannot be compared: {error.message}")
        verdict = Verdict(Outcome.UNDECIDED, Bump.MAJOR, (unread,))
    if verdict is None:
        return None
    used = [
        urn.version for _, urn in contract.urns if urn.name == schema.name and urn.version < schema.version
    ]
    findings = tuple(_placed(finding, schema, contract) for finding in verdict.findings)
    return Comparison(
        max(used, default=None), place, replace(verdict, findings=findings), through=contract.label
    )


def _placed(finding: Finding, schema: Contract, contract: Contract) -> Finding:
    """Point into the schema's own file where a finding stands in it, else into the contract."""
    embedded_at = f"/components/schemas/{schema.name}-{schema.version}"
    inside = not finding.pointer or f"{finding.pointer}/".startswith(f"{embedded_at}/")
    owner = schema if inside else contract
    place = owner.document.position(finding.pointer.removeprefix(embedded_at) if inside else finding.pointer)
    return replace(finding, source=owner.folder.shown(place.source), line=place.line, column=place.column)


def readable(folders: Iterable[Folder], known: dict[Path, Contract]) -> Iterator[Contract]:
    """Read the contracts of a tree that can be read; the others are told where they are judged."""
    for folder in folders:
        contract = known.get(folder.document)
        if contract is None:
            try:
                contract = read(folder)
            except Exception:  # noqa: BLE001, S112 - it is told where it is judged, and must not hide the others
                continue
            known[folder.document] = contract
        yield contract
