"""A JSON Schema as rows of a table: name, type, constraints; references are linked, not followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kernel.contract.urn import PREFIX, Urn
from kernel.errors import InterlockError

DEEPEST = 6
MOST_ROWS = 400
_BOUNDS = (
    ("minimum", "≥ {}"), ("exclusiveMinimum", "> {}"), ("maximum", "≤ {}"), ("exclusiveMaximum", "< {}"),
    ("minLength", "at least {} characters"), ("maxLength", "at most {} characters"),
    ("pattern", "pattern {}"), ("multipleOf", "multiple of {}"),
    ("minItems", "at least {} items"), ("maxItems", "at most {} items"),
    ("minProperties", "at least {} properties"), ("maxProperties", "at most {} properties"),
)  # fmt: skip
_MOST_VALUES = 12  # of an enum


@dataclass(frozen=True, slots=True)
class Row:
    """One line; `link` leads to the schema that is referred to."""

    depth: int
    name: str
    type: str
    required: bool = False
    link: str = ""
    notes: tuple[str, ...] = ()
    description: str = ""
    deprecated: bool = False


def schema_rows(schema: Any) -> tuple[Row, ...]:
    """Give the rows of one schema, its own line first with an empty name, at most `MOST_ROWS`."""
    return tuple(islice(_walk(schema, "", 0, required=False), MOST_ROWS))


def type_words(schema: Any) -> str:
    """Say in a few words what a schema takes."""
    if not isinstance(schema, Mapping):
        return "anything" if schema is not False else "nothing"
    if isinstance(schema.get("$ref"), str):
        return reference_name(schema["$ref"])
    kind = schema.get("type")
    if isinstance(kind, list):
        words = " or ".join(str(word) for word in kind)
    elif isinstance(kind, str):
        words = kind
    else:
        words = _combined(schema)
    if schema.get("items") is not None and (kind == "array" or kind is None):
        words = f"array of {type_words(schema['items'])}"
    if isinstance(schema.get("format"), str):
        words += f" ({schema['format']})"
    return f"{words} or null" if schema.get("nullable") is True else words


def reference_name(reference: str) -> str:
    """Name what a reference points at: its last token, or name and version of a canonical schema."""
    if reference.startswith(PREFIX):
        try:
            urn = Urn.parse(reference)
        except InterlockError:
            return "canonical schema"
        inner = urn.pointer.rsplit("/", 1)[-1]
        return f"{urn.name} {urn.version}" + (f" · {inner}" if inner else "")
    name = reference.rsplit("/", 1)[-1].removeprefix("#").replace("~1", "/").replace("~0", "~")
    return name or "this schema"


def reference_link(reference: str) -> str:
    """Give where a reference leads on these pages, or nothing."""
    if reference.startswith(PREFIX):
        try:
            urn = Urn.parse(reference)
        except InterlockError:
            return ""
        return f"/contracts/{urn.name}/{urn.version}"
    parts = reference.split("/")
    if reference.startswith("#/") and parts[-2] in {"schemas", "$defs", "definitions"}:
        return f"#schema-{parts[-1]}"
    return ""


def _walk(schema: Any, name: str, depth: int, *, required: bool) -> Iterator[Row]:
    if not isinstance(schema, Mapping):
        yield Row(depth, name, type_words(schema), required)
        return
    items = schema.get("items")
    reference = schema.get("$ref", items.get("$ref") if isinstance(items, Mapping) else None)
    yield Row(
        depth,
        name,
        type_words(schema),
        required,
        reference_link(reference) if isinstance(reference, str) else "",
        tuple(_notes(schema)),
        _text(schema.get("description")),
        schema.get("deprecated") is True,
    )
    if depth < DEEPEST:
        yield from _children(schema, depth + 1)


def _children(schema: Mapping[str, Any], depth: int) -> Iterator[Row]:
    wanted = schema.get("required")
    names = wanted if isinstance(wanted, list) else []
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for name, inner in properties.items():
            yield from _walk(inner, str(name), depth, required=name in names)
    items = schema.get("items")
    if isinstance(items, Mapping) and "$ref" not in items:
        yield from _children(items, depth)
    for keyword, label in (("oneOf", "one of"), ("anyOf", "any of"), ("allOf", "all of")):
        choices = schema.get(keyword)
        for number, inner in enumerate(choices if isinstance(choices, list) else [], 1):
            yield from _walk(inner, f"{label}, {number}", depth, required=False)
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        yield from _walk(extra, "any other name", depth, required=False)


def _combined(schema: Mapping[str, Any]) -> str:
    if "properties" in schema:
        return "object"
    for keyword, label in (("oneOf", "one of"), ("anyOf", "any of"), ("allOf", "all of")):
        choices = schema.get(keyword)
        if isinstance(choices, list):
            return f"{label} {len(choices)}"
    if "const" in schema or "enum" in schema:
        return "value"
    return "array" if "items" in schema else "anything"


def _notes(schema: Mapping[str, Any]) -> Iterator[str]:
    if "const" in schema:
        yield f"always {_value(schema['const'])}"
    values = schema.get("enum")
    if isinstance(values, list):
        listed = ", ".join(_value(value) for value in values[:_MOST_VALUES])
        yield f"one of {listed}" + (
            f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
        )
    for keyword, words in _BOUNDS:
        if keyword in schema and not isinstance(schema[keyword], bool):
            yield words.format(_value(schema[keyword]))
    if schema.get("uniqueItems") is True:
        yield "no item twice"
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        yield "no other names"
    if schema.get("readOnly") is True:
        yield "in answers only"
    if schema.get("writeOnly") is True:
        yield "in requests only"
    if "default" in schema:
        yield f"default {_value(schema['default'])}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"  # noqa: PLR2004 - one line of a table


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
