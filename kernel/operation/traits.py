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
_MOST: Final = 10_000  # objects of one merge


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
            at = place + token(key)
            if key == "traits":
                continue
            if member is None and len(layers) > 1:  # RFC 7386: null takes the member away
                value.pop(key, None)
                continue
            known = value.get(key)
            if isinstance(member, dict) and (isinstance(known, dict) or layer is not node):
                made = _Merging(root, at).patched(known, member)
            else:
                made = member
            if made == member:
                value[key], origins[key] = member, at
                blended.discard(key)
            elif made != known:
                value[key] = made
                origins[key] = at if layer is node else origins.get(key, at)
                blended.add(key)
    return Merged(value, {key: origins[key] for key in value}, frozenset(blended & value.keys()))


class _Merging:
    """Applies JSON Merge Patches (RFC 7386 §2), references followed where two objects meet.

    Schemas that contain themselves could be merged for ever, so that depth and number of objects are bounded.
    """

    def __init__(self, root: Any, pointer: str) -> None:
        self._root = root
        self._pointer = pointer
        self._left = _MOST

    def patched(self, target: Any, patch: Any, depth: int = 0) -> Any:
        """Give the target with the patch applied; neither is changed."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise refused("the traits lead round in a circle, or nest too deep", self._pointer)
        if target == patch:
            return target
        if not isinstance(patch, dict):
            return patch
        patch = follow(self._root, patch, "")[0] if isinstance(target, dict) else patch
        target = follow(self._root, target, "")[0]
        if not isinstance(patch, dict):
            return patch
        made = dict(target) if isinstance(target, dict) else {}
        for key, member in patch.items():
            if member is None:
                made.pop(key, None)
            elif isinstance(member, dict):
                made[key] = self.patched(made.get(key), member, depth + 1)
            else:
                made[key] = member
        return made
