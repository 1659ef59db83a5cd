"""A contract's text, read into a value: JSON or YAML, strictly, within limits, with places for errors."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from kernel.contract.errors import DocumentEncoding, KindUnknown, LimitPassed, NumberRefused
from kernel.contract.json_text import MAX_DEPTH, json_positions, parse_json
from kernel.contract.numbers import bounded, narrowed
from kernel.contract.positions import Positions, token
from kernel.contract.yaml_text import parse_yaml, yaml_positions
from kernel.errors import DocumentError, Place

Media = Literal["json", "yaml"]
Kind = Literal["openapi", "asyncapi", "schema"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a document may hold; lengths in characters, `depth` at most 200 (jiter's own limit)."""

    bytes: int = 16 * 1024 * 1024
    depth: int = MAX_DEPTH
    nodes: int = 1_000_000
    refs: int = 100_000
    key_length: int = 4_096
    scalar_length: int = 1_000_000


DEFAULT = Limits()
_BOMS = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF32_BE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"),
         (codecs.BOM_UTF16_BE, "UTF-16"))  # fmt: skip
# A bare schema may hold nothing but a bound; "title", "description" and the like make no schema.
_SCHEMA_HINTS = frozenset(
    {
        *("$schema", "$defs", "definitions", "$ref", "$id", "type", "properties", "patternProperties"),
        *("additionalProperties", "propertyNames", "required", "dependentRequired", "dependentSchemas"),
        *("dependencies", "minProperties", "maxProperties", "allOf", "anyOf", "oneOf", "not", "if", "enum"),
        *("const", "items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems", "minLength"),
        *("maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *(
            "multipleOf",
            "unevaluatedProperties",
            "unevaluatedItems",
            "then",
            "else",
            "minContains",
            "maxContains",
        ),
        *(
            "additionalItems",
            "$dynamicRef",
            "$anchor",
            "contentEncoding",
            "contentMediaType",
            "contentSchema",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Document:
    """One file's value with its bytes; numbers that no double holds are `Decimal` (see numbers.py).

    Where a document was made of several files, `origins` says for the pointer of each part that came
    from elsewhere which document and pointer that was, so that places still name what a person wrote.
    """

    name: str
    data: bytes
    media: Media
    root: Any
    origins: Mapping[str, tuple[Document, str]] = field(default_factory=dict, repr=False, compare=False)
    _cache: list[Positions] = field(default_factory=list, repr=False, compare=False)

    def position(self, pointer: str) -> Place:
        """Name line and column of a JSON pointer, or of the nearest ancestor that the document has."""
        origin = self._origin(pointer) if self.origins else None
        if origin is not None:
            place = origin[0].position(origin[1])
            return Place(place.source, place.line, place.column, pointer)
        if not self._cache:
            text = _text(self.data, self.name)
            self._cache.append(json_positions(text) if self.media == "json" else yaml_positions(text))
        line, column = self._cache[0].find(self.root, pointer)
        return Place(self.name, line, column, pointer)

    def _origin(self, pointer: str) -> tuple[Document, str] | None:
        prefix = pointer
        while prefix not in self.origins:
            if not prefix:
                return None
            prefix = prefix.rpartition("/")[0]
        document, start = self.origins[prefix]
        return document, start + pointer[len(prefix) :]


def parse(
    data: bytes, *, name: str = "document", limits: Limits = DEFAULT, media: Media | None = None
) -> Document:
    """Read a document; `media` defaults to what the name's ending says, else to what the text begins with.

    Raises a `DocumentError` subclass (kernel/contract/errors.py) naming file, line, column and pointer.
    """
    if len(data) > limits.bytes:
        raise LimitPassed(
            f"the document has {len(data)} bytes, {limits.bytes} are allowed",
            hint="split the contract, or move examples out of it",
            place=Place(name),
        )
    text = _text(data, name)
    chosen = media or _media(name, text)
    if chosen == "json":
        root = [parse_json(data.removeprefix(codecs.BOM_UTF8), text, name)]
    else:
        root = [parse_yaml(text, name, limits.depth)]
    fault = _fault(root, limits)  # it narrows decimals where they stand, hence the list around the root
    document = Document(name, data, chosen, root[0])
    if fault is not None:
        # Found: only now walk again with pointers, to say where.
        kind, message = fault
        pointer, message = _located(document.root, limits) or ("", message)
        raise kind(message, hint="see docs/reference/documents.md", place=document.position(pointer))
    return document


def kind_of(root: Any) -> Kind:
    """Say what a root is by its version key; raises `KindUnknown`. JSON Schemas need a schema keyword."""
    if isinstance(root, bool):
        return "schema"
    if isinstance(root, dict):
        if "openapi" in root or "swagger" in root:
            return "openapi"
        if "asyncapi" in root:
            return "asyncapi"
        if _SCHEMA_HINTS & root.keys():
            return "schema"
    raise KindUnknown(
        "the document says of no kind of contract that it is one",
        hint="its root needs `openapi`, `asyncapi` or a JSON Schema's `$schema`",
        place=Place(pointer=""),
    )


def specification(root: Any) -> str:
    """Give the version that the root names: "3.0.3", "2.6.0", or a schema's `$schema` URI ("" if none)."""
    kind = kind_of(root)
    if not isinstance(root, dict):
        return ""
    version = root.get("$schema", "") if kind == "schema" else root.get(kind, root.get("swagger", ""))
    if not isinstance(version, str):
        key = "$schema" if kind == "schema" else kind
        raise KindUnknown(
            f"`{key}` is no string",
            hint='quote the version, for example "3.0.3"',
            place=Place(pointer=token(key)),
        )
    return version


def _text(data: bytes, name: str) -> str:
    body = data.removeprefix(
        codecs.BOM_UTF8
    )  # RFC 8259 §8.1 lets readers ignore it; the digest does not see it
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            raise DocumentEncoding(
                f"the document is {encoding}", hint="save it as UTF-8", place=Place(name, 1, 1)
            )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise DocumentEncoding(
            f"byte 0x{body[error.start]:02x} is not UTF-8",
            hint="save it as UTF-8",
            place=Place(name, line, column),
        ) from None


def _media(name: str, text: str) -> Media:
    lowered = name.lower()
    if lowered.endswith(".json"):
        return "json"
    if lowered.endswith((".yaml", ".yml")):
        return "yaml"
    return "json" if text.lstrip(" \t\r\n")[:1] in ("{", "[", '"') else "yaml"


def _fault(  # noqa: C901, PLR0911, PLR0912 - one loop over every node of every document
    root: list[Any], limits: Limits
) -> tuple[type[DocumentError], str] | None:
    """Hold the only item of `root` to the limits and narrow decimals, in one pass level by level.

    It is long and keeps no pointers, since it is what reading a large document costs beside jiter.
    """
    key_length, scalar_length = limits.key_length, limits.scalar_length
    nodes, refs, depth = 0, 0, 0
    level: list[Any] = [root]
    while level:
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                items: Any = container.items()
                refs += "$ref" in container
                for key in container:
                    if len(key) > key_length:
                        return LimitPassed, "a key is too long"
            else:
                items = enumerate(container)
            nodes += len(container)
            for key, value in items:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is str:
                    if len(value) > scalar_length:
                        return LimitPassed, "a string is too long"
                elif kind is Decimal or kind is int:
                    try:
                        container[key] = narrowed(value) if kind is Decimal else bounded(value)
                    except NumberRefused as error:
                        return NumberRefused, error.message
        if nodes > limits.nodes:
            return LimitPassed, f"more than {limits.nodes} nodes"
        if refs > limits.refs:
            return LimitPassed, f"more than {limits.refs} references"
        if below and depth >= limits.depth:
            return LimitPassed, f"nested deeper than {limits.depth} levels"
        level, depth = below, depth + 1
    return None


def _located(root: Any, limits: Limits) -> tuple[str, str] | None:
    """Find the first node, in no particular order, that `_fault` objects to; None for the counted limits."""
    stack: list[tuple[Any, str, int]] = [(root, "", 0)]
    while stack:
        value, pointer, depth = stack.pop()
        message = _objection(value, depth, limits)
        if message:
            return pointer, message
        if isinstance(value, dict | list):
            steps: Any = value.items() if isinstance(value, dict) else enumerate(value)
            stack.extend((child, pointer + token(step), depth + 1) for step, child in steps)
    return None


def _objection(value: Any, depth: int, limits: Limits) -> str:
    if isinstance(value, str) and len(value) > limits.scalar_length:
        return f"a string is longer than {limits.scalar_length} characters"
    if isinstance(value, dict) and any(len(key) > limits.key_length for key in value):
        return f"a key is longer than {limits.key_length} characters"
    if isinstance(value, dict | list) and depth >= limits.depth:
        return f"nested deeper than {limits.depth} levels"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        try:
            narrowed(value) if isinstance(value, Decimal) else bounded(value)
        except NumberRefused as error:
            return error.message
    return ""
