"""Lint: everything that is wrong with a document, or could be better, as findings in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any

from kernel.contract.document import Document, Kind
from kernel.contract.finding import Finding, Severity
from kernel.contract.grammar import grammar_of
from kernel.contract.positions import token
from registry.lint.asyncapi_clauses import citation
from registry.lint.canon import NO_CANON, Canon
from registry.lint.exceptions import Exceptions, RuleException
from registry.lint.reading import Hit, Subject
from registry.lint.rule import Rule
from registry.lint.rules import BY_ID, RULES, RULESET_PREFIX, fault_of
from registry.lint.spectral.ruleset import Ruleset
from registry.lint.spectral.running import run_ruleset
from registry.lint.validity import VALIDITY

MOST_FINDINGS = 1_000
MOST_PLACES = 100  # of one rule; what is more is counted
_LOOKED_AT = 10_000
_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class House:
    """What a document is held against besides the rules themselves.

    `canon` are the canonical schemas that are known, `severity` another severity for a rule, or None for
    off, `exceptions` those that stand outside of the document, `as_of` the day by which exceptions end
    (None: none has ended). `written` is the document before canonical schemas were put in for its URNs:
    what was put in has rules of its own, at home. `rulesets` are those that a team brings.
    """

    canon: Canon = NO_CANON
    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    exceptions: tuple[RuleException, ...] = ()
    as_of: date | None = None
    written: Any = None
    rulesets: tuple[Ruleset, ...] = ()


PLAIN = House()


def lint(
    root: Any, kind: Kind, *, name: str = "", document: Document | None = None, house: House = PLAIN
) -> tuple[Finding, ...]:
    """Judge a self-contained document (files inlined, URNs embedded); it is not changed.

    Errors say that it is not valid, warnings and notes what the house asks for beyond that, which is
    judged only where the structure is sound. `document` adds file, line and column. The order is that of
    the table of rules, then of places as the rules come upon them; at most `MOST_FINDINGS`.
    """
    written = document.root if house.written is None and document is not None else house.written
    subject = Subject(root, kind, name, canon=house.canon, embedded=_embedded(root, written))
    found: list[Finding] = []
    for rule in VALIDITY:
        found.extend(_told(rule, _hits(rule, subject)))
    exceptions = Exceptions(subject, house.exceptions, house.as_of, fault_of)
    sound = not any(one.severity is Severity.ERROR for one in found)
    file = document.name if document else name
    if sound:
        found.extend(_house_rules(subject, house, exceptions, file))
    found.extend(_rulesets(subject, house, exceptions, file))
    if sound:
        found.extend(_about_exceptions(exceptions, house))
    found.sort(key=lambda one: _RANK[one.severity])
    return tuple(one.placed(document) for one in found[:MOST_FINDINGS])


def _house_rules(subject: Subject, house: House, exceptions: Exceptions, file: str) -> Iterator[Finding]:
    given: dict[str, Severity | None] = {}
    for ruleset in house.rulesets:
        given |= ruleset.house_severities(file)
    given |= house.severity
    for rule in RULES:
        severity = rule.severity if rule.severity is Severity.ERROR else given.get(rule.id, rule.severity)
        if rule in VALIDITY or severity is None:
            continue
        hits = _hits(rule, subject)
        if rule.severity is not Severity.ERROR:
            hits = [
                hit
                for hit in hits
                if not subject.is_embedded(hit.pointer) and not exceptions.spare(rule.id, hit.pointer)
            ]
        yield from _told(replace(rule, severity=severity), hits)


def _rulesets(subject: Subject, house: House, exceptions: Exceptions, file: str) -> Iterator[Finding]:
    """Give what a team's own rules find; a severity of interlock.toml goes before the ruleset's."""
    for ruleset in house.rulesets:
        told: dict[str, list[Finding]] = {}
        for one in run_ruleset(ruleset, subject.root, file):
            name = RULESET_PREFIX + one.rule.name
            severity = house.severity.get(name, one.severity)
            if severity is None or subject.is_embedded(one.pointer) or exceptions.spare(name, one.pointer):
                continue
            said = one.rule.description if one.rule.description != one.message else ""
            why = said or f"A rule of {ruleset.name}."
            remedy = f"See {one.rule.documentation or one.rule.place}."
            made = Finding(name, severity, one.pointer, one.message, why=why, remedy=remedy)
            told.setdefault(name, []).append(made)
        for findings in told.values():
            yield from _at_most(findings)


def _about_exceptions(exceptions: Exceptions, house: House) -> Iterator[Finding]:
    """Tell what is wrong with exceptions; those from rules of rulesets are judged where a ruleset was run."""
    about = (
        ("exception-invalid", exceptions.faults),
        ("exception-expired", list(exceptions.expired())),
        ("exception-unused", list(exceptions.unused(() if house.rulesets else RULESET_PREFIX))),
    )
    for rule_id, hits in about:
        yield from _told(BY_ID[rule_id], hits)


def _hits(rule: Rule, subject: Subject) -> list[Hit]:
    if rule.find is None or subject.kind not in rule.kinds:
        return []
    hits = dict.fromkeys(islice(rule.find(subject), _LOOKED_AT))
    return [Hit(hit.pointer, hit.what + citation(subject, rule, hit.pointer)) for hit in hits]


def _told(rule: Rule, hits: list[Hit]) -> list[Finding]:
    if rule.counted and hits:
        return [_finding(rule, Hit(hits[0].pointer, _sum(rule, hits)))]
    return _at_most([_finding(rule, hit) for hit in hits])


def _at_most(found: list[Finding]) -> list[Finding]:
    """Give the first places of a rule, and say at the last of them how many more there are."""
    told = found[:MOST_PLACES]
    if len(found) > MOST_PLACES:
        last = told[-1]
        told[-1] = replace(last, what=f"{last.what} (and in {len(found) - MOST_PLACES} more places)")
    return told


def _sum(rule: Rule, hits: list[Hit]) -> str:
    first = f": {hits[0].what}" if hits[0].what else ""
    number = f"{len(hits)}" if len(hits) < _LOOKED_AT else f"at least {len(hits)}"
    return f"{rule.counted}: {number} of them, the first stands here{first}"


def _finding(rule: Rule, hit: Hit) -> Finding:
    return Finding.of(rule, hit.pointer, hit.what)


def _embedded(root: Any, written: Any) -> tuple[str, ...]:
    """Give the places of canonical schemas that were put in: pointers."""
    if written is None or written is root or not isinstance(root, dict):
        return ()
    section = grammar_of(root).sections["schema"]
    here: Any = root
    there: Any = written
    for step in section.split("/")[1:]:
        here = here.get(step) if isinstance(here, dict) else None
        there = there.get(step) if isinstance(there, dict) else None
    kept = there.keys() if isinstance(there, dict) else ()
    added = [key for key in here if key not in kept] if isinstance(here, dict) else []
    return tuple(f"{section}{token(key)}" for key in added)
