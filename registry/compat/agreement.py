"""Finds which of our findings a row of oasdiff repeats, so that one break is told once.

A row is taken for a repetition only where operation, place and keyword are the same, and where our finding
weighs at least as much; every other row stays a finding of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, Severity
from registry.compat.openapi_journal import Journal

Key = tuple[Any, ...]

_RANK: Final = {Severity.BREAKING: 0, Severity.RISKY: 1, Severity.UNDECIDED: 2, Severity.SAFE: 3}
_QUOTED: Final = re.compile(r"`([^`]*)`")
_AT: Final = re.compile(r" at '([^']*)'")

# Rules of oasdiff that say what one of ours says, where all that they quote is named there too.
_SAME: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    (r"api-(path-)?removed.*", frozenset({"operation-removed"})),
    (r"endpoint-added", frozenset({"operation-added"})),
    (r"api-operation-id-.*", frozenset({"operation-id-changed"})),
    (r"new-(optional|required)-request-(default-)?parameter.*", frozenset({"parameter-added", "parameter-required"})),
    (r"new-request-path-parameter|new-required-request-header-property", frozenset({"parameter-required"})),
    (r"request-parameter-removed.*", frozenset({"parameter-removed"})),
    (r"request-parameter-became-(required|optional)", frozenset({"parameter-required", "parameter-optional"})),
    (r"request-body-became-(required|optional)", frozenset({"request-body-required", "request-body-optional"})),
    (r"request-body-added-(required|optional)", frozenset({"request-body-required", "request-body-added"})),
    (r"request-body-removed", frozenset({"request-body-removed"})),
    (r"request-body-media-type-added", frozenset({"request-media-type-added"})),
    (r"request-body-media-type-removed", frozenset({"request-media-type-removed"})),
    (r"response-media-type-added", frozenset({"response-media-type-added"})),
    (r"response-media-type-removed", frozenset({"response-media-type-removed", "response-body-removed"})),
    (r"response-(non-)?success-status-added", frozenset({"response-added"})),
    (r"response-(non-)?success-status-removed", frozenset({"response-removed", "response-no-longer-sent"})),
    (r"(optional|required)-response-header-removed",
     frozenset({"response-header-removed", "response-header-no-longer-sent"})),
    (r"response-header-became-optional", frozenset({"response-header-optional"})),
    (r"response-header-added", frozenset({"response-header-added"})),
)  # fmt: skip
# Words in the ids of oasdiff's rules about schemas, and the keywords that they speak of; the first that fits counts.
_KEYWORDS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("max-length", frozenset({"maxLength"})), ("min-length", frozenset({"minLength"})),
    ("max-items", frozenset({"maxItems"})), ("min-items", frozenset({"minItems"})),
    ("max-properties", frozenset({"maxProperties"})), ("min-properties", frozenset({"minProperties"})),
    ("multiple-of", frozenset({"multipleOf"})), ("unique-items", frozenset({"uniqueItems"})),
    ("enum", frozenset({"enum", "const"})), ("const", frozenset({"const", "enum"})),
    ("pattern-property", frozenset()), ("pattern", frozenset({"pattern"})),
    ("exclusive-max", frozenset({"exclusiveMaximum", "maximum"})),
    ("exclusive-min", frozenset({"exclusiveMinimum", "minimum"})),
    ("-max-", frozenset({"maximum", "exclusiveMaximum"})), ("-min-", frozenset({"minimum", "exclusiveMinimum"})),
    ("nullable", frozenset({"nullable", "type"})), ("type", frozenset({"type", "format", "nullable"})),
    ("one-of", frozenset({"oneOf"})), ("any-of", frozenset({"anyOf"})), ("all-of", frozenset({"allOf"})),
    ("required-property-removed", frozenset({"required"})), ("became-optional", frozenset({"required"})),
    ("became-required", frozenset({"required"})), ("new-required-request-property", frozenset({"required"})),
)  # fmt: skip
_OF_SCHEMAS: Final = frozenset({"value-no-longer-accepted", "value-newly-emitted", "inclusion-undecided"})


def repeated(journal: Journal, row: Mapping[str, Any], severity: Severity) -> Key | None:
    """Give the key of our finding that a row of oasdiff repeats; `severity` is what the row would count as."""
    label = f"{row.get('operation', '')} {row.get('path', '')}"
    name, quoted = str(row["id"]), _QUOTED.findall(str(row.get("text", "")))
    for key, finding in journal.findings.items():
        if label not in journal.others.get(key, ()) or _RANK[finding.severity] > _RANK[severity]:
            continue
        if _says_the_same(name, quoted, finding) or _same_keyword(name, quoted, finding):
            return key
    return None


def _says_the_same(name: str, quoted: list[str], finding: Finding) -> bool:
    said = finding.what.lower()
    return any(
        finding.rule in rules and re.fullmatch(pattern, name) and all(one.lower() in said for one in quoted)
        for pattern, rules in _SAME
    ) or (name.startswith("api-security-") and finding.rule.startswith("security-"))


def _same_keyword(name: str, quoted: list[str], finding: Finding) -> bool:
    """Whether a row speaks of the keyword and the property at which our proof stopped."""
    path = quoted[0].strip("/") if quoted and "property" in name else ""
    if finding.rule == "property-ignored":
        ending = f"/properties/{path.rpartition('/')[2]}"
        return name == "request-property-removed" and (finding.base_pointer or "").endswith(ending)
    if finding.rule not in _OF_SCHEMAS or not _same_way(name, finding):
        return False
    keywords = next((words for word, words in _KEYWORDS if word in name), frozenset[str]())
    keyword = finding.pointer.rpartition("/")[2]
    if keyword not in keywords:
        return False
    if keyword == "required":
        return path.rpartition("/")[2] in _differing(finding)
    found = _AT.search(finding.what)
    ours = found[1].rpartition("/")[2] if found else ""
    theirs = [one.strip("/").rpartition("/")[2] for one in quoted]
    # `items` of oasdiff is `*` here; a row about a whole body names no property.
    return ours in theirs if ours not in {"", "*"} else "property" not in name or "items" in theirs


def _same_way(name: str, finding: Finding) -> bool:
    asks = "request" in name
    return finding.direction == ("accepts" if asks else "emits")


def _differing(finding: Finding) -> list[str]:
    """Give the members of a list that only one of the two versions has."""
    ends = [one if isinstance(one, list) else [] for one in (finding.before, finding.after)]
    texts = [{canonical_bytes(item) for item in end} for end in ends]
    return [str(item) for end in ends for item in end if canonical_bytes(item) in texts[0] ^ texts[1]]
