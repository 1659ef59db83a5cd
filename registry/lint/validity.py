"""Is it a document of its specification at all? Versions, structure, schemas, and where references lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.sites import local_pointer
from kernel.errors import SchemaRefused
from kernel.schema.dialects import Dialect, dialect_of, named, of_format
from registry.lint import meta_schemas
from registry.lint.meta_schemas import MetaSchema
from registry.lint.reading import SCHEMAS, Hit, Part, Subject
from registry.lint.rule import ALL, API, AT_PLACE, BOTH, ERROR, EVENTS, WARNING, Rule
from registry.lint.structure import violations

# What the grammar calls a type, and what the definitions of OpenAPI 3.0 and of later ones call it.
_OPENAPI_30 = {
    "parameter": "Parameter", "response": "Response", "request-body": "RequestBody", "header": "Header",
    "example": "Example", "link": "Link", "security-scheme": "SecurityScheme", "path-item": "PathItem",
    "callback": "Callback", "schema": "Schema",
}  # fmt: skip
_OPENAPI_31 = {
    "parameter": "parameter", "response": "response", "request-body": "request-body", "header": "header",
    "example": "example", "link": "link", "security-scheme": "security-scheme", "path-item": "path-item",
    "callback": "callbacks", "schema": "schema", "media-type": "media-type",
}  # fmt: skip
_ASYNCAPI = {
    "server": "server", "variable": "serverVariable", "channel": "channel", "parameter": "parameter",
    "message": "message", "message-trait": "messageTrait", "operation": "operation",
    "operation-trait": "operationTrait", "reply": "reply", "reply-address": "replyAddress",
    "correlation-id": "correlationId", "tag": "tag", "docs": "externalDocs", "bindings": "bindings",
    "security-scheme": "securityScheme", "payload": "payload", "schema": "schema",
}  # fmt: skip


_AVRO = ("record", "enum", "map", "fixed", "bytes", "int", "long", "float", "double")


def supported(subject: Subject) -> bool:
    """Whether the document's version is one that the meta-schemas know."""
    return not list(version(subject))


def version(subject: Subject) -> Iterator[Hit]:
    """Find a version of a specification, or a dialect, that is not supported."""
    root = subject.root
    if subject.kind == "openapi":
        if "openapi" not in root:
            yield Hit("/swagger", f"Swagger {subject.version[:20]} is not supported, OpenAPI 3.0 to 3.2 are")
        elif not subject.version.startswith(tuple(f"{one}." for one in meta_schemas.OPENAPI_VERSIONS)):
            yield Hit("/openapi", f"OpenAPI {subject.version[:20]} is not supported, 3.0 to 3.2 are")
    elif subject.kind == "asyncapi" and not subject.version.startswith(("2.", "3.0.", "3.1.")):
        yield Hit("/asyncapi", f"AsyncAPI {subject.version[:20]} is not supported, 2.6, 3.0 and 3.1 are")
    try:
        if subject.kind == "schema" or isinstance(root.get("jsonSchemaDialect"), str):
            dialect_of(root)
    except SchemaRefused as error:
        place = error.place.pointer if error.place else None
        yield Hit(place or "", error.message)


def structure(subject: Subject) -> Iterator[Hit]:
    """Hold the document to its specification's JSON Schema."""
    found = _meta_schema(subject) if supported(subject) else None
    if found is not None:
        yield from violations(found.document, subject.root, found.schema)


def _meta_schema(subject: Subject) -> MetaSchema | None:
    if subject.kind == "openapi":
        return meta_schemas.openapi(subject.version[:3])
    if subject.kind == "asyncapi":
        return meta_schemas.asyncapi_of(subject.version)
    return None


def schema_objects(subject: Subject) -> Iterator[Hit]:
    """Hold every schema to the meta-schema of the dialect that it is written in."""
    if not supported(subject):
        return
    default = dialect_of(subject.root)
    for part in subject.schemas:
        wrapped = subject.kind == "asyncapi" and schema_format(subject, part) is not None
        outermost = part.parent not in SCHEMAS or wrapped
        foreign = isinstance(part.node, dict) and isinstance(part.node.get("$schema"), str)
        if (
            not (outermost or foreign)
            or _is_wrapper(part)
            or (part.parent == "binding" and _is_no_schema(part))
        ):
            continue
        try:
            dialect = named(part.node["$schema"]) if foreign else _around(subject, part, default)
        except SchemaRefused as error:
            yield Hit(part.pointer, error.message)
            continue
        if dialect is None or (subject.kind == "openapi" and dialect is Dialect.OPENAPI_30 and not foreign):
            continue  # Avro and the like; and Schema Objects of OpenAPI 3.0 are a part of its structure
        yield from violations(meta_schemas.of_dialect(dialect), part.node, {}, part.pointer)


def _is_no_schema(part: Part) -> bool:
    """Whether a member of a binding is something else: a text (`clientId` of MQTT), a number, an Avro schema.

    The key of a Kafka message may be Avro (Kafka bindings 0.4.0); what no JSON Schema has is taken for that.
    """
    kind = part.node.get("type") if isinstance(part.node, dict) else None
    avro = part.pointer.endswith("/kafka/key") and (isinstance(kind, dict) or kind in _AVRO)
    return not isinstance(part.node, dict) or avro


def _is_wrapper(part: Part) -> bool:
    return part.type == "payload" and isinstance(part.node, dict) and "schemaFormat" in part.node


def _around(subject: Subject, part: Part, default: Dialect) -> Dialect | None:
    """Give the dialect that `schemaFormat` around a payload names; None for what is no JSON Schema."""
    if subject.kind != "asyncapi":
        return default
    written = schema_format(subject, part)
    if written is None:
        return default
    try:
        return of_format(written)
    except SchemaRefused:
        return None


def schema_format(subject: Subject, part: Part) -> str | None:
    """Give the `schemaFormat` that holds for a payload: AsyncAPI 2 writes it in the message, 3 around the schema."""
    outer, _, key = part.pointer.rpartition("/")
    if key not in ("payload", "schema") or (key == "payload" and not subject.version.startswith("2.")):
        return None
    node: Any = subject.root
    for step in outer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node[int(name)] if isinstance(node, list) else node[name]
    written = node.get("schemaFormat") if isinstance(node, dict) else None
    return written if isinstance(written, str) else None


def payload_formats(subject: Subject) -> Iterator[Hit]:
    """Find payloads in a format that is no JSON Schema, such as Avro: nothing can check messages by it."""
    for part in subject.of("message", "message-trait", "payload"):
        written = part.node.get("schemaFormat")
        if isinstance(written, str):
            try:
                of_format(written)
            except SchemaRefused as error:
                yield Hit(f"{part.pointer}/schemaFormat", error.message)


def references(subject: Subject) -> Iterator[Hit]:
    """Find references that lead nowhere, out of the document, or round in a circle."""
    for error in subject.lost:
        yield Hit((error.place.pointer if error.place else None) or "", error.message)


def reference_types(subject: Subject) -> Iterator[Hit]:
    """Find references to an object of another kind, such as a response where a parameter must stand."""
    found = _meta_schema(subject) if supported(subject) else None
    if found is None or subject.lost:
        return
    table = _ASYNCAPI if subject.kind == "asyncapi" else _OPENAPI_31
    if subject.version.startswith("3.0") and subject.kind == "openapi":
        table = _OPENAPI_30
    sections = subject.grammar.sections
    types = subject.types
    judged: dict[tuple[str, str], list[Hit]] = {}
    for site in subject.sites:
        if not site.ref.startswith("#") or site.type not in table:
            continue
        target = local_pointer(site.ref, site.pointer)
        if types.get(target) == site.type or target.startswith(f"{sections.get(site.type, '#')}/"):
            continue
        if {types.get(target), site.type} <= SCHEMAS:
            continue
        if (target, site.type) not in judged:
            node, _ = subject.follow(site.holder, site.pointer)
            judged[target, site.type] = violations(found.part(table[site.type]), node, found.schema)
        if judged[target, site.type]:
            yield Hit(
                site.pointer, f"{site.ref[:120]} is no {site.type}: {judged[target, site.type][0].what}"
            )


VALIDITY: tuple[Rule, ...] = (
    Rule(
        "version-unsupported", ERROR, ALL,
        "What the specification's version means must be known, or nothing is checked.",
        "Write OpenAPI 3.0, 3.1 or 3.2, AsyncAPI 2.6, 3.0 or 3.1, or JSON Schema 2020-12, draft-07, -06 or -04.",
        good="openapi: 3.1.0", bad="openapi: 4.0.0", find=version,
    ),
    Rule(
        "openapi-invalid", ERROR, API,
        "A document that is no OpenAPI is read differently by every tool.",
        "Correct the place as the OpenAPI Specification says; keys of your own start with x-.",
        good="info: {title: Laboratory orders, version: 1.0.0}", bad="info: {titel: Laboratory orders, version: 1.0.0}",
        find=lambda subject: structure(subject) if subject.kind == "openapi" else (),
    ),
    Rule(
        "asyncapi-invalid", ERROR, EVENTS,
        "A document that is no AsyncAPI is read differently by every tool.",
        "Correct the place as the AsyncAPI Specification says; keys of your own start with x-.",
        good="channels: {results: {address: lab.results}}", bad="channels: {results: {adress: lab.results}}",
        find=lambda subject: structure(subject) if subject.kind == "asyncapi" else (), clause=AT_PLACE,
    ),
    Rule(
        "schema-invalid", ERROR, ALL,
        "A keyword with a senseless value checks nothing, or refuses everything.",
        "Correct the schema as JSON Schema says (draft and keyword are named).",
        good="type: object\nproperties: {count: {type: integer, minimum: 0}}",
        bad="type: object\nproperties: {count: {type: int}}", find=schema_objects,
    ),
    Rule(
        "reference-refused", ERROR, ALL,
        "A reference that leads nowhere leaves a part of the contract unsaid, and nothing is ever fetched.",
        "Refer to what stands in the document (#/…) or to a canonical schema by registry URN.",
        good="type: object\nproperties: {unit: {$ref: '#/$defs/Unit'}}\n$defs: {Unit: {type: string, maxLength: 20}}",
        bad="type: object\nproperties: {unit: {$ref: '#/$defs/Unit'}}", find=references,
    ),
    Rule(
        "reference-kind-mismatch", ERROR, BOTH,
        "A response where a parameter must stand means nothing.",
        "Refer to an object of the kind that the specification asks for here.",
        good=(
            "components: {parameters: {Page: {name: page, in: query, description: Page., schema: {type: integer}}}}\n"
            "paths: {/orders: {parameters: [{$ref: '#/components/parameters/Page'}]}}"
        ),
        bad=(
            "components: {schemas: {Page: {type: integer, description: Page.}}}\n"
            "paths: {/orders: {parameters: [{$ref: '#/components/schemas/Page'}]}}"
        ),
        find=reference_types,
    ),
    Rule(
        "payload-unchecked", WARNING, EVENTS,
        "Messages can only be checked against JSON Schema; what is described otherwise passes unread.",
        "Describe the payload by JSON Schema 2020-12 or draft-07, or accept the finding.",
        good="components: {schemas: {Result: {type: object, description: A result.}}}",
        bad=(
            "components: {schemas: {Result: {schemaFormat: application/vnd.apache.avro;version=1.9.0, "
            "schema: {type: record}}}}"
        ),
        find=payload_formats,
    ),
)  # fmt: skip
