"""Runs the rules of a ruleset on one document: what each finds, where it is written, in the ruleset's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kernel.contract.finding import Severity
from kernel.contract.positions import token
from registry.lint.spectral.faults import Refused, RulesetFailed
from registry.lint.spectral.formats import formats_of
from registry.lint.spectral.functions import Context, Fault
from registry.lint.spectral.matching import Budget, Match, matches
from registry.lint.spectral.messages import Said, dotted, filled
from registry.lint.spectral.paths import JsonPath, read_path
from registry.lint.spectral.ruleset import Ruleset, RulesetRule, Then
from registry.lint.spectral.tree import Key, Node, Tree
from registry.lint.spectral.values import UNDEFINED

MOST_NODES = 5_000_000  # that one rule may look at in one document
MOST_RESULTS = 10_000  # of one rule
_FIELD = re.compile(
    r"[^.\[\]]+|\[(?:(-?\d+(?:\.\d+)?)|([\"'])((?:(?!\2)[^\\]|\\.)*)\2)\]|(?=(?:\.|\[\])(?:\.|\[\]|$))"
)


class Result(NamedTuple):
    """One thing that a rule found."""

    rule: RulesetRule
    severity: Severity
    pointer: str
    message: str


def run_ruleset(ruleset: Ruleset, root: Any, file: str = "") -> Iterator[Result]:
    """Give what the rules find in a document, each once; `file` is its path, for overrides.

    Raises `RulesetFailed` where a rule cannot be run on it.
    """
    trees = {resolved: Tree(root, resolved=resolved) for resolved in (True, False)}
    formats = formats_of(root)
    for rule in ruleset.rules_for(file):
        if rule.formats is None or formats & set(rule.formats):
            try:
                yield from _once(_run(rule, trees[rule.resolved], formats))
            except Refused as error:
                raise RulesetFailed(
                    f"the rule `{rule.name}` cannot be run on this document: {error.what}",
                    hint=error.hint,
                    place=rule.place,
                ) from None


def _once(results: Iterator[Result]) -> Iterator[Result]:
    seen: set[tuple[str, str]] = set()
    for one in results:
        if (one.pointer, one.message) not in seen:
            seen.add((one.pointer, one.message))
            yield one
        if len(seen) >= MOST_RESULTS:
            return


def _run(rule: RulesetRule, tree: Tree, formats: frozenset[str]) -> Iterator[Result]:
    budget, context = Budget(MOST_NODES), Context(tree)
    for path in _paths(rule, formats):
        for match in matches(tree, path, budget):
            for then in rule.then:
                for target in _targets(tree, match, then, budget):
                    for fault in then.function(target.value, context):
                        found = _result(rule, tree, target, fault)
                        if found is not None:
                            yield found


def _paths(rule: RulesetRule, formats: frozenset[str]) -> list[JsonPath]:
    """Give the paths that hold for the formats of a document: of several targets the last that fits."""
    found: dict[str, JsonPath] = {}
    for targets in rule.given:
        fitting = [one for one in targets if one.formats is not None and formats & set(one.formats)][-1:]
        for target in (*(one for one in targets if one.formats is None), *fitting):
            found.update({path.source: path for path in target.paths})
    return list(found.values())


class _Target(NamedTuple):
    """What a function judges: a value, reached from a node by some keys."""

    value: Any
    node: Node
    keys: tuple[Key, ...]


def _targets(tree: Tree, match: Match, then: Then, budget: Budget) -> Iterator[_Target]:
    value, node, field = match.value, match.node, then.field
    if field is None or match.as_key or not isinstance(value, dict | list):
        yield _Target(value, node, ())
    elif field == "@key":
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        for key in keys:
            yield _Target(str(key), node, (key,))
        if not keys:
            yield _Target(UNDEFINED, node, ())
    elif is_path(field):
        below = Tree(value, resolved=False)
        found = matches(below, read_path(field), budget)
        for one in found:
            yield _Target(one.value, node, one.node.way)
        if not found:
            yield _Target(UNDEFINED, node, ())
    else:
        steps = _steps(field)
        direct = isinstance(value, dict) and field in value
        yield _Target(_reach(tree, node, (field,) if direct else steps), node, steps)


def is_path(field: str) -> bool:
    """Whether a field is a path of its own; `$ref` is a name."""
    return field == "$" or field.startswith(("$.", "$[", "$~", "$^"))


def _steps(field: str) -> tuple[Key, ...]:
    """Cut a field as lodash's `toPath` does: at dots, and at brackets with an index or a quoted name."""
    found: list[Key] = []
    for one in _FIELD.finditer(field):
        if one[1] is not None:
            found.append(one[1])
        elif one[3] is not None:
            found.append(re.sub(r"\\(.)", r"\1", one[3]))
        else:
            found.append(one[0])
    return tuple(found)


def _reach(tree: Tree, node: Node, keys: tuple[Key, ...]) -> Any:
    at: Node | None = node
    for key in keys:
        if isinstance(at and at.value, str) and key == "length":
            return len(at.value) if at else UNDEFINED
        at = tree.member(at, str(key)) if at is not None else None
    return UNDEFINED if at is None else at.value


def _result(rule: RulesetRule, tree: Tree, target: _Target, fault: Fault) -> Result | None:
    node, missing = _closest(tree, target.node, (*target.keys, *fault.below))
    place = node.place
    if fault.at is not None:
        closest, missing = _closest(tree, tree.root, fault.at)
        place = closest.place
        node = closest
    pointer = "".join(map(token, place))
    severity = rule.severity_at(pointer)
    if severity is None:
        return None
    # Of what is not there Spectral names the last key that is, too; of a missing member of the root its last key.
    named = (*place[-1:], *missing) if missing and place else missing[-1:] or place[-1:]
    said = Said(dotted(named), fault.message, f"#{pointer}", rule.description, node.value)
    return Result(rule, severity, pointer, filled(rule, said))


def _closest(tree: Tree, node: Node, keys: tuple[Key, ...]) -> tuple[Node, tuple[Key, ...]]:
    """Go as far as the document goes, and say which keys were not there."""
    for index, key in enumerate(keys):
        found = tree.member(node, str(key))
        if found is None and node.siblings is not None and str(key) in node.siblings:
            place = (*node.place, str(key))  # lost beside a $ref, and still the place that is told
            return Node(node.siblings[str(key)], place, place, key, node), ()
        if found is None:
            return node, keys[index:]
        node = found
    return node, ()
