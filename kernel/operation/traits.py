"""Traits of AsyncAPI operations and messages, merged into the object that names them.

2.x patches the object with each trait in turn, so that the last trait wins (2.6 §Operation Object, RFC 7386).
3.x gives the object's own members the last word: a trait MUST NOT override them (3.0 §Traits Merge Mechanism).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kernel.contract.positions import token
from kernel.operation.members import listing, mapping, refused
from kernel.operation.shapes import follow

_DEEPEST: Final = 100


@dataclass(frozen=True, slots=True)
class Merged:
    """The object with its traits; `origins` says where each member stands, `blended` which are of several."""

    value: Mapping[str, Any]
    origins: Mapping[str, str]
    blended: frozenset[str]


def with_traits(root: Any, node: Mapping[str, Any], pointer: str, *, own_wins: bool) -> Merged:
    """Merge the traits of an operation or a message; raises `ContractInvalid` where one is no object."""
    layers: list[tuple[Mapping[str, Any], str]] = []
    for index, declared in enumerate(listing(node.get("traits"), f"{pointer}/traits")):
        trait, place = follow(root, declared, f"{pointer}/traits/{index}")
        layers.append((mapping(trait, place), place))
    layers.insert(len(layers) if own_wins else 0, (node, pointer))
    value: dict[str, Any] = {}
    origins: dict[str, str] = {}
    blended: set[str] = set()
    for layer, place in layers:
        for key, member in layer.items():
            if key == "traits":
                continue
            if member is None and len(layers) > 1:  # RFC 7386: null takes the member away
                value.pop(key, None)
            elif key in value and isinstance(value[key], dict) and isinstance(member, dict):
                made = merge_patch(root, value[key], member, place + token(key))
                if made is not value[key]:
                    blended.add(key)
                    value[key] = made
            else:
                value[key], origins[key] = member, place + token(key)
                blended.discard(key)
    return Merged(value, {key: origins[key] for key in value}, frozenset(blended & value.keys()))


def merge_patch(root: Any, target: Any, patch: Any, pointer: str, depth: int = 0) -> Any:
    """Apply a JSON Merge Patch (RFC 7386 §2), references followed where two objects meet."""
    if depth > _DEEPEST:
        raise refused("the traits lead round in a circle, or nest too deep", pointer)
    if target == patch:
        return target
    if not isinstance(patch, dict):
        return patch
    patch = follow(root, patch, "")[0] if isinstance(target, dict) else patch
    target = follow(root, target, "")[0]
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for key, member in patch.items():
        if member is None:
            made.pop(key, None)
        elif isinstance(member, dict):
            made[key] = merge_patch(root, made.get(key), member, pointer, depth + 1)
        else:
            made[key] = member
    return made
