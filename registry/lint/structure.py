"""Turns what a JSON Schema validator says about a document into places and sentences, deepest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from kernel.contract.positions import token
from registry.lint.reading import Hit

MOST_ERRORS = 2_000  # errors of the engine that are looked at, for one document
_DEEPEST = 40
_EMPTY = "must not be empty"
Leaf = Any  # an error of the engine that is no choice, or a Hit made of a choice
_CHOICES = frozenset({"anyOf", "oneOf"})


def violations(validator: Any, value: Any, schema: dict[str, Any], base: str = "") -> list[Hit]:
    """Say where a value breaks a meta-schema, once each, in the order of places.

    `base` is the pointer of the value in its document. Of a choice (`oneOf`, `anyOf`) the branch that
    was meant is told: a message about every branch helps nobody.
    """
    leaves: list[Leaf] = []
    for error in islice(validator.iter_errors(value), MOST_ERRORS):
        leaves.extend(_leaves(error, value, 0))
    found: dict[Hit, None] = {}
    for leaf in leaves:
        told = [Hit(base + leaf.pointer, leaf.what)] if isinstance(leaf, Hit) else _told(leaf, schema, base)
        found.update(dict.fromkeys(told))
    return _without_echoes(list(found))


def _leaves(error: Any, root: Any, depth: int) -> Iterator[Leaf]:
    if error.kind.name not in _CHOICES or depth > _DEEPEST:
        yield error
        return
    branches = [branch for branch in error.kind.context if branch]
    if not branches:
        yield error
        return
    variants = _variants(branches)
    if variants is not None:
        yield variants
        return
    here = error.instance_path
    node = _node(root, here)
    refers = isinstance(node, dict) and "$ref" in node
    for one in min(branches, key=lambda branch: _distance(branch, here, refers=refers)):
        yield from _leaves(one, root, depth + 1)


def _variants(branches: list[list[Any]]) -> Leaf | None:
    """Where every branch asks for another value in one place, such as `in` or `type`: all of these values."""
    told: list[dict[tuple[str | int, ...], list[Any]]] = []
    for branch in branches:
        asked = {
            tuple(one.instance_path): _asked(one) for one in branch if one.kind.name in ("enum", "const")
        }
        if asked:
            told.append(asked)
        elif not _wants_reference(branch):
            return None
    shared = set(told[0]).intersection(*told[1:]) if len(told) > 1 else set()
    if len(shared) != 1:
        return None
    path = shared.pop()
    options = dict.fromkeys(str(option)[:40] for asked in told for option in asked[path])
    return Hit("".join(map(token, path)), f"must be one of {', '.join(options)}")


def _asked(error: Any) -> list[Any]:
    return list(error.kind.options) if error.kind.name == "enum" else [error.kind.expected_value]


def _wants_reference(branch: list[Any]) -> bool:
    return len(branch) == 1 and branch[0].kind.name == "required" and branch[0].kind.property == "$ref"


def _distance(branch: list[Any], here: list[str | int], *, refers: bool) -> tuple[bool, int, int]:
    """Say how far a branch is from what was meant: of another kind, of another variant, number of errors."""
    weight = 0
    for one in branch:
        below = len(one.instance_path) - len(here)
        if one.kind.name in ("enum", "const") and below <= 1:
            weight += 3
        elif below == 0:
            weight += {"type": 3, "required": 1}.get(one.kind.name, 0)
    return _wants_reference(branch) and not refers, weight, len(branch)


def _node(root: Any, path: list[str | int]) -> Any:
    for step in path:
        if isinstance(root, dict):
            root = root.get(str(step), root.get(step))
        elif isinstance(root, list) and isinstance(step, int) and step < len(root):
            root = root[step]
        else:
            return None
    return root


def _told(error: Any, schema: dict[str, Any], base: str) -> Iterator[Hit]:  # noqa: C901, PLR0912 - one row a kind
    kind = error.kind
    at = base + "".join(map(token, error.instance_path))
    match kind.name:
        case "required":
            yield Hit(at, f"`{kind.property}` is missing")
        case "additionalProperties":
            for name in kind.unexpected:
                yield Hit(at + token(name), f"`{name[:100]}` is not known here")
        case "unevaluatedProperties":
            known, patterns = _names(schema, error.schema_path)
            for name in kind.unexpected:
                if name not in known and not any(pattern.search(name) for pattern in patterns):
                    yield Hit(at + token(name), f"`{name[:100]}` is not known here")
        case "type":
            yield Hit(at, f"must be {_either(kind.types)}")
        case "enum":
            yield Hit(at, f"must be one of {', '.join(str(option)[:40] for option in kind.options[:20])}")
        case "const":
            yield Hit(at, f"must be {str(kind.expected_value)[:80]}")
        case "pattern":
            yield Hit(at, f"does not match {kind.pattern[:120]}")
        case "propertyNames":
            yield Hit(at, f"has a key that is not allowed: {str(kind.error.message)[:160]}")
        case "oneOf" | "anyOf":
            yield Hit(at, "must be one of the forms that the specification allows here, and only one")
        case "minProperties" | "minItems" if kind.limit == 1:
            yield Hit(at, _EMPTY)
        case "not" | "falseSchema":
            yield Hit(at, "is not allowed here")
        case _:
            yield Hit(at, str(error.message)[:200])


def _either(types: list[str]) -> str:
    words = [f"an {one}" if one[0] in "aio" else "null" if one == "null" else f"a {one}" for one in types]
    return " or ".join(words)


def _names(schema: Any, path: list[str | int]) -> tuple[set[str], list[re.Pattern[str]]]:
    """Gather the property names that the object around a keyword knows, through its references.

    A part that fails takes its names with it (2020-12 §11.3), so that known names seem unknown.
    """
    node = schema
    for step in path[:-1]:
        node = node[step] if isinstance(node, list) and isinstance(step, int) else node.get(str(step), {})
    names: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    seen: set[int] = set()
    stack = [node]
    while stack:
        one = stack.pop()
        if not isinstance(one, dict) or id(one) in seen:
            continue
        seen.add(id(one))
        names.update(one.get("properties", {}))
        patterns.extend(re.compile(text) for text in one.get("patternProperties", {}))
        ref = one.get("$ref", "")
        if ref.startswith("#/"):
            target = schema
            for step in ref[2:].split("/"):
                target = target.get(step, {})
            stack.append(target)
        for key in ("allOf", "anyOf", "oneOf"):
            stack.extend(one.get(key, []))
        stack.extend(one.get(key) for key in ("if", "then", "else"))
        stack.extend(one.get("dependentSchemas", {}).values())
    return names, patterns


def _without_echoes(hits: list[Hit]) -> list[Hit]:
    """Leave out the complaint about a choice, or about a whole, where one about a part of it is told."""
    vague = ("must be one of the forms", "is not allowed here")
    empty = {hit.pointer for hit in hits if hit.what == _EMPTY}
    # OpenAPI 3.1 asks of empty responses both that they are not and that they have a default.
    hits = [hit for hit in hits if not (hit.pointer in empty and hit.what == "`default` is missing")]
    places = {hit.pointer for hit in hits if not hit.what.startswith(vague)}
    return [
        hit
        for hit in hits
        if not (hit.what.startswith(vague) and any(place.startswith(hit.pointer) for place in places))
    ]
