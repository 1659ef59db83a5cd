"""Where references stand in a document, and what a local one points to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from kernel.contract.grammar import Field, Form, Grammar, grammar_of, members
from kernel.contract.positions import token, tokens_of
from kernel.errors import Place, ReferenceRefused


@dataclass(frozen=True, slots=True)
class Site:
    """One `$ref`: `holder` is the object that has it, `pointer` the holder's place.

    `type` is what the grammar expects there; `form` is not "one" where a whole map or list is expected.
    """

    pointer: str
    holder: dict[str, Any]
    ref: str
    type: str
    form: Form = "one"


def sites(
    root: Any, grammar: Grammar | None = None, lost: list[ReferenceRefused] | None = None
) -> Iterator[Site]:
    """Give every reference that can be reached from the root, through local references too, once each.

    Raises `ReferenceRefused` at the first that leads nowhere; with `lost` they are put there instead, and the
    walk goes on.
    """
    grammar = grammar or grammar_of(root)
    seen: set[tuple[int, str]] = set()
    stack: list[tuple[str, Any, str]] = [("", root, grammar.root)]
    while stack:
        pointer, node, type_ = stack.pop()
        if type(node) is not dict or (id(node), type_) in seen:
            continue
        seen.add((id(node), type_))
        found = _own(node, pointer, type_, lost)
        below: list[tuple[str, Any, str]] = []
        for key, value, row in grammar.fields(type_, node):
            here = pointer + token(key)
            if whole_ref(row, value):
                found.append(Site(here, value, value["$ref"], row.type, row.form))
                continue
            below.extend(_below(here, row, value))
        stack.extend(reversed(below))
        for site in found:
            yield site
            if site.form == "one" and site.ref.startswith("#"):
                try:
                    target = local_pointer(site.ref, site.pointer)
                    stack.append((target, resolve_pointer(root, target, at=site.pointer), site.type))
                except ReferenceRefused as error:
                    if lost is None:
                        raise
                    lost.append(error)


def _own(node: dict[str, Any], pointer: str, type_: str, lost: list[ReferenceRefused] | None) -> list[Site]:
    """Give the reference that an object is itself, if it is one."""
    if "$ref" not in node:
        return []
    try:
        return [Site(pointer, node, _text(node, pointer), type_)]
    except ReferenceRefused as error:
        if lost is None:
            raise
        lost.append(error)
        return []


def whole_ref(row: Field, value: Any) -> bool:
    """Whether a `$ref` stands in the place of a whole map or list of objects."""
    return row.form not in ("one", "either") and type(value) is dict and isinstance(value.get("$ref"), str)


def local_pointer(ref: str, at: str = "") -> str:
    """Give the JSON pointer of `#…` (percent-decoded); raises `ReferenceRefused` for anchors."""
    pointer = unquote(ref[1:])
    if pointer and not pointer.startswith("/"):
        raise ReferenceRefused(
            f"{ref[:200]!r} names an anchor", hint="refer by JSON pointer (#/…)", place=Place(pointer=at)
        )
    return pointer


def fragment(pointer: str) -> str:
    """Write a JSON pointer as a local reference, percent-encoded where a URI needs it (RFC 6901 §6)."""
    return "#" + quote(pointer, safe="/~!$&'()*+,;=:@")


def resolve_pointer(root: Any, pointer: str, *, at: str | None = None) -> Any:
    """Give the value at a JSON pointer (RFC 6901; `#` before it is allowed); raises `ReferenceRefused`.

    `at` is the place to name in the error: that of the reference.
    """
    node = root
    for step in tokens_of(local_pointer(pointer, at or "") if pointer.startswith("#") else pointer):
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdecimal() and step.isascii() and int(step) < len(node):
            node = node[int(step)]
        else:
            raise ReferenceRefused(
                f"#{pointer[:300]} points to nothing",
                hint="correct the pointer, or add what it names",
                place=Place(pointer=pointer if at is None else at),
            )
    return node


def _below(pointer: str, row: Field, value: Any) -> list[tuple[str, Any, str]]:
    return [
        (pointer if step is None else pointer + token(step), item, row.type)
        for step, item in members(row, value)
    ]


def _text(node: dict[str, Any], pointer: str) -> str:
    ref = node["$ref"]
    if isinstance(ref, str):
        return ref
    raise ReferenceRefused("$ref is no string", hint="a reference is a string", place=Place(pointer=pointer))
