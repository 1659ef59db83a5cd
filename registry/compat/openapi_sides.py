"""Two OpenAPI documents side by side: references of every kind followed, schemas ready to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kernel.contract.digest import canonical_bytes
from kernel.contract.positions import token
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.errors import ReferenceRefused
from kernel.schema.dialects import dialect_of
from registry.compat.openapi_touched import Touched, text_of
from registry.compat.schema_side import Side
from registry.compat.schema_view import Traffic, Unreadable

Message = Literal["request", "response"]
_MOST_HOPS = 32


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a document at its pointer, references followed; `value` is a mapping."""

    value: Mapping[str, Any]
    pointer: str


class Api:
    """One of the two documents."""

    def __init__(self, root: Any, tag: str, touched: Touched) -> None:
        self.root = root
        self._steady = touched.steady
        self.tag = tag
        self.dialect = dialect_of(root)
        noted = b'"readOnly":true' in (text := text_of(root)) or b'"writeOnly":true' in text
        self.noted = noted and not str(root.get("openapi")).startswith("3.0")
        self._sides: dict[tuple[Traffic, bool], Side] = {}

    def side(self, message: Message, *, notes_bind: bool = False) -> Side:
        """Give the reader of schemas for one direction of traffic."""
        key = (message, notes_bind)
        if key not in self._sides:
            self._sides[key] = Side(
                self.root,
                self.dialect,
                tag=self.tag,
                traffic=message,
                notes_bind=notes_bind,
                steady=self._steady,
            )
        return self._sides[key]

    def part(self, value: Any, pointer: str) -> Part:
        """Follow the references of a non-schema object; raises `Unreadable` where there is none."""
        for _ in range(_MOST_HOPS):
            if not isinstance(value, dict):
                raise Unreadable(f"an object was expected at #{pointer}")
            if not isinstance(value.get("$ref"), str):
                return Part(value, pointer)
            try:
                pointer = local_pointer(value["$ref"], pointer)
                value = resolve_pointer(self.root, pointer)
            except ReferenceRefused as error:
                raise Unreadable(error.message) from None
        raise Unreadable(f"references lead in a circle at #{pointer}")

    def path_item(self, template: str) -> Part:
        """Give a path item; what stands beside its `$ref` adds to what is referenced, as for the proxy."""
        declared, pointer = self.root["paths"][template], "/paths" + token(template)
        found = self.part(declared, pointer)
        beside = {key: value for key, value in declared.items() if key != "$ref"}
        return found if found.pointer == pointer else Part({**found.value, **beside}, found.pointer)

    def below(self, part: Part, key: str) -> Part:
        """Give a child object, an empty one where the key is absent."""
        return self.part(part.value.get(key, {}), part.pointer + token(key))

    def members(self, part: Part, key: str, *, extensible: bool = False) -> dict[str, Part]:
        """Give the members of a child map; only `extensible` ones hold extensions (paths, responses).

        Elsewhere a name like `X-Request-Id` is the name of something.
        """
        child = self.below(part, key)
        return {
            name: self.part(value, child.pointer + token(name))
            for name, value in child.value.items()
            if not (extensible and name.startswith("x-"))
        }


def rest_equal(old: Part, new: Part, known: frozenset[str]) -> Iterator[str]:
    """Give the keys outside `known` (and extensions) whose values differ."""
    for key in dict.fromkeys((*old.value, *new.value)):
        if key in known or key.startswith("x-"):
            continue
        if (key in old.value) != (key in new.value) or canonical_bytes(old.value[key]) != canonical_bytes(
            new.value[key]
        ):
            yield key
