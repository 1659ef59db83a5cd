"""Compares what an application says of itself with its frozen contract, in both directions."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from ci.conformance import Held
from ci.drift_rules import BY_ID
from ci.report import ContractReport, GateReport, Status
from kernel.contract.document import Document
from kernel.contract.finding import Finding, Outcome, Severity
from registry.compat.policy import compare

if TYPE_CHECKING:
    from kernel.settings import Settings

FailOnDrift = Literal["breaking", "additive"]
_PROMISES = "the application keeps what the contract promises"
_ANSWERS = "the deployed service answers as the contract declares"
_ADDS = "the application does nothing beyond the contract"
_NOTES = frozenset({"notes-changed", "deprecated", "no-longer-deprecated", "operation-id-changed"})


class Drift(StrEnum):
    """How far an application is from its contract; `undecided` blocks like `breaking`."""

    NONE = "none"
    ADDITIVE = "additive"
    BREAKING = "breaking"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class DriftFound:
    """What a comparison found: `broken` are promises that do not hold, `added` what nobody froze."""

    held: Held
    source: str
    drift: Drift
    broken: tuple[Finding, ...]
    added: tuple[Finding, ...]
    engines: dict[str, str]  # empty: no document was compared
    probed: tuple[Finding, ...] | None = None  # None: nothing that is deployed was asked

    def report(self, fail_on: FailOnDrift) -> GateReport:
        """Give it in the form that all formats of the gate render."""
        status = {
            Drift.NONE: Status.PASSED,
            Drift.ADDITIVE: Status.FAILED if fail_on == "additive" else Status.PASSED,
            Drift.BREAKING: Status.FAILED,
            Drift.UNDECIDED: Status.UNDECIDED,
        }[self.drift]
        held = self.held
        beyond = Severity.RISKY if fail_on == "additive" else Severity.WARNING
        judged: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
        if self.engines:
            judged = (
                (_PROMISES, self.broken),
                (_ADDS, tuple(replace(one, severity=beyond) for one in self.added)),
            )
        if self.probed is not None:
            judged = (*judged, (_ANSWERS, self.probed))
        source = held.source or f"{held.name}@{held.version}"
        one = ContractReport(held.name, held.version, "openapi", source, source, status, judged=judged)
        words = {
            Drift.NONE: "{source} is what {label} says",
            Drift.ADDITIVE: "{source} keeps {label}, and does more than it says",
            Drift.BREAKING: "{source} does not keep {label}",
            Drift.UNDECIDED: "whether {source} keeps {label} could not be decided",
        }
        said = words[self.drift].format(source=self.source, label=one.label)
        notes = (
            f"drift: {self.drift}; servers are not compared, since an application does not know them",
            "where a finding speaks of the old version it means the contract, and with the new one the application",
        )
        return GateReport(self.source, (one,), dict(self.engines), fail_on="risky", said=said, notes=notes)


def find_drift(
    held: Held, application: Document, source: str, settings: Settings, *, prefix: str = ""
) -> DriftFound:
    """Compare an application's document with its contract.

    What the contract promises must hold (contract as the older, application as the newer version); what the
    application does beyond is told by the other direction. `prefix` is taken off the application's paths.
    """
    frozen, served = _comparable(held.root), _comparable(application.root, prefix)
    kept = compare(frozen, served, "openapi", settings=settings)
    back = compare(served, frozen, "openapi", settings=settings)
    broken = tuple(_told(held, one) for one in kept.findings if one.severity in _BLOCKING)
    added = tuple(
        _told(held, replace(one, severity=Severity.WARNING))
        for one in kept.findings
        if one.severity is Severity.SAFE and one.rule not in _NOTES and not one.rule.startswith("oasdiff/")
    )
    drift = {
        Outcome.BREAKING: Drift.BREAKING,
        Outcome.UNDECIDED: Drift.UNDECIDED,
        Outcome.COMPATIBLE: Drift.ADDITIVE if added or back.outcome is not Outcome.COMPATIBLE else Drift.NONE,
    }[kept.outcome]
    if drift is Drift.ADDITIVE and not added:
        row = BY_ID["drift/does-more"]
        added = (Finding.of(row, "/paths", row.what),)
    return DriftFound(held, source, drift, broken, added, dict(kept.engines))


_BLOCKING = frozenset({Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.ERROR})


def _comparable(root: Any, prefix: str = "") -> Any:
    """Give a document without its servers, and without a prefix that the application is mounted under."""
    made = copy.copy(root)
    made.pop("servers", None)
    paths = root.get("paths")
    if prefix and isinstance(paths, dict):
        below = {
            path.removeprefix(prefix) or "/": item for path, item in paths.items() if _is_below(path, prefix)
        }
        # What stands beside the prefix never takes the place of what stands below it.
        beside = {path: item for path, item in paths.items() if not _is_below(path, prefix)}
        made["paths"] = {**beside, **below}
    return made


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _told(held: Held, finding: Finding) -> Finding:
    """Say where in the contract it stands: that is the document which people have at hand."""
    pointer = finding.base_pointer or finding.pointer
    finding = replace(finding, direction=f"application-{finding.direction or 'other'}")
    if held.document is None:
        return finding
    place = held.document.position(pointer)
    return replace(finding, source=place.source, line=place.line, column=place.column)
