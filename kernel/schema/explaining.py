"""Say where a refused value fails, at a cost that the sender of the value cannot choose.

The engine tells every error of every branch of `oneOf` and `anyOf`, and goes through recursion once for each
way in: twenty nested objects are minutes of work. So the schema is written once more for explaining: whether
a branch holds is asked as yes or no (which the engine remembers), and a recursive part is looked into one
step at a time. What it admits does not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs

from kernel.schema.lowering import RULE

Path = tuple[str | int, ...]

_BRANCHES: Final = ("oneOf", "anyOf")
_UNEVALUATED: Final = ("unevaluatedProperties", "unevaluatedItems")
_LISTS: Final = frozenset({"allOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_NODES: Final = frozenset({"then", "else", "additionalProperties", "items", *_UNEVALUATED})
_DEFINITION: Final = "#/$defs/"
_EXPLAINED: Final = "explained:"
_STEP: Final = "step"  # RULE + _STEP + ":" + name: a recursive part, to be looked into by itself
_WHOLE: Final = "whole"  # the name of the part that is everything (the engine drops an empty step)
_MOST_STEPS: Final = 64  # recursive parts looked into for one value
_FEW_STEPS: Final = 2  # the same for a large value, of which each step judges the rest once more


class Explaining:
    """The schema of one validator, written for errors; compiled when a value is refused for the first time."""

    __slots__ = ("_options", "_schema", "_validator")

    def __init__(self, schema: Any, options: dict[str, Any]) -> None:
        """Keep a lowered schema of 2020-12 with its definitions under `$defs`, and the engine's options."""
        self._schema = schema
        self._options = options
        self._validator: jsonschema_rs.Draft202012Validator | None = None

    def errors(
        self, value: Any, *, every: bool
    ) -> Iterator[tuple[Path, jsonschema_rs.ValidationError | None]]:
        """Give errors with the path of the part that they were found in; with `every`, all of each part.

        None stands for what is wrong somewhere below a part that was not looked into any more.
        Raises what the engine raises for a schema that it cannot compile; it compiled the original.
        """
        if self._validator is None:
            self._validator = jsonschema_rs.Draft202012Validator(_explained(self._schema), **self._options)
        waiting: list[tuple[str, Path]] = [(_WHOLE, ())]
        seen: set[tuple[str, Path]] = set(waiting)
        for _ in range(_MOST_STEPS if every else _FEW_STEPS):
            if not waiting:
                return
            name, path = waiting.pop(0)
            for error in self._of_part({name: _at(value, path)}, every=every):
                step = _step_of(error)
                if step is None:
                    yield path, error
                elif (entry := (step, path + tuple(error.instance_path[1:]))) not in seen:
                    seen.add(entry)
                    waiting.append(entry)
        yield from ((path, None) for _, path in waiting)

    def _of_part(self, part: dict[str, Any], *, every: bool) -> list[jsonschema_rs.ValidationError]:
        assert self._validator is not None  # `errors` made it
        if every:
            return list(self._validator.iter_errors(part))
        try:
            self._validator.validate(part)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []


def _step_of(error: jsonschema_rs.ValidationError) -> str | None:
    path = error.schema_path
    if len(path) > 1 and path[0] == "$defs" and str(path[1]).startswith(f"{RULE}{_STEP}:"):
        return str(path[1]).split(":", 2)[2]
    return None


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _explained(schema: Any) -> dict[str, Any]:
    """Write the schema of `{"whole": value}` and of `{name: part}` for each definition that recursion leads to."""
    if not isinstance(schema, dict):
        return {"properties": {_WHOLE: schema}}
    definitions: dict[str, Any] = schema.get("$defs", {})
    top = {key: value for key, value in schema.items() if key != "$defs"}
    writing = _Writing(_recursive(definitions), _has_branches(schema))
    found = {f"{_EXPLAINED}{name}": writing.node(body, name) for name, body in definitions.items()
             if not name.startswith(RULE)}  # fmt: skip
    parts = {_WHOLE: writing.node(top, ""), **{
        name: {"$ref": f"{_DEFINITION}{_EXPLAINED}{name}"} for name in writing.steps
    }}  # fmt: skip
    return {"properties": parts, "$defs": {**definitions, **found, **writing.rules}}


class _Writing:
    """One pass over the nodes; `steps` and `rules` are what it learns on the way."""

    def __init__(self, together: dict[str, int], has_branches: bool) -> None:  # noqa: FBT001 - private
        self._together = together
        self._has_branches = has_branches
        self.steps: set[str] = set()
        self.rules: dict[str, Any] = {}

    def node(self, node: Any, owner: str, *, same: bool = True) -> Any:
        """Write one node; `same`: it is judged on the same value as the definition `owner` that holds it."""
        if not isinstance(node, dict):
            return node
        made: dict[str, Any] = {}
        rules: list[Any] = []
        for key, value in node.items():
            if key in _BRANCHES:
                rules.append(self._rule(key, {key: value}))
            elif key in _UNEVALUATED and self._has_branches:
                rules.append(self._rule(key, node))  # it rests on what the branches have looked at
            else:
                made[key] = self._value(key, value, owner, same=same)
        if rules:
            made["allOf"] = [*made.get("allOf", ()), *rules]
        return made

    def _value(self, key: str, value: Any, owner: str, *, same: bool) -> Any:
        if key == "$ref":
            return self._reference(value, owner, same=same)
        if key in _LISTS:
            return [self.node(item, owner, same=same and key == "allOf") for item in value]
        if key in _MAPS:
            inner = same and key == "dependentSchemas"
            return {name: self.node(item, owner, same=inner) for name, item in value.items()}
        if key in _NODES:
            return self.node(value, owner, same=same and key in {"then", "else"})
        return value

    def _reference(self, ref: str, owner: str, *, same: bool) -> str:
        name = ref.removeprefix(_DEFINITION)
        if name.startswith(RULE):
            return ref
        if same or self._together.get(owner, -1) != self._together.get(name, -2):
            return f"{_DEFINITION}{_EXPLAINED}{name}"
        self.steps.add(name)
        key = f"{RULE}{_STEP}:{name}"
        self.rules[key] = {"not": {"not": {"$ref": ref}}}
        return _DEFINITION + key

    def _rule(self, keyword: str, schema: Any) -> dict[str, str]:
        key = f"{RULE}{keyword}:{len(self.rules)}"
        self.rules[key] = {"not": {"not": schema}}
        return {"$ref": _DEFINITION + key}


def _has_branches(node: Any) -> bool:
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if any(isinstance(item.get(key), list) for key in _BRANCHES):
                return True
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return False


def _recursive(definitions: dict[str, Any]) -> dict[str, int]:
    """Give a number to each definition that leads to itself: the same to those of one circle (Tarjan)."""
    # What stands in a `const` or an `enum` may look like a reference too.
    edges = {
        name: [other for other in _references(body) if other in definitions]
        for name, body in definitions.items()
    }
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found: dict[str, int] = {}
    for start in edges:
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in order:
            _enter(start, edges, order, low, path, on_path, stack)
        while stack:
            name, rest = stack[-1]
            below = next(rest, None)
            if below is None:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[name])
                if low[name] == order[name]:
                    _close(name, edges, path, on_path, found)
            elif below not in order:
                _enter(below, edges, order, low, path, on_path, stack)
            elif below in on_path:
                low[name] = min(low[name], order[below])
    return found


def _enter(  # noqa: PLR0917 - the state of one walk
    name: str,
    edges: dict[str, list[str]],
    order: dict[str, int],
    low: dict[str, int],
    path: list[str],
    on_path: set[str],
    stack: list[tuple[str, Iterator[str]]],
) -> None:
    order[name] = low[name] = len(order)
    path.append(name)
    on_path.add(name)
    stack.append((name, iter(edges[name])))


def _close(
    name: str, edges: dict[str, list[str]], path: list[str], on_path: set[str], found: dict[str, int]
) -> None:
    members: list[str] = []
    while True:
        member = path.pop()
        on_path.discard(member)
        members.append(member)
        if member == name:
            break
    if len(members) > 1 or name in edges[name]:
        number = len(found)
        found.update(dict.fromkeys(members, number))


def _references(node: Any) -> list[str]:
    found: dict[str, None] = {}
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            ref = item.get("$ref")
            if isinstance(ref, str):
                found[ref.removeprefix(_DEFINITION)] = None
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return list(found)
