"""One observation about a document or a change, and the verdict that findings add up to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kernel.contract.digest import canonical_bytes


class Severity(StrEnum):
    """How bad a finding is; `error` and `warning` are lint's words, the others compatibility's."""

    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"
    UNDECIDED = "undecided"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Outcome(StrEnum):
    """What a comparison says: `undecided` blocks like `breaking`, but is never called breaking."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"
    UNDECIDED = "undecided"


class Bump(StrEnum):
    """The least semver increment that a change asks for."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: `rule` is a stable id, `pointer` a JSON pointer into the newer document.

    `base_pointer` is the place in the older document, `witness` a concrete instance that one version
    takes and the other refuses (None where the rule needs none or none was confirmed).
    """

    rule: str
    severity: Severity
    pointer: str
    what: str
    why: str = ""
    remedy: str = ""
    base_pointer: str | None = None
    before: Any = None
    after: Any = None
    witness: Any = None
    has_witness: bool = False
    direction: str | None = None
    source: str | None = None
    line: int | None = None
    column: int | None = None
    engine: str = "interlock"

    @property
    def fingerprint(self) -> str:
        """Identity of the finding over rule, places and values, never over wording (16 hex digits)."""
        identity = [self.rule, self.base_pointer, self.pointer, self.direction, self.before, self.after]
        return hashlib.sha256(canonical_bytes(identity)).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Give the documented JSON form (docs/reference/findings.md)."""
        body: dict[str, Any] = {
            "rule": self.rule,
            "severity": str(self.severity),
            "pointer": self.pointer,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "base_pointer": self.base_pointer,
            "before": self.before,
            "after": self.after,
            "witness": self.witness if self.has_witness else None,
            "direction": self.direction,
            "engine": self.engine,
            "fingerprint": self.fingerprint,
        }
        if self.source is not None:
            body["source"] = {"file": self.source, "line": self.line, "column": self.column}
        return body


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one comparison, deterministic for the same inputs and engines."""

    outcome: Outcome
    required_bump: Bump
    findings: tuple[Finding, ...]
    engines: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give the form that `interlock diff --format json` prints."""
        return {
            "verdict": str(self.outcome),
            "required_bump": str(self.required_bump),
            "findings": [finding.as_json() for finding in self.findings],
            "engines": dict(self.engines),
        }
