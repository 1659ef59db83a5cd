"""Finds which operations of two OpenAPI documents can differ at all, by the text of all that they refer to.

An operation is left out of a comparison only when its own text, that of its path item, of everything it
refers to (however far), and of the security schemes that it names are the same in both documents. What
cannot be followed by its name (references into other places, anchors, dynamic references) counts as
touched. So equal parts cost nothing, neither our own engine nor oasdiff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from registry.compat.schema_view import Unreadable

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_REFERENCE: Final = re.compile(rb'"\$(?:ref|dynamicRef|recursiveRef)":"((?:[^"\\]|\\.)*)"')
_COMPONENT: Final = re.compile(r"#/components/([^/]+)/([^/]+)(?:/.*)?", re.DOTALL)
_GLOBAL: Final = frozenset({"openapi", "jsonSchemaDialect", "servers", "security", "$self"})
_LEFT_OUT: Final = frozenset({"webhooks", "tags"})
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")

Name = tuple[str, str]  # kind and name of a component


def text_of(value: Any) -> bytes:
    """Write a JSON value so that equal texts mean equal values (1 and 1.0 have two texts)."""
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, UnicodeError) as error:
        raise Unreadable(f"a value cannot be written as JSON: {type(error).__name__}") from None


class Touched:
    """What may differ between two documents; everything else is the same in both, to the letter."""

    def __init__(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        self._ends = (old, new)
        self._one_dialect = all(old.get(key) == new.get(key) for key in ("openapi", "jsonSchemaDialect"))
        self._readable = all(isinstance(root.get("paths") or {}, dict) for root in self._ends)
        self.everything = not self._readable or any(
            text_of(old.get(key)) != text_of(new.get(key)) for key in _keys(old, new) if _binds(key)
        )
        self._parts = [_components(root) for root in self._ends]
        self._changed = self._spread()
        self._secured = text_of(old.get("security")) + text_of(new.get("security"))
        self._schemes = [text_of(name)[1:-1] for kind, name in self._changed if kind == "securitySchemes"]

    def differs(self, old: Any, new: Any) -> bool:
        """Whether a path item, an operation or a part of one may differ, what holds for all included."""
        text = text_of(old)
        return self.everything or text != text_of(new) or not self._stays(text)

    def steady(self, pointer: str) -> bool:
        """Whether what stands at a pointer, with all that it refers to, is a component of both documents."""
        steps = pointer.split("/", 4)
        if not self._one_dialect or len(steps) < 4 or steps[1] != "components":  # noqa: PLR2004 - /components/kind/name
            return False
        name = (steps[2], steps[3].replace("~1", "/").replace("~0", "~"))
        return name in self._parts[0] and name not in self._changed

    def changed(self, kind: str, name: str) -> bool:
        """Whether a component, or what it refers to, is not the same in both documents."""
        return (kind, name) in self._changed

    def needed(self, texts: list[bytes]) -> set[Name]:
        """Give every component of the old document that some texts refer to, however far."""
        return _closure(texts, self._parts[0])

    def _stays(self, text: bytes) -> bool:
        """Whether all that a text refers to is the same in both documents."""
        names = _referred(text)
        if names is None or not self._changed.isdisjoint(names):
            return False
        # Schemes are named, not referred to: their name anywhere in the text counts.
        return not any(name in text or name in self._secured for name in self._schemes)

    def _spread(self) -> set[Name]:
        """Give the components that differ, or refer to one that does."""
        old, new = self._parts
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        users: dict[Name, list[Name]] = {}
        for name, text in {**old, **new}.items():
            referred = _referred(text)
            if referred is None:
                changed.add(name)
            for other in referred or ():
                users.setdefault(other, []).append(name)
        todo = list(changed)
        while todo:
            for user in users.get(todo.pop(), ()):
                if user not in changed:
                    changed.add(user)
                    todo.append(user)
        return changed

    def reduced(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give both documents without the operations that are the same, and without what only those need.

        Webhooks are left out, and are judged here alone: oasdiff takes them for calls to us (#1160).
        """
        if not self._readable:
            return dict(self._ends[0]), dict(self._ends[1])
        paths = _reduced_paths(self, *(root.get("paths") or {} for root in self._ends))
        needed = set(self._changed)
        for kept, parts in zip(paths, self._parts, strict=True):
            begin = [text_of(kept), *(parts[name] for name in self._changed if name in parts)]
            needed |= _closure(begin, parts)
        made = []
        for root, kept in zip(self._ends, paths, strict=True):
            body = {key: value for key, value in root.items() if key not in _LEFT_OUT and key[:2] != "x-"}
            body["paths"] = kept
            if isinstance(root.get("components"), dict):
                body["components"] = _reduced_components(root["components"], needed)
            made.append(body)
        return made[0], made[1]


def _keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    yield from dict.fromkeys((*old, *new))


def _binds(key: str) -> bool:
    """Whether a member of the document says something of every operation."""
    return key in _GLOBAL or key.startswith("x-interlock-")


def _components(root: Mapping[str, Any]) -> dict[Name, bytes]:
    groups = root.get("components")
    return {
        (kind, name): text_of(value)
        for kind, group in (groups.items() if isinstance(groups, dict) else ())
        if isinstance(group, dict)
        for name, value in group.items()
    }


def _referred(text: bytes) -> set[Name] | None:
    """Give the components that a text names; None where something else is referred to."""
    found: set[Name] = set()
    for raw in set(_REFERENCE.findall(text)):
        match = _COMPONENT.fullmatch(msgspec.json.decode(b'"' + raw + b'"'))
        if match is None:
            return None
        kind, name = (unquote(part).replace("~1", "/").replace("~0", "~") for part in match.groups())
        found.add((kind, name))
    if b'"mapping":' in text:
        found |= set(_mapped(msgspec.json.decode(text)))
    return found


def _mapped(node: Any) -> Iterator[Name]:
    """Give the schemas that discriminators name, by reference or by bare name."""
    if isinstance(node, list):
        for child in node:
            yield from _mapped(child)
    elif isinstance(node, dict):
        mapping = node.get("mapping")
        for target in mapping.values() if isinstance(mapping, dict) else ():
            if isinstance(target, str):
                yield "schemas", unquote(target.rpartition("/")[2]).replace("~1", "/").replace("~0", "~")
        for child in node.values():
            yield from _mapped(child)


def _reduced_paths(touched: Touched, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = [{}, {}]
    for path in _keys(old, new):
        ends = old.get(path), new.get(path)
        if path in old and path in new and not touched.differs(*ends):
            continue
        items = [_reduced_item(touched, mine, other) for mine, other in (ends, ends[::-1])]
        for made, item, root in zip(kept, items, (old, new), strict=True):
            if path in root:
                made[path] = item
    return kept


def _reduced_item(touched: Touched, mine: Any, other: Any) -> Any:
    """Leave the operations out that are the same, where nothing else of the path item differs."""
    if not isinstance(mine, dict) or not isinstance(other, dict) or "$ref" in mine or "$ref" in other:
        return mine
    rest = [{key: value for key, value in item.items() if key not in METHODS} for item in (mine, other)]
    if touched.differs(*rest):
        return mine
    return {
        key: value
        for key, value in mine.items()
        if key not in METHODS or key not in other or touched.differs(value, other[key])
    }


def _closure(texts: list[bytes], parts: Mapping[Name, bytes]) -> set[Name]:
    """Give every component that some texts need; all of them where a reference cannot be followed."""
    needed: set[Name] = set()
    todo = list(texts)
    while todo:
        referred = _referred(todo.pop())
        if referred is None:
            return set(parts)
        fresh = referred - needed
        needed |= fresh
        todo += [parts[name] for name in fresh if name in parts]
    return needed


def _reduced_components(components: Mapping[str, Any], needed: set[Name]) -> dict[str, Any]:
    """Leave out what nobody needs; security schemes are named from everywhere, and stay."""
    made = {}
    for kind, group in components.items():
        if isinstance(group, dict) and not kind.startswith("x-"):
            kept = {name: value for name, value in group.items() if (kind, name) in needed}
            made[kind] = group if kind == "securitySchemes" else kept
    return made
