"""OpenAPI's discriminator as a filter: one property says which branch holds, and errors come from that one.

OpenAPI 3.2 §4.24 (3.0 §4.7.25): beside `oneOf` or `anyOf` of references, a value names a schema by the
mapping or by the name of the component. An `allOf` parent with a discriminator looks for no children; there
it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kernel.contract.positions import tokens_of
from kernel.contract.sites import local_pointer
from kernel.errors import ReferenceRefused

_KEYWORDS = ("oneOf", "anyOf")
_COMPONENT = "#/components/schemas/"
_MOST = 20  # steps from a branch to where it says what the property holds

Find = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Discriminator:
    """What a node filters by: `values` of the property → index of the branch; `others` if none is named.

    `others` is the index of `defaultMapping` (OpenAPI 3.2), which also stands where the property is missing.
    """

    keyword: str
    name: str
    values: dict[str, int]
    others: int | None = None


def targets_of(node: dict[str, Any]) -> dict[str, str]:
    """List the local references of a node's mapping, by the values that they are for."""
    declared = node.get("discriminator")
    mapping = declared.get("mapping") if isinstance(declared, dict) else None
    found = mapping.items() if isinstance(mapping, dict) else ()
    return {value: target for value, target in found if isinstance(target, str) and target.startswith("#")}


def discriminator_of(node: dict[str, Any], find: Find) -> Discriminator | None:
    """Read the discriminator of a node; None where there is none that could choose.

    `find` resolves a local reference. Inline branches have no name, so that nothing can choose among them.
    """
    declared = node.get("discriminator")
    name = declared.get("propertyName") if isinstance(declared, dict) else None
    keyword = next((key for key in _KEYWORDS if isinstance(node.get(key), list)), None)
    if not isinstance(declared, dict) or not isinstance(name, str) or keyword is None:
        return None
    places: dict[str, int] = {}
    for index, branch in enumerate(node[keyword]):
        place = _place(branch.get("$ref")) if isinstance(branch, dict) else None
        if place is None:
            return None
        places.setdefault(place, index)
    mapping = declared.get("mapping")
    values: dict[str, int] = {}
    for value, target in (mapping if isinstance(mapping, dict) else {}).items():
        chosen = _branch(target, places)
        if chosen is None:
            return None  # it leads to a schema that is no branch: the branches alone decide
        values[value] = chosen
    for place, index in places.items():
        values.setdefault(tokens_of(place)[-1] if place else "", index)
        for value in _said(node[keyword][index], name, find):
            values.setdefault(value, index)
    return Discriminator(keyword, name, values, _branch(declared.get("defaultMapping"), places))


def filtered(found: Discriminator, branches: list[Any], known: dict[str, str]) -> dict[str, Any]:
    """Write the filter in 2020-12; `known` is a reference to a schema that admits the named values.

    What is no object is left to the branches themselves.
    """
    chosen: dict[int, list[str]] = {}
    for value, index in found.values.items():
        chosen.setdefault(index, []).append(value)
    steps: list[Any] = [
        {"if": _named(found.name, values), "then": branches[index]} for index, values in chosen.items()
    ]
    made: dict[str, Any] = {"allOf": steps}
    if found.others is None:
        made |= {"required": [found.name], "properties": {found.name: known}}
    else:
        steps.append({"if": _named(found.name, list(found.values)), "else": branches[found.others]})
    return {"if": {"type": "object"}, "then": made, "else": {found.keyword: branches}}


def _named(name: str, values: list[str]) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"enum": values}}}


def _place(ref: Any) -> str | None:
    if not isinstance(ref, str) or not ref.startswith("#"):
        return None
    try:
        return local_pointer(ref)
    except ReferenceRefused:
        return None


def _branch(target: Any, places: dict[str, int]) -> int | None:
    """Find the branch that a mapping's value means: a reference, or the name of a component."""
    if not isinstance(target, str):
        return None
    place = _place(target)
    if place in places:
        return places[place]
    return places.get(_place(_COMPONENT + target) or "")


def _said(node: Any, name: str, find: Find) -> Iterator[str]:
    """Give the values that a branch itself spells out for the property, through references and allOf."""
    waiting, left = [node], _MOST
    while waiting and left:
        left -= 1
        node = waiting.pop(0)
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("$ref"), str):
            waiting.append(find(node["$ref"]))
        properties = node.get("properties")
        member = properties.get(name) if isinstance(properties, dict) else None
        if isinstance(member, dict):
            listed = member.get("enum") if isinstance(member.get("enum"), list) else [member.get("const")]
            yield from (value for value in listed or () if isinstance(value, str))
        parts = node.get("allOf")
        waiting += parts if isinstance(parts, list) else []
