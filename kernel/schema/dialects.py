"""Which dialect of JSON Schema a schema is written in; every one is lowered to 2020-12 (lowering.py)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from kernel.contract.document import kind_of, specification
from kernel.contract.positions import tokens_of
from kernel.errors import Place, SchemaRefused


class Dialect(StrEnum):
    """The dialects that we compile; `OPENAPI_31` (3.1 and 3.2) is 2020-12 with annotations of its own."""

    OPENAPI_30 = "openapi-3.0"
    OPENAPI_31 = "openapi-3.1"
    DRAFT_2020_12 = "2020-12"
    DRAFT_07 = "draft-07"
    DRAFT_06 = "draft-06"
    DRAFT_04 = "draft-04"


_BY_URI = {
    "json-schema.org/draft/2020-12/schema": Dialect.DRAFT_2020_12,
    "json-schema.org/draft-07/schema": Dialect.DRAFT_07,
    "json-schema.org/draft-06/schema": Dialect.DRAFT_06,
    "json-schema.org/draft-04/schema": Dialect.DRAFT_04,
}
# Where `$ref` hides its siblings (OpenAPI 3.0 §4.7.23; draft-07 core §8.3), and items may be a tuple.
REF_ALONE = frozenset({Dialect.OPENAPI_30, Dialect.DRAFT_07, Dialect.DRAFT_06, Dialect.DRAFT_04})
TUPLE_ITEMS = REF_ALONE - {Dialect.OPENAPI_30}
_BY_VERSION = {
    "draft-07": Dialect.DRAFT_07,
    "draft-2020-12": Dialect.DRAFT_2020_12,
    "2020-12": Dialect.DRAFT_2020_12,
}
_OPENAPI_DIALECTS = ("spec.openapis.org/oas/3.1/dialect/", "spec.openapis.org/oas/3.2/dialect/")


def named(uri: str, pointer: str | None = None) -> Dialect:
    """Give the dialect that a `$schema` or `jsonSchemaDialect` names; raises `SchemaRefused` for others."""
    plain = uri.removeprefix("https://").removeprefix("http://").removesuffix("#")
    if plain in _BY_URI:
        return _BY_URI[plain]
    if plain.startswith(_OPENAPI_DIALECTS):
        return Dialect.OPENAPI_31
    raise SchemaRefused(
        f"the dialect {uri[:200]!r} is not supported",
        hint="write JSON Schema 2020-12, draft-07, -06 or -04, and name it by its $schema",
        place=Place(pointer=pointer),
    )


def of_format(schema_format: str, pointer: str | None = None) -> Dialect:
    """Give the dialect that AsyncAPI's `schemaFormat` names; raises `SchemaRefused` for Avro and the like."""
    media, _, version = schema_format.replace(" ", "").lower().partition(";version=")
    for suffix in ("+json", "+yaml"):
        media = media.removesuffix(suffix)
    if media == "application/vnd.aai.asyncapi":
        return Dialect.DRAFT_07
    if media == "application/vnd.oai.openapi":
        return Dialect.OPENAPI_30 if version.startswith("3.0") else Dialect.OPENAPI_31
    if media == "application/schema" and version in _BY_VERSION:
        return _BY_VERSION[version]
    raise SchemaRefused(
        f"the schema format {schema_format[:200]!r} is not supported",
        hint="describe the payload by JSON Schema 2020-12 or draft-07",
        place=Place(pointer=pointer),
    )


def dialect_of(root: Any) -> Dialect:
    """Give the dialect of a document's schemas that name none; raises `SchemaRefused` for an unknown one.

    AsyncAPI's own schema objects are draft-07 (AsyncAPI 3.0 §Schema Object).
    """
    kind, version = kind_of(root), specification(root)
    if kind == "schema":
        return named(version, "/$schema") if version else Dialect.DRAFT_2020_12
    if kind == "asyncapi":
        return Dialect.DRAFT_07
    if version.startswith("3.0"):
        return Dialect.OPENAPI_30
    declared = root.get("jsonSchemaDialect")
    return named(declared, "/jsonSchemaDialect") if isinstance(declared, str) else Dialect.OPENAPI_31


def base_keyword(dialect: Dialect | None) -> str:
    """Give the keyword by which a schema names itself, and so the base of its references."""
    return "id" if dialect is Dialect.DRAFT_04 else "$id"


def dialect_at(root: Any, pointer: str, default: Dialect) -> tuple[Dialect, bool]:
    """Give the dialect at a pointer, and whether a `$id` above it moves the base of its references.

    The nearest object around it that has a `$schema` decides (2020-12 core §8.1.1).
    """
    dialect, moved, node = default, False, root
    for step in tokens_of(pointer):
        node = node[int(step)] if isinstance(node, list) else node[step]
        if isinstance(node, dict):
            if isinstance(node.get("$schema"), str):
                dialect = named(node["$schema"], pointer)
            moved = moved or isinstance(node.get(base_keyword(dialect)), str)
    return dialect, moved
