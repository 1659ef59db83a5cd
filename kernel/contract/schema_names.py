"""References by `$anchor` and by `$id`, within one file, made JSON pointers: what a contract keeps has no other.

JSON Schema lets a schema be named by a URI of its own (2020-12 §8.2, draft-07 §8.2). The names of one file
say nothing that a pointer does not, so they are written as pointers when the file is read; a name that the
file does not give (the network, another file) stays as it is, and is judged where references are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from kernel.contract.digest import canonical_bytes
from kernel.contract.document import Document
from kernel.contract.grammar import grammar_of, members
from kernel.contract.positions import token
from kernel.contract.sites import fragment
from kernel.errors import DocumentError

_MARKS = (b"$anchor", b"$dynamicAnchor", b"$id")
_SCHEMAS = frozenset({"schema", "payload"})
_ANCHORS = ("$anchor", "$dynamicAnchor")


@dataclass(frozen=True, slots=True)
class _Resource:
    """A schema with a URI of its own: where it stands, and what relative references in it begin with."""

    pointer: str
    base: str


@dataclass(slots=True)
class _Names:
    """What the schemas of one file are called, and the references that may mean them."""

    resources: dict[str, str] = field(default_factory=dict)  # URI -> pointer
    anchors: dict[tuple[str, str], str] = field(
        default_factory=dict
    )  # (pointer of the resource, name) -> pointer
    inner: list[dict[str, Any]] = field(default_factory=list)  # schemas below the root that are resources
    refs: list[tuple[dict[str, Any], _Resource]] = field(default_factory=list)

    def meant(self, ref: str, resource: _Resource) -> str | None:
        """Give the pointer that a reference means; None where it stays as it is."""
        name, _, rest = ref.partition("#")
        if not name:
            start: str | None = resource.pointer
        else:
            start = self.resources.get(urldefrag(urljoin(resource.base, name))[0])
        if start is None:
            return None
        below = unquote(rest)
        if not below or below.startswith("/"):
            return start + below if name or resource.pointer else None
        return self.anchors.get((start, below))


def with_pointers(document: Document) -> Document:
    """Give a file's document with its own names written as pointers; the same one where it has none."""
    if not any(mark in document.data for mark in _MARKS) or not isinstance(document.root, dict):
        return document
    try:
        names = _read(document.root)
    except DocumentError:  # no kind of contract: that is told where it is asked for
        return document
    meant = {id(node): names.meant(node["$ref"], resource) for node, resource in names.refs}
    if all(pointer is None for pointer in meant.values()):
        return document
    dropped = {id(node) for node in names.inner}
    root = _rewritten(document.root, meant, dropped)
    return replace(
        document, data=canonical_bytes(root), media="json", root=root, origins={"": (document, "")}, _cache=[]
    )


def _read(root: dict[str, Any]) -> _Names:
    grammar, names = grammar_of(root), _Names()
    own = root.get("$self") if "openapi" in root else root.get("$id")
    top = _Resource("", urldefrag(own)[0] if isinstance(own, str) else "")
    if top.base:
        names.resources[top.base] = ""
    stack: list[tuple[str, Any, str, _Resource]] = [("", root, grammar.root, top)]
    seen: set[tuple[int, str]] = set()
    while stack:
        pointer, node, type_, resource = stack.pop()
        if type(node) is not dict or (id(node), type_) in seen:
            continue
        seen.add((id(node), type_))
        if type_ in _SCHEMAS:
            resource = _named(names, node, pointer, resource)
        if isinstance(node.get("$ref"), str):
            names.refs.append((node, resource))
        for key, value, row in grammar.fields(type_, node):
            here = pointer + token(key)
            for step, item in members(row, value):
                stack.append((here if step is None else here + token(step), item, row.type, resource))
    return names


def _named(names: _Names, node: dict[str, Any], pointer: str, resource: _Resource) -> _Resource:
    """Note what a schema is called; give the resource that it belongs to."""
    own = node.get("$id")
    if isinstance(own, str) and pointer:
        uri, name = urldefrag(urljoin(resource.base, own))
        names.inner.append(node)
        if own.startswith("#"):  # draft-06, draft-07: an anchor
            names.anchors[(resource.pointer, name)] = pointer
        else:
            resource = _Resource(pointer, uri)
            names.resources.setdefault(uri, pointer)
    for key in _ANCHORS:
        if isinstance(node.get(key), str):
            names.anchors.setdefault((resource.pointer, node[key]), pointer)
    return resource


def _rewritten(node: Any, meant: dict[int, str | None], dropped: set[int]) -> Any:
    if isinstance(node, list):
        return [_rewritten(item, meant, dropped) for item in node]
    if not isinstance(node, dict):
        return node
    made = dict(_members(node, meant, dropped))
    pointer = meant.get(id(node))
    return made if pointer is None else {**made, "$ref": fragment(pointer)}


def _members(
    node: dict[str, Any], meant: dict[int, str | None], dropped: set[int]
) -> Iterator[tuple[str, Any]]:
    for key, item in node.items():
        if not (key == "$id" and id(node) in dropped):
            yield key, _rewritten(item, meant, dropped)
