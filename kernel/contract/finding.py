"""One observation about a document or a change, and the verdict that findings add up to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from kernel.contract.digest import canonical_bytes, digest_of_bytes
from kernel.contract.exchange import Exchange

if TYPE_CHECKING:
    from kernel.contract.document import Document


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


MOST_SHOWN = 2_000  # bytes of a value that a finding repeats


def shown(value: Any) -> Any:
    """Give a value as a finding repeats it: itself where it is short, else its digest and size.

    So a reader is spared pages, and the fingerprint still tells one long value from another.
    """
    data = canonical_bytes(value)
    return value if len(data) <= MOST_SHOWN else {"digest": digest_of_bytes(data), "bytes": len(data)}


class Edit(TypedDict, total=False):
    """One step from the nearest valid instance to the witness: an operation of JSON Patch (RFC 6902)."""

    op: Literal["add", "remove", "replace"]
    path: str
    value: Any


class Ruling(TypedDict, total=False):
    """What the policy made of a finding, and who answers for that (docs/guide/policy.md).

    `by` is "profile", "mode", "settings" (interlock.toml) or "waiver"; `severity` is what the rule says of itself.
    The last three keys are there for waivers, and `owner` for a severity that somebody answers for.
    """

    by: Literal["profile", "mode", "settings", "waiver"]
    severity: str
    reason: str
    owner: str
    expires: str
    waiver: str  # fingerprint that the waiver names


class Row(Protocol):
    """What a finding takes from the row of its rule, in whichever table that stands."""

    @property
    def id(self) -> str:
        """Stable name of the rule."""

    @property
    def severity(self) -> Severity:
        """How bad it is."""

    @property
    def why(self) -> str:
        """Why it matters."""

    @property
    def remedy(self) -> str:
        """What to do instead; "" for nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation: `rule` is a stable id, `pointer` a JSON pointer into the newer document.

    `base_pointer` is the place in the older document (None: it has nothing there); `source`, `line` and
    `column` say where `pointer` stands in a file, `base_source` and so on the same of `base_pointer`.
    `witness` is the minimal value that one version takes and the other refuses, `exchange` the whole
    request, answer or message that carries it, `nearest` the nearest instance of the witness's form that
    both versions take, and `difference` the steps from there to the witness; `nearest_exchange` is the
    nearest exchange that both versions take. `agreed` names the rules of other engines that say the same
    ("oasdiff/request-property-became-required"). `ruling` says what the policy made of it: `severity` is
    then the one that counts.
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
    exchange: Exchange | None = None
    nearest: Any = None
    has_nearest: bool = False
    difference: tuple[Edit, ...] = ()
    nearest_exchange: Exchange | None = None
    direction: str | None = None
    source: str | None = None
    line: int | None = None
    column: int | None = None
    base_source: str | None = None
    base_line: int | None = None
    base_column: int | None = None
    engine: str = "interlock"
    engine_version: str = ""
    agreed: tuple[str, ...] = ()
    ruling: Ruling | None = None
    through: str = ""

    @classmethod
    def of(cls, rule: Row, pointer: str, what: str, **more: Any) -> Finding:
        """Make a finding by the row of its rule; `more` are further fields, `why` and `remedy` in other words too."""
        return cls(rule.id, rule.severity, pointer, what, **{"why": rule.why, "remedy": rule.remedy, **more})

    def under(self, rule: Row, **more: Any) -> Finding:
        """Give the finding judged by another rule; `more` are fields that change with it."""
        words = {"why": rule.why, "remedy": rule.remedy}
        return replace(self, rule=rule.id, severity=rule.severity, **{**words, **more})

    def placed(self, document: Document | None) -> Finding:
        """Add file, line and column of the document, where the finding has none and there is one."""
        if document is None or self.source is not None:
            return self
        place = document.position(self.pointer)
        return replace(self, source=place.source, line=place.line, column=place.column)

    @property
    def waived(self) -> bool:
        """Whether somebody accepted this very finding: it is told, and blocks nothing."""
        return self.ruling is not None and self.ruling.get("by") == "waiver"

    @property
    def excused(self) -> bool:
        """Whether settings or a mode made a finding harmless that is none by itself: it is told all the same."""
        by = self.ruling.get("by") if self.ruling is not None else None
        return by in {"settings", "mode"} and self.severity is Severity.SAFE

    @property
    def fingerprint(self) -> str:
        """Identity of the finding over rule, places and values, never over wording (16 hex digits)."""
        identity = [self.rule, self.base_pointer, self.pointer, self.direction, self.before, self.after]
        if self.through:
            identity.append(self.through)
        return hashlib.sha256(canonical_bytes(identity)).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Give the documented JSON form (docs/reference/findings.md)."""
        body: dict[str, Any] = {
            "rule": self.rule,
            "severity": str(self.severity),
            "pointer": self.pointer,
            "base_pointer": self.base_pointer,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "direction": self.direction,
            "before": self.before,
            "after": self.after,
            "witness": self.witness if self.has_witness else None,
            "has_witness": self.has_witness,
            "exchange": self.exchange,
            "nearest": self.nearest if self.has_nearest else None,
            "difference": list(self.difference),
            "nearest_exchange": self.nearest_exchange,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "agreed": list(self.agreed),
            "ruling": self.ruling,
            "fingerprint": self.fingerprint,
        }
        if self.through:
            body["through"] = self.through
        if self.source is not None:
            body["source"] = {"file": self.source, "line": self.line, "column": self.column}
        if self.base_source is not None:
            body["base_source"] = {
                "file": self.base_source, "line": self.base_line, "column": self.base_column,
            }  # fmt: skip
        return body

    def stored(self) -> dict[str, Any]:
        """Give every field under its name, as JSON values: the form that `from_stored` reads."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_stored(cls, body: Mapping[str, Any]) -> Finding:
        """Read `stored` again; fields that an older release did not write keep their defaults."""
        known = {name: body[name] for name in _FIELDS if name in body}
        known["severity"] = Severity(known["severity"])
        for name in ("difference", "agreed"):
            known[name] = tuple(known.get(name) or ())
        return cls(**known)


_FIELDS = tuple(row.name for row in fields(Finding))


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one comparison, deterministic for the same inputs and engines."""

    outcome: Outcome
    required_bump: Bump
    findings: tuple[Finding, ...]
    engines: dict[str, str] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)  # what it was judged by: profile, date, mode …

    def as_json(self) -> dict[str, Any]:
        """Give the form that `interlock diff --format json` prints."""
        return {
            "verdict": str(self.outcome),
            "required_bump": str(self.required_bump),
            "findings": [finding.as_json() for finding in self.findings],
            "engines": dict(self.engines),
            "policy": dict(self.policy),
        }
