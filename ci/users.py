"""Judges a new version of a canonical schema through the contracts that use an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci.contracts import Contract, Folder, read
from ci.report import Comparison
from ci.rules import found
from kernel.contract.document import Document
from kernel.contract.finding import Bump, Finding, Outcome, Verdict
from kernel.contract.references import replaced, sites
from kernel.contract.urn import PREFIX, Urn
from kernel.contract.version import Version
from kernel.errors import InterlockError, ReferenceRefused
from registry.compat.inputs import beside, embedded
from registry.compat.policy_judge import Policy, judge

if TYPE_CHECKING:
    from kernel.settings import Settings


@dataclass(frozen=True, slots=True)
class User:
    """A contract of the tree that uses some version of a schema."""

    contract: Contract
    version: Version  # of the schema


def judged_through(
    schema: Contract, contracts: Iterable[Contract], policy: Policy, settings: Settings
) -> tuple[Comparison, ...]:
    """Compare each contract that uses an earlier version of the schema's major with itself on the new version.

    Only the newest version of each contract counts: an older one is never pinned anew.
    """
    return tuple(_through(schema, user, policy, settings) for user in _users(schema, contracts))


def _users(schema: Contract, contracts: Iterable[Contract]) -> Iterator[User]:
    newest: dict[str, Contract] = {}
    for one in contracts:
        if one.name not in newest or newest[one.name].version < one.version:
            newest[one.name] = one
    for _, contract in sorted(newest.items()):
        used = [
            urn.version
            for _, urn in contract.urns
            if urn.name == schema.name
            and urn.version.major == schema.version.major
            and urn.version < schema.version
        ]
        if used and contract.name != schema.name:
            yield User(contract, max(used))


def _through(schema: Contract, user: User, policy: Policy, settings: Settings) -> Comparison:
    contract = user.contract
    place = contract.folder.shown(contract.folder.document)
    try:
        after = _with(schema, contract)
        ends = (contract.document.root, after)
        verdict = judge(*ends, contract.kind, policy, contract=schema.name, settings=settings)
        # The places are those of the other contract: a finding stands at the schema, and says where it shows.
        findings = tuple(_told(finding, schema, contract) for finding in verdict.findings)
        verdict = replace(verdict, findings=findings)
    except ReferenceRefused as error:
        what = f"{contract.label} cannot use {schema.label}: {error.message}"
        lost = found("canonical-pointer-lost", "", what, source=schema.folder.shown(schema.folder.document))
        verdict = Verdict(Outcome.BREAKING, Bump.MAJOR, (lost,))
    except InterlockError as error:
        unread = found("base-unreadable", "", f"{contract.label} cannot be compared: {error.message}")
        verdict = Verdict(Outcome.UNDECIDED, Bump.MAJOR, (unread,))
    return Comparison(user.version, place, verdict, through=contract.label)


def _told(finding: Finding, schema: Contract, contract: Contract) -> Finding:
    """Say that a finding shows in a contract, and point into the schema's own file where it stands there."""
    embedded_at = f"/components/schemas/{schema.name}-{schema.version}"
    what = f"In {contract.label}, with {schema.label}: {finding.what}"
    if finding.pointer.startswith((f"{embedded_at}/", embedded_at)):
        place = schema.document.position(finding.pointer.removeprefix(embedded_at))
        source = schema.folder.shown(place.source)
    else:
        place = contract.document.position(finding.pointer)
        source = contract.folder.shown(place.source)
    return replace(finding, what=what, source=source, line=place.line, column=place.column)


def _with(schema: Contract, contract: Contract) -> Any:
    """Give the self-contained root of a contract whose URNs name the new version of the schema."""
    refs: dict[int, str] = {}
    for site in sites(contract.pinned):
        if site.ref.startswith(PREFIX):
            urn = Urn.parse(site.ref)
            if urn.name == schema.name and urn.version.major == schema.version.major:
                refs[id(site.holder)] = str(Urn(urn.name, schema.version, schema.digest, urn.pointer))
    known = beside(contract.folder.document)

    def lookup(urn: Urn) -> Any:
        return schema.pinned if urn.digest == schema.digest else known(urn)

    changed = Document(contract.document.name, b"{}", "json", replaced(contract.pinned, refs))
    return embedded(changed, contract.folder.document, lookup).root


def readable(folders: Iterable[Folder], known: dict[Path, Contract]) -> Iterator[Contract]:
    """Read the contracts of a tree that can be read; the others are told where they are judged."""
    for folder in folders:
        contract = known.get(folder.document)
        if contract is None:
            try:
                contract = read(folder)
            except InterlockError:
                continue
            known[folder.document] = contract
        yield contract
