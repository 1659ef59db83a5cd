"""Takes parts out of a document before it is compared: those that may go, and those that promise nothing.

What is taken out of the older version cannot be found missing in the newer one; everything else is compared as
ever, so that a break elsewhere is not hidden. A property that may go is taken out in two ways, since the directions
differ: where we accept, nobody need be understood who still sends it; where we emit, nobody need wait for it, and
should it come all the same it must be what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kernel.contract.positions import token, tokens_of
from registry.compat.policy_parts import Key, Part

_GONE: Final = object()


@dataclass(slots=True)
class Pruned:
    """A document without some of its parts; `origin` gives a pointer into it back as one into the whole."""

    root: Any
    gone: dict[str, list[int]] = field(default_factory=dict)  # list -> indexes that were taken out of it

    def origin(self, pointer: str) -> str:
        """Count the items of lists again that were taken out."""
        steps = pointer.split("/")
        for place in range(2, len(steps)):
            for index in self.gone.get("/".join(steps[:place]), ()):
                if steps[place].isdecimal() and index <= int(steps[place]):
                    steps[place] = str(int(steps[place]) + 1)
        return "/".join(steps)


def pruned(root: Any, taken: Mapping[Key, Part], *, properties: bool) -> Pruned:
    """Take parts out; `properties`: also the properties among them, which else are only no longer required."""
    edits: dict[str, Any] = {}
    gone: dict[str, list[int]] = {}
    for key, part in taken.items():
        if key[0] == "property":
            _unrequire(root, part.schema, key[2], edits)
            if properties:
                edits[part.pointer] = _GONE
        else:
            edits[part.pointer] = _GONE
            around, _, last = part.pointer.rpartition("/")
            if last.isdecimal() and isinstance(at_pointer(root, around), list):
                gone.setdefault(around, []).append(int(last))
    edits |= dict.fromkeys(_orphans(root, taken), _GONE)
    for listed, indexes in _mentions(root, taken):
        edits |= {f"{listed}/{index}": _GONE for index in indexes}
        gone.setdefault(listed, []).extend(indexes)
    return Pruned(_edited(root, edits), {at: sorted(set(indexes)) for at, indexes in gone.items()})


def _unrequire(root: Any, schema: str, name: str, edits: dict[str, Any]) -> None:
    pointer = f"{schema}/required"
    listed = edits.get(pointer, at_pointer(root, pointer))
    if isinstance(listed, list) and name in listed:
        left = [one for one in listed if one != name]
        edits[pointer] = left or _GONE  # OpenAPI 3.0 knows no empty `required`


def _orphans(root: Any, taken: Mapping[Key, Part]) -> Iterable[str]:
    """Find the AsyncAPI 3 operations, and replies, of channels that are taken out: they go with them."""
    channels = {f"#{part.pointer}" for key, part in taken.items() if key[0] == "channel"}
    operations = root.get("operations") if channels and isinstance(root, dict) else None
    for name in operations if isinstance(operations, dict) else ():
        for at in (f"/operations{token(name)}", f"/operations{token(name)}/reply"):
            channel = at_pointer(root, f"{at}/channel")
            named = channel.get("$ref") if isinstance(channel, dict) else None
            if isinstance(named, str) and named in channels:
                yield at


def _mentions(root: Any, taken: Mapping[Key, Part]) -> Iterable[tuple[str, list[int]]]:
    """Find where AsyncAPI 3 operations list a message that is taken out of its channel."""
    messages = {f"#{part.pointer}" for key, part in taken.items() if key[0] == "message"}
    operations = root.get("operations") if messages and isinstance(root, dict) else None
    for name, operation in operations.items() if isinstance(operations, dict) else ():
        for at in ("messages", "reply/messages"):
            pointer = f"/operations/{name.replace('~', '~0').replace('/', '~1')}/{at}"
            listed = at_pointer(root, pointer) if isinstance(operation, dict) else None
            if isinstance(listed, list):
                named = [one.get("$ref") if isinstance(one, dict) else None for one in listed]
                hit = [index for index, ref in enumerate(named) if isinstance(ref, str) and ref in messages]
                if hit:
                    yield pointer, hit


def at_pointer(root: Any, pointer: str) -> Any:
    """Give the value at a JSON pointer, None where nothing stands."""
    node = root
    for step in tokens_of(pointer):
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _edited(node: Any, edits: Mapping[str, Any]) -> Any:
    """Copy the tree along the edited pointers; everything else stays shared."""
    tree: dict[str, Any] = {}
    for pointer, value in edits.items():
        below = tree
        *steps, last = tokens_of(pointer)
        for step in steps:
            below = below.setdefault(step, {})
            if not isinstance(below, dict):
                break  # a part around it is taken out already
        else:
            below[last] = value
    return _applied(node, tree)


def _applied(node: Any, tree: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        copy = dict(node)
        for step, change in tree.items():
            if change is _GONE:
                copy.pop(step, None)
            elif step in copy:
                copy[step] = _applied(copy[step], change) if isinstance(change, dict) else change
        return copy
    if isinstance(node, list):
        return [
            _applied(item, change) if isinstance(change := tree.get(str(index)), dict) else item
            for index, item in enumerate(node)
            if tree.get(str(index)) is not _GONE
        ]
    return node
