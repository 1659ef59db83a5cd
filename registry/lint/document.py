"""Lint: everything that is wrong with a document, or could be better, as findings in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from kernel.contract.document import Document, Kind
from kernel.contract.finding import Finding, Severity
from registry.lint.reading import Hit, Subject
from registry.lint.rule import Rule
from registry.lint.rules import RULES
from registry.lint.validity import VALIDITY

MOST_FINDINGS = 1_000
MOST_PLACES = 100  # of one rule; what is more is counted
_LOOKED_AT = 10_000


def lint(root: Any, kind: Kind, *, name: str = "", document: Document | None = None) -> tuple[Finding, ...]:
    """Judge a self-contained document (files inlined, URNs embedded); it is not changed.

    Errors say that it is not valid, warnings and notes what the house asks for beyond that, which is
    judged only where the structure is sound. `document` adds file, line and column. The order is that of
    the table of rules, then of places as the rules come upon them; at most `MOST_FINDINGS`.
    """
    subject = Subject(root, kind, name)
    found: list[Finding] = []
    for rule in VALIDITY:
        found.extend(_apply(rule, subject))
    if not any(one.severity is Severity.ERROR for one in found):
        for rule in RULES:
            if rule not in VALIDITY:
                found.extend(_apply(rule, subject))
    found.sort(key=lambda one: _RANK[one.severity])
    return tuple(placed(one, document) for one in found[:MOST_FINDINGS])


def placed(finding: Finding, document: Document | None) -> Finding:
    """Add file, line and column to a finding that has none."""
    if document is None or finding.source is not None:
        return finding
    place = document.position(finding.pointer)
    return replace(finding, source=place.source, line=place.line, column=place.column)


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def _apply(rule: Rule, subject: Subject) -> list[Finding]:
    if rule.find is None or subject.kind not in rule.kinds:
        return []
    hits = _once(rule.find(subject))
    told = [_finding(rule, hit) for hit in hits[:MOST_PLACES]]
    if len(hits) > MOST_PLACES:
        last = told[-1]
        told[-1] = replace(last, what=f"{last.what} (and in {len(hits) - MOST_PLACES} more places)")
    return told


def _once(hits: Iterable[Hit]) -> list[Hit]:
    return list(dict.fromkeys(islice(hits, _LOOKED_AT)))


def _finding(rule: Rule, hit: Hit) -> Finding:
    return Finding(rule.id, rule.severity, hit.pointer, hit.what, why=rule.why, remedy=rule.remedy)
