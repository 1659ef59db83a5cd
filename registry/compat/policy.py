"""The verdict of a comparison: which engines judge which kind, what the findings add up to, which bump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.document import Kind
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.version import BUMP_ORDER, Version, satisfies
from registry.compat.bare_schema import Role, compare_schemas
from registry.compat.circles import new_circles
from registry.compat.rules import BY_ID

if TYPE_CHECKING:
    from kernel.settings import Settings

_RANK = {Severity.BREAKING: 0, Severity.RISKY: 1, Severity.UNDECIDED: 2, Severity.SAFE: 3}
_NOTES = frozenset({"notes-changed"})


def compare(
    old: Any, new: Any, kind: Kind, *, role: Role | None = None, settings: Settings | None = None
) -> Verdict:
    """Judge `new` against `old`, two self-contained roots of one kind (files inlined, URNs embedded).

    `role` is for bare schemas only (None means both directions). Deterministic: the same roots and
    engines give the same verdict. Never raises for what stands in the documents: what cannot be compared
    is undecided.
    """
    asked = engines()
    if old == new and canonical_bytes(old) == canonical_bytes(new):  # the first is fast, and takes 1 for true
        return Verdict(Outcome.COMPATIBLE, Bump.NONE, (), asked)
    if kind == "schema":
        findings = compare_schemas(old, new, role or "both")
    elif kind == "asyncapi":
        from registry.compat.asyncapi import compare_asyncapi  # noqa: PLC0415 - only where it is needed

        findings = compare_asyncapi(old, new)
    else:
        from registry.compat.openapi import compare_openapi  # noqa: PLC0415 - as above

        findings, used = compare_openapi(old, new, settings)
        asked |= used
    findings = [*findings, *new_circles(old, new)]
    ordered = in_order(set_apart(_by_engine(findings, asked["interlock"])))
    return Verdict(outcome(ordered), required_bump(ordered), ordered, dict(sorted(asked.items())))


def _by_engine(findings: Iterable[Finding], version: str) -> Iterator[Finding]:
    """Name the version of our own engine where a finding names none."""
    for one in findings:
        yield replace(one, engine_version=version) if one.engine == "interlock" else one


def outcome(findings: Iterable[Finding]) -> Outcome:
    """Add findings up: risky counts as breaking (the gate stands at WARN), undecided comes next."""
    severities = {finding.severity for finding in findings}
    if severities & {Severity.BREAKING, Severity.RISKY}:
        return Outcome.BREAKING
    return Outcome.UNDECIDED if Severity.UNDECIDED in severities else Outcome.COMPATIBLE


def required_bump(findings: Iterable[Finding]) -> Bump:
    """Give the least increment: major for what breaks or is not known to be safe, minor for additions."""
    findings = tuple(findings)
    if any(finding.severity is not Severity.SAFE for finding in findings):
        return Bump.MAJOR
    if any(map(is_more_than_notes, findings)):
        return Bump.MINOR
    return Bump.PATCH if findings else Bump.NONE


def is_more_than_notes(finding: Finding) -> bool:
    """Whether a finding asks for more than a patch.

    Our own comparison knows every part of a document. What oasdiff remarks on beside it, and calls harmless
    by itself or is proven wrong about (a tag, a component's name, another way of writing the same schema),
    is a note; only a default is more, for it says what happens to those who send nothing.
    """
    if finding.engine == "oasdiff" and finding.severity is Severity.SAFE and finding.ruling is None:
        return "-default-value-" in finding.rule
    return finding.rule not in _NOTES


def check_bump(older: Version, declared: Version, required: Bump) -> Finding | None:
    """Say whether a declared version is far enough from the older one; None when it is.

    Within major 0 a minor increment may break (semver 2.0.0 §4).
    """
    have = declared.bump_from(older)
    if older.major == 0 and declared.major == 0 and have is Bump.MINOR:
        have = Bump.MAJOR
    if satisfies(have, required):
        return None
    rule = BY_ID["version-too-low"]
    wanted = _increment(older, required)
    return Finding.of(
        rule,
        "/info/version",
        f"Version {declared} after {older} is a {have} change; the findings ask for {required}",
        remedy=f"Declare {wanted} or later.",
        before=str(older),
        after=str(declared),
    )


def _increment(older: Version, required: Bump) -> Version:
    if required is Bump.MAJOR:
        return Version(0, older.minor + 1, 0) if older.major == 0 else Version(older.major + 1, 0, 0)
    if required is Bump.MINOR:
        return Version(older.major, older.minor + 1, 0)
    return Version(older.major, older.minor, older.patch + 1)


def set_apart(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Leave out findings that repeat another to the letter."""
    seen: set[tuple[str, str]] = set()
    for finding in findings:
        key = (finding.fingerprint, finding.what)
        if key not in seen:
            seen.add(key)
            yield finding


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put findings in the one order in which they are reported: the worst first, then by place."""
    return tuple(sorted(findings, key=_order))


def engines() -> dict[str, str]:
    """Name what judges every kind of document, with versions."""
    return {"interlock": _version("interlock"), "jsonschema-rs": _version("jsonschema-rs")}


def _order(finding: Finding) -> tuple[int, str, str, str, str]:
    rank = _RANK.get(finding.severity, len(_RANK))
    return (
        rank,
        finding.pointer,
        finding.base_pointer or "",
        finding.rule,
        finding.fingerprint + finding.what,
    )


@lru_cache(maxsize=8)
def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow to import, needed once

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


__all__ = ["BUMP_ORDER", "Role", "check_bump", "compare", "outcome", "required_bump"]
