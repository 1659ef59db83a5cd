"""What AsyncAPI demands of schemas: their format and its form, discriminators, and defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import tokens_of
from registry.lint import meta_schemas
from registry.lint.asyncapi_parts import target
from registry.lint.reading import SCHEMAS, Hit, Part, Subject
from registry.lint.rule import ERROR, EVENTS, Rule
from registry.lint.structure import violations

_DEFAULT = "application/vnd.aai.asyncapi"
_AS_TEXT = ("application/vnd.google.protobuf", "application/xml", "application/xsd", "text/")
_OWN_KEYWORDS: dict[str, tuple[type, str]] = {
    "discriminator": (str, "a text"), "deprecated": (bool, "true or false"), "externalDocs": (dict, "an object"),
}  # fmt: skip
_AVRO = "application/vnd.apache.avro"
_AS_TREE = ("application/raml", "application/schema", "application/vnd.oai.openapi", _DEFAULT)
_PYTHON: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def foreign_formats(subject: Subject) -> Iterator[Hit]:
    """Find references inside a schema to one that is written in another format."""
    inside = {part.pointer: part for part in subject.parts if part.type in SCHEMAS}
    for site in subject.sites:
        part = inside.get(site.pointer)
        if part is None or part.parent not in SCHEMAS or not site.ref.startswith("#"):
            continue  # the whole payload may be any Multi Format Schema Object
        _, home = subject.follow(site.holder, site.pointer)
        here, there = _format_around(subject, site.pointer), _format_around(subject, home)
        if _plain(there) != _plain(here):
            yield Hit(
                site.pointer, f"{site.ref[:120]} is a schema of {there[:80]}, and this is one of {here[:80]}"
            )


def _format_around(subject: Subject, pointer: str) -> str:
    """Give the format of the schema around a place: that of the nearest wrapper, or AsyncAPI's own."""
    node, found = subject.root, _DEFAULT
    for step in tokens_of(pointer):
        node = node[int(step)] if isinstance(node, list) else node[step]
        if isinstance(node, dict) and isinstance(node.get("schemaFormat"), str):
            found = node["schemaFormat"]
    return found


def _plain(written: str) -> str:
    """Leave out what does not tell formats apart: the encoding, and AsyncAPI's own version."""
    media, _, version = written.replace(" ", "").lower().partition(";")
    media = media.removesuffix("+json").removesuffix("+yaml")
    return media if media == _DEFAULT else f"{media};{version}"


def misplaced_encodings(subject: Subject) -> Iterator[Hit]:
    """Find schemas written as text where their format is a tree, and the reverse."""
    for pointer, written, schema in _formatted(subject):
        media = written.replace(" ", "").lower()
        if media.startswith(_AS_TEXT) and not isinstance(schema, str) and target(schema) is None:
            yield Hit(pointer, f"a schema of {written[:80]} is written as one text")
        elif media.startswith(_AVRO) and not isinstance(schema, dict | list) and not _is_avro_name(schema):
            yield Hit(pointer, f"a schema of {written[:80]} is an object, a list, or the name of a type")
        elif media.startswith(_AS_TREE) and isinstance(schema, str):
            yield Hit(pointer, f"a schema of {written[:80]} is written as an object, not as text")


def _is_avro_name(schema: Any) -> bool:
    """Whether this is the name of a type: Avro writes those as strings, such as `string` or `org.lab.Result`."""
    return isinstance(schema, str) and all(piece.isidentifier() for piece in schema.split("."))


def _formatted(subject: Subject) -> Iterator[tuple[str, str, Any]]:
    for part in subject.of("message", "payload"):
        key = "payload" if part.type == "message" else "schema"
        written = part.node.get("schemaFormat")
        if isinstance(written, str) and key in part.node:
            yield f"{part.pointer}/{key}", written, part.node[key]


def lost_discriminators(subject: Subject) -> Iterator[Hit]:
    """Find discriminators that name no required property of their schema."""
    for part in _own_schemas(subject):
        name = part.node.get("discriminator")
        if not isinstance(name, str):
            continue
        for key in ("properties", "required"):
            listed = part.node.get(key)
            if not isinstance(listed, dict | list) or name not in listed:
                told = "defined" if key == "properties" else "required"
                yield Hit(
                    f"{part.pointer}/discriminator", f"`{name[:80]}` is no {told} property of this schema"
                )


def mistyped_keywords(subject: Subject) -> Iterator[Hit]:
    """Find keywords that AsyncAPI adds to JSON Schema with values of another type."""
    found = meta_schemas.asyncapi_of(subject.version)
    for part in _own_schemas(subject):
        for key, (kind, word) in _OWN_KEYWORDS.items():
            if key in part.node and not isinstance(part.node[key], kind):
                yield Hit(f"{part.pointer}/{key}", f"`{key}` is {word}")
        docs = part.node.get("externalDocs")
        if isinstance(docs, dict) and "$ref" not in docs:
            place = f"{part.pointer}/externalDocs"
            yield from violations(found.part("externalDocs"), docs, found.schema, place)


def mistyped_defaults(subject: Subject) -> Iterator[Hit]:
    """Find defaults that are not of the type which stands beside them."""
    for part in _own_schemas(subject):
        if "default" in part.node and "type" in part.node:
            kinds = part.node["type"] if isinstance(part.node["type"], list) else [part.node["type"]]
            if not any(_is_of(part.node["default"], kind) for kind in kinds):
                yield Hit(f"{part.pointer}/default", f"the default is no {' or '.join(map(str, kinds))}")


def _is_of(value: Any, kind: Any) -> bool:
    if kind in ("integer", "number"):
        number = not isinstance(value, bool | str | list | dict) and value is not None
        return number and (kind == "number" or value == int(value))
    return isinstance(value, _PYTHON.get(kind, ()))


def _own_schemas(subject: Subject) -> Iterator[Part]:
    """Give the Schema Objects of AsyncAPI itself: those of no other format or dialect."""
    foreign = "\0"  # the place that everything of the other format stands below
    for part in subject.parts:
        if part.pointer.startswith(foreign) or not isinstance(part.node, dict):
            continue
        written = part.node.get("schemaFormat")
        if isinstance(written, str) and _plain(written) != _DEFAULT:
            foreign = f"{part.pointer}/payload" if part.type == "message" else f"{part.pointer}/"
        elif "$schema" in part.node:
            foreign = f"{part.pointer}/"
        elif part.type in SCHEMAS and part.parent != "binding" and written is None:
            yield part


_SCHEMAS = "components: {schemas: {Text: {schemaFormat: application/schema+json;version=draft-07, schema: {type: string}}, "
_KIND = (
    "components: {schemas: {Result: {type: object, discriminator: kind, "
    "properties: {kind: {type: string, maxLength: 20}}, "
)

ASYNCAPI_SCHEMA_RULES: tuple[Rule, ...] = (
    Rule(
        "schema-format-foreign", ERROR, EVENTS,
        "A schema of one format means nothing inside one of another.",
        "Refer to a schema of the same `schemaFormat`, or refer to it as the whole payload.",
        good=_SCHEMAS + "Ward: {schemaFormat: application/schema+json;version=draft-07, schema: {type: object, "
        "properties: {name: {$ref: '#/components/schemas/Text/schema'}}}}}}",
        bad=_SCHEMAS + "Ward: {type: object, properties: {name: {$ref: '#/components/schemas/Text'}}}}}",
        find=foreign_formats, clause="Multi Format Schema Object",
    ),
    Rule(
        "schema-encoding-invalid", ERROR, EVENTS,
        "Readers take the schema in the form that its format has.",
        "Write Avro, RAML and JSON Schema as objects, Protocol Buffers and XML Schema as one text.",
        good="components: {schemas: {Result: {schemaFormat: application/vnd.google.protobuf;version=3, "
        "schema: 'message Result { string ward = 1; }'}}}",
        bad="components: {schemas: {Result: {schemaFormat: application/vnd.google.protobuf;version=3, "
        "schema: {message: Result}}}}",
        find=misplaced_encodings, clause="Multi Format Schema Object",
    ),
    Rule(
        "discriminator-undeclared", ERROR, EVENTS,
        "Which schema is meant is told by a property, so that the property must be there.",
        "Define the property in this schema, and require it.",
        good=_KIND + "required: [kind]}}}",
        bad=_KIND + "minProperties: 1}}}",
        find=lost_discriminators, clause="Schema Object",
    ),
    Rule(
        "schema-keyword-invalid", ERROR, EVENTS,
        "AsyncAPI's own keywords mean nothing with another value.",
        "Write `discriminator` as a text, `deprecated` as true or false, `externalDocs` as an object with its url.",
        good="components: {schemas: {Count: {type: integer, deprecated: true}}}",
        bad="components: {schemas: {Count: {type: integer, deprecated: soon}}}",
        find=mistyped_keywords, clause="Schema Object",
    ),
    Rule(
        "default-mistyped", ERROR, EVENTS,
        "A default is used as if it had been sent.", "Write a default of the schema's type.",
        good="components: {schemas: {Count: {type: integer, default: 1}}}",
        bad="components: {schemas: {Count: {type: integer, default: one}}}",
        find=mistyped_defaults, clause="Schema Object",
    ),
)  # fmt: skip
