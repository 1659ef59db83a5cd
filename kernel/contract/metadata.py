"""meta.yaml: what a contract is for, who answers for it, how it may be used; each gap is a finding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.contract.document import Document, parse
from kernel.contract.errors import DocumentSyntax
from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import token
from kernel.contract.urn import NAME
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, Place

KINDS = ("openapi", "asyncapi", "schema")
AUDIENCES = ("internal", "partner", "public")
SENSITIVITIES = ("none", "pseudonymous", "personal", "health")
URGENCIES = ("routine", "urgent", "critical")
RETRY_POLICIES = ("none", "idempotent-only", "all")
# How versions of a canonical schema are held to earlier ones (registry/compat/policy_modes.py says what each means).
COMPATIBILITIES = (
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE",
    "CONTRACT",
)  # fmt: skip
_LINE = re.compile(r"[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What meta.yaml says; a part that is missing or senseless is None (empty for `consumers`)."""

    name: str | None = None
    version: str | None = None
    kind: str | None = None
    title: str | None = None
    owner: str | None = None
    domain: str | None = None
    audience: str | None = None
    provider: str | None = None
    consumers: tuple[str, ...] = ()
    source_of_truth: str | None = None
    sensitivity: str | None = None
    urgency: str | None = None
    retry_policy: str | None = None
    max_attempts: int | None = None
    latency_p99_ms: float | None = None  # milliseconds, 99th percentile
    availability: str | None = None  # percent, as written
    description: str | None = None
    compatibility: str | None = None  # canonical schemas only; None is the default


Read = Callable[[Any], Any]  # gives the value to keep; raises ValueError saying what is expected


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of meta.yaml: `path` into the file, the attribute of `Metadata`, and how it is read."""

    path: tuple[str, ...]
    attribute: str
    read: Read
    why: str
    severity: Severity = Severity.ERROR
    optional: bool = False

    @property
    def rule(self) -> str:
        """The stem of its rule ids: `meta-systems-provider`."""
        return "meta-" + "-".join(self.path).replace("_", "-")

    @property
    def pointer(self) -> str:
        """Where it stands in the file."""
        return "".join(map(token, self.path))


def read_metadata(data: bytes, name: str = "meta.yaml") -> tuple[Metadata, tuple[Finding, ...]]:
    """Read meta.yaml and say what is missing, senseless or unknown in it, in the order of the table.

    Raises a `DocumentError` when it cannot be read at all.
    """
    document = parse(data, name=name)
    if not isinstance(document.root, dict):
        raise DocumentSyntax(
            "meta.yaml is no mapping", hint="write key: value lines", place=Place(name, 1, 1)
        )
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for row in ROWS:
        found = _lookup(document.root, row.path)
        if found is None:
            if row.optional:
                continue
            if not (row.attribute == "max_attempts" and values.get("retry_policy") == "none"):
                what = f"`{'.'.join(row.path)}` is missing"
                gap = f"{row.rule}-missing"
                findings.append(_finding(document, gap, row.severity, row.pointer, what=what, why=row.why))
            continue
        try:
            values[row.attribute] = row.read(found)
        except ValueError as error:
            what = f"`{'.'.join(row.path)}` is not {error}"
            findings.append(
                _finding(document, f"{row.rule}-invalid", Severity.ERROR, row.pointer, what=what, why=row.why)
            )
    if values.get("compatibility") is not None and values.get("kind") in {"openapi", "asyncapi"}:
        why = "in an API the operations say who reads and who writes"
        what, rule = "`compatibility` is for canonical schemas", "meta-compatibility-invalid"
        findings.append(_finding(document, rule, Severity.ERROR, "/compatibility", what=what, why=why))
    findings.extend(_unknown(document))
    return Metadata(**values), tuple(findings)


def rules() -> Iterator[tuple[str, Severity, str]]:
    """Give every rule id that `read_metadata` can report, with its severity and its reason."""
    for row in ROWS:
        if not row.optional:
            yield f"{row.rule}-missing", row.severity, row.why
        yield f"{row.rule}-invalid", Severity.ERROR, row.why
    yield "meta-key-unknown", Severity.ERROR, _UNKNOWN_WHY


def _lookup(root: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        root = root.get(step) if isinstance(root, dict) else None
    return root


def _unknown(document: Document) -> Iterator[Finding]:
    known: dict[str, set[str]] = {}
    for row in ROWS:
        known.setdefault(row.path[0], set()).update(row.path[1:])
    for key, value in document.root.items():
        if key not in known:
            yield _unknown_key(document, token(key))
        elif known[key]:
            if not isinstance(value, dict):
                what = f"`{key}` is not a mapping of {', '.join(sorted(known[key]))}"
                yield _finding(
                    document, f"meta-{key}-invalid", Severity.ERROR, token(key), what=what, why=_UNKNOWN_WHY
                )
                continue
            for below in value:
                if below not in known[key]:
                    yield _unknown_key(document, token(key) + token(below))


_UNKNOWN_WHY = "what nobody reads is either a slip or a promise that nobody keeps"


def _unknown_key(document: Document, pointer: str) -> Finding:
    what = f"`{pointer[1:].replace('/', '.')[:100]}` is not known"
    return _finding(document, "meta-key-unknown", Severity.ERROR, pointer, what=what, why=_UNKNOWN_WHY)


def _finding(
    document: Document, rule: str, severity: Severity, pointer: str, *, what: str, why: str
) -> Finding:
    place = document.position(pointer)
    return Finding(
        rule=rule,
        severity=severity,
        pointer=pointer,
        what=what,
        why=why,
        remedy="write it in meta.yaml as docs/reference/documents.md says",
        source=document.name,
        line=place.line,
        column=place.column,
    )


def _line(most: int) -> Read:
    def read(value: Any) -> str:
        if isinstance(value, str) and len(value) <= most and _LINE.fullmatch(value.strip()):
            return value.strip()
        raise ValueError(f"one line of at most {most} characters")

    return read


def _text(value: Any) -> str:
    if isinstance(value, str) and value.strip() and len(value) <= 10_000:  # noqa: PLR2004 - a page, not a book
        return value.strip()
    raise ValueError("text of at most 10000 characters")


def _one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        raise ValueError(f"one of {', '.join(words)}")

    return read


def _name(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 64 and NAME.fullmatch(value):  # noqa: PLR2004 - as in URNs
        return value
    raise ValueError("a name of lower-case letters, digits and single hyphens, at most 64 characters")


def _version(value: Any) -> str:
    try:
        return str(Version.parse(value)) if isinstance(value, str) else _refuse_version()
    except ContractInvalid:
        return _refuse_version()


def _refuse_version() -> str:
    raise ValueError("a semantic version in text, such as 1.4.0")


def _systems(value: Any) -> tuple[str, ...]:
    read = _line(100)
    if isinstance(value, list) and 0 < len(value) <= 200:  # noqa: PLR2004 - more is no list that anyone keeps
        return tuple(read(item) for item in value)
    raise ValueError("a list of 1 to 200 systems")


def _attempts(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:  # noqa: PLR2004
        return value
    raise ValueError("a whole number from 1 to 100")


def _milliseconds(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 3_600_000:  # noqa: PLR2004
        return value
    raise ValueError("a number of milliseconds, at most an hour")


def _percent(value: Any) -> str:
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    try:
        good = len(text) <= 12 and 0 < Decimal(text) <= 100  # noqa: PLR2004 - percent
    except InvalidOperation:
        good = False
    if good:
        return text
    raise ValueError('a percentage such as "99.9"')


ROWS: tuple[Row, ...] = (
    Row(("name",), "name", _name, "routes, URNs and digests are found by it"),
    Row(("version",), "version", _version, "the required bump is measured against it"),
    Row(("kind",), "kind", _one_of(*KINDS), "it decides how the document is read"),
    Row(("title",), "title", _line(200), "people look a contract up by it", Severity.WARNING),
    Row(("owner",), "owner", _line(100), "someone must answer for the contract and for its waivers"),
    Row(("domain",), "domain", _line(100), "the board is organised by domains"),
    Row(("audience",), "audience", _one_of(*AUDIENCES), "each audience has its own listener"),
    Row(("systems", "provider"), "provider", _line(100), "impact is told to the systems on both sides"),
    Row(("systems", "consumers"), "consumers", _systems, "impact is told to the systems on both sides"),
    Row(
        ("systems", "source_of_truth"),
        "source_of_truth",
        _line(100),
        "where two systems differ, one must be believed",
    ),
    Row(
        ("sensitivity",), "sensitivity", _one_of(*SENSITIVITIES), "it decides what is sealed, who may see it"
    ),
    Row(("urgency",), "urgency", _one_of(*URGENCIES), "operators repair the urgent first"),
    Row(
        ("retry", "policy"),
        "retry_policy",
        _one_of(*RETRY_POLICIES),
        "nothing may be done twice that its provider does twice",
    ),
    Row(("retry", "max_attempts"), "max_attempts", _attempts, "retries must end"),
    Row(
        ("objectives", "latency_p99_ms"),
        "latency_p99_ms",
        _milliseconds,
        "time-outs and alerts follow from it",
    ),
    Row(("objectives", "availability"), "availability", _percent, "alerts follow from it"),
    Row(
        ("description",),
        "description",
        _text,
        "a reader must learn what the contract is for",
        Severity.WARNING,
    ),
    Row(
        ("compatibility",),
        "compatibility",
        _one_of(*COMPATIBILITIES),
        "its users must know what a new version may change",
        optional=True,
    ),
)
