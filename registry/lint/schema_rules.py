"""The house's rules for schemas of every kind of document: bounds, openness, and words about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.lint.reading import SCHEMAS, Hit, Part, Subject
from registry.lint.rule import ALL, API, INFO, SCHEMA, WARNING, Rule

_BOUNDS_TEXT = frozenset({"maxLength", "enum", "const", "pattern", "format", "contentEncoding"})
_COMBINING = frozenset({"allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties", "dependentSchemas"})
_PART_OF_OTHER = re.compile(r"/(?:allOf|anyOf|oneOf)/[0-9]+$|/(?:if|then|else|not)$|/dependentSchemas/[^/]*$")


def unbounded_strings(subject: Subject) -> Iterator[Hit]:
    """Find strings of any length."""
    for part in _of_type(subject, "string"):
        if not _BOUNDS_TEXT & part.node.keys():
            yield Hit(part.pointer, "")


def unbounded_arrays(subject: Subject) -> Iterator[Hit]:
    """Find arrays of any length."""
    for part in _of_type(subject, "array"):
        if not {"maxItems", "enum", "const"} & part.node.keys():
            yield Hit(part.pointer, "")


def open_objects(subject: Subject) -> Iterator[Hit]:
    """Find objects that do not say whether they may hold more than their properties."""
    stated = {"additionalProperties", "unevaluatedProperties", "patternProperties"}
    for part in subject.schemas:
        if _has_properties(part) and not stated & part.node.keys() and not _is_piece(part):
            yield Hit(part.pointer, "")


def _of_type(subject: Subject, wanted: str) -> Iterator[Part]:
    for part in subject.schemas:
        if isinstance(part.node, dict) and "$ref" not in part.node and not _is_piece(part):
            declared = part.node.get("type")
            if declared == wanted or (isinstance(declared, list) and wanted in declared):
                yield part


def _has_properties(part: Part) -> bool:
    return isinstance(part.node, dict) and isinstance(part.node.get("properties"), dict)


def _is_piece(part: Part) -> bool:
    """Whether a schema only adds to another one, which may say what this one does not."""
    return part.parent in SCHEMAS and _PART_OF_OTHER.search(part.pointer) is not None


def required_undeclared(subject: Subject) -> Iterator[Hit]:
    """Find names in `required` that no property of the same object describes."""
    for part in subject.schemas:
        if not _has_properties(part) or _COMBINING & part.node.keys() or _is_piece(part):
            continue
        listed = part.node.get("required")
        for index, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str) and name not in part.node["properties"]:
                yield Hit(f"{part.pointer}/required/{index}", f"`{name[:100]}` is required and not described")


def lone_exclusive_bounds(subject: Subject) -> Iterator[Hit]:
    """Find OpenAPI 3.0's `exclusiveMaximum: true` without `maximum`, which bounds nothing."""
    if not subject.version.startswith("3.0"):
        return
    for part in subject.schemas:
        for flag, bound in (("exclusiveMaximum", "maximum"), ("exclusiveMinimum", "minimum")):
            if isinstance(part.node, dict) and part.node.get(flag) is True and bound not in part.node:
                yield Hit(f"{part.pointer}/{flag}", f"`{flag}` without `{bound}` bounds nothing")


def undescribed_schema(subject: Subject) -> Iterator[Hit]:
    """Find canonical schemas that say nothing about themselves."""
    if isinstance(subject.root, dict) and not {"title", "description"} & subject.root.keys():
        yield Hit("", "the schema has neither title nor description")


def unstated_dialect(subject: Subject) -> Iterator[Hit]:
    """Find canonical schemas that do not say which JSON Schema they are written in."""
    if not (isinstance(subject.root, dict) and "$schema" in subject.root):
        yield Hit("", "the schema names no dialect by `$schema`")


_NAME = "type: object\nadditionalProperties: false\nproperties: {ward: {type: string, maxLength: 20}}"

SCHEMA_RULES: tuple[Rule, ...] = (
    Rule(
        "string-unbounded", INFO, ALL,
        "What has no bound is bounded by whoever stores it, and then cut or refused.",
        "Add `maxLength`, an `enum`, a `pattern` or a `format`.",
        good=_NAME, bad="type: object\nproperties: {ward: {type: string}}", find=unbounded_strings,
        counted="strings have no maxLength",
    ),
    Rule(
        "array-unbounded", INFO, ALL,
        "A list without an end is a body without an end.", "Add `maxItems`.",
        good="type: array\nmaxItems: 50\nitems: {type: integer}", bad="type: array\nitems: {type: integer}",
        find=unbounded_arrays, counted="arrays have no maxItems",
    ),
    Rule(
        "additional-properties-unstated", INFO, ALL,
        "Whether a later version may add a property depends on it, and readers guess.",
        "Write `additionalProperties: false`, or true where readers must ignore what they do not know.",
        good=_NAME, bad="type: object\nproperties: {ward: {type: string, maxLength: 20}}", find=open_objects,
        counted="objects do not say whether other properties may stand in them",
    ),
    Rule(
        "required-undescribed", WARNING, ALL,
        "A property that must be there and may hold anything is mostly a slip of the pen.",
        "Describe it under `properties`, or correct the name.",
        good=_NAME + "\nrequired: [ward]", bad=_NAME + "\nrequired: [wards]", find=required_undeclared,
    ),
    Rule(
        "exclusive-bound-alone", WARNING, API,
        "In OpenAPI 3.0 the flag only says how the bound beside it is meant.",
        "Write the bound, or leave the flag out.",
        good=(
            "openapi: 3.0.3\ncomponents: {schemas: {Dose: {type: number, description: Dose., "
            "exclusiveMinimum: true, minimum: 0}}}"
        ),
        bad=(
            "openapi: 3.0.3\ncomponents: {schemas: {Dose: {type: number, description: Dose., "
            "exclusiveMinimum: true}}}"
        ),
        find=lone_exclusive_bounds,
    ),
    Rule(
        "schema-undescribed", WARNING, SCHEMA,
        "A canonical schema is read by teams that did not write it.", "Add `title` and `description`.",
        good="title: Ward\ntype: string\nmaxLength: 20", bad="type: string\nmaxLength: 20",
        find=undescribed_schema,
    ),
    Rule(
        "dialect-unstated", WARNING, SCHEMA,
        "Draft-07 and 2020-12 differ in what the same words mean; without `$schema` 2020-12 is read.",
        'Write `$schema: "https://json-schema.org/draft/2020-12/schema"`.',
        good="$schema: https://json-schema.org/draft/2020-12/schema\ntype: string\nmaxLength: 20",
        bad="type: string\nmaxLength: 20", find=unstated_dialect,
    ),
)  # fmt: skip
