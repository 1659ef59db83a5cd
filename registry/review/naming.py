"""Whether a name and a number are free: numbers are never used twice, and only grow within a major."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.contract.finding import Finding, Severity
from kernel.contract.lifecycle import FROZEN_FOR_EVER, State
from kernel.contract.version import Version

if TYPE_CHECKING:
    from registry.review.model import Contract, Kind
    from registry.review.ports import Ledger

# Rule id → why. They are reported by the registry alone, since only it knows what stands.
RULES: dict[str, str] = {
    "kind-changed": "routes, consumers and comparisons rely on what kind of interface a name stands for",
    "version-taken": "a number names one content for ever, also after that was rejected or withdrawn",
    "version-not-newer": "within a major, whoever follows the newest version must never be led backwards",
}


def name_findings(ledger: Ledger, name: str, number: str, kind: Kind) -> tuple[Finding, ...]:
    """Say what about name, number and kind contradicts the registry; a version in review may come again."""
    found = ledger.contracts.get(name)
    if found is None:
        return ()
    standing = next((row for row in found.versions if row.version == number), None)
    if found.kind != kind:
        return (
            _finding(
                "kind-changed", f"{name} is of kind {found.kind}, and this is {kind}", "choose another name"
            ),
        )
    if standing is not None and standing.state not in (State.DRAFT, State.IN_REVIEW):
        what = f"{name} {number} exists already and is {standing.state}"
        return (_finding("version-taken", what, f"submit {_next(found, number)} or later"),)
    newest = _newest(found, Version.parse(number).major)
    if newest is not None and Version.parse(number) <= newest:
        what = f"{number} is not newer than {newest}, which is frozen"
        return (_finding("version-not-newer", what, f"submit {_next(found, number)} or later"),)
    return ()


def _newest(found: Contract, major: int) -> Version | None:
    numbers = (Version.parse(row.version) for row in found.versions if row.state in FROZEN_FOR_EVER)
    return max((number for number in numbers if number.major == major), default=None)


def _next(found: Contract, number: str) -> str:
    wanted = Version.parse(number)
    taken = [Version.parse(row.version) for row in found.versions]
    last = max(one for one in (*taken, wanted) if one.major == wanted.major)
    return f"{last.major}.{last.minor}.{last.patch + 1}"


def _finding(rule: str, what: str, remedy: str) -> Finding:
    return Finding(rule, Severity.ERROR, "/version", what, why=RULES[rule], remedy=remedy, source="meta.yaml")
