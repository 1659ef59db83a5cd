"""Which parts of a document are schemas, parameters, responses and so on, and so where a `$ref` is one.

A `$ref` refers only where the specification puts an object that may be a reference. Elsewhere (in an
example, a default, an enum, a const, an extension) it is data. The tables below hold OpenAPI 3.0 to
3.2, AsyncAPI 2 and 3, and JSON Schema; a row `key: form` says what stands below that key:

    T         one object of type T          {T}   a map of names to T      <T>   a map without x- keys
    T|[T]     one T or a list of them       [T]   a list of T

A key without a row holds data. A `$ref` with a string value in the place of a whole map or list is no
legal reference either, but file bundlers resolve it, and so it is recognised (and refused, or inlined).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kernel.contract.document import Kind, kind_of, specification

Form = Literal["one", "map", "patterned", "list", "either"]


@dataclass(frozen=True, slots=True)
class Field:
    """What stands below one key: objects of type `type`, in this form."""

    form: Form
    type: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """The types of one kind of document, the type of its root, and where its components lie."""

    kind: Kind
    root: str
    types: Mapping[str, Mapping[str, Field]]
    # Component section by type, as a pointer: where a shared target of that type may be kept.
    sections: Mapping[str, str]

    def fields(self, type_: str, node: Mapping[str, Any]) -> Iterator[tuple[str, Any, Field]]:
        """Give key, value and field of each part of an object that is not data."""
        rows = self.types[type_]
        wildcard = rows.get("*")
        for key, value in node.items():
            row = rows.get(key, wildcard)
            if row is not None and not (row is wildcard and key.startswith("x-")):
                yield key, value, row


def members(field: Field, value: Any) -> Iterator[tuple[str | int | None, Any]]:
    """Give the objects below a field with their key or index (None where the value itself is the object)."""
    if field.form == "one" or (field.form == "either" and not isinstance(value, list)):
        yield None, value
    elif field.form in ("list", "either"):
        if isinstance(value, list):
            yield from enumerate(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if field.form == "map" or not key.startswith("x-"):
                yield key, item


def _types(table: Mapping[str, str]) -> dict[str, dict[str, Field]]:
    return {
        name: dict(_row(part) for part in rows.split(",")) if rows else {} for name, rows in table.items()
    }


def _row(text: str) -> tuple[str, Field]:
    key, _, form = text.strip().partition(": ")
    if form.startswith("{"):
        return key, Field("map", form[1:-1])
    if form.startswith("<"):
        return key, Field("patterned", form[1:-1])
    if form.startswith("["):
        return key, Field("list", form[1:-1])
    if "|" in form:
        return key, Field("either", form.partition("|")[0])
    return key, Field("one", form)


_SCHEMA = (
    "properties: {schema}, patternProperties: {schema}, $defs: {schema}, definitions: {schema}, "
    "dependentSchemas: {schema}, dependencies: {schema}, allOf: [schema], anyOf: [schema], oneOf: [schema], "
    "prefixItems: [schema], items: schema|[schema], additionalItems: schema, additionalProperties: schema, "
    "unevaluatedItems: schema, unevaluatedProperties: schema, contains: schema, propertyNames: schema, "
    "if: schema, then: schema, else: schema, not: schema, contentSchema: schema"
)

_OPENAPI = {
    "document": "paths: <path-item>, webhooks: {path-item}, components: components",
    "components": "schemas: {schema}, responses: {response}, parameters: {parameter}, examples: {example}, "
    "requestBodies: {request-body}, headers: {header}, securitySchemes: {security-scheme}, links: {link}, "
    "callbacks: {callback}, pathItems: {path-item}, mediaTypes: {media-type}",
    "path-item": "get: operation, put: operation, post: operation, delete: operation, options: operation, "
    "head: operation, patch: operation, trace: operation, query: operation, "
    "additionalOperations: {operation}, parameters: [parameter]",
    "operation": "parameters: [parameter], requestBody: request-body, responses: <response>, "
    "callbacks: {callback}",
    "callback": "*: path-item",
    "request-body": "content: {media-type}",
    "media-type": "schema: schema, itemSchema: schema, examples: {example}, encoding: {encoding}, "
    "prefixEncoding: [encoding], itemEncoding: encoding",
    "encoding": "headers: {header}, encoding: {encoding}, prefixEncoding: [encoding], itemEncoding: encoding",
    "response": "headers: {header}, content: {media-type}, links: {link}",
    "parameter": "schema: schema, content: {media-type}, examples: {example}",
    "header": "schema: schema, content: {media-type}, examples: {example}",
    "example": "",
    "link": "",
    "security-scheme": "",
    "schema": _SCHEMA,
}
_OPENAPI_SECTIONS = {
    "schema": "/components/schemas",
    "response": "/components/responses",
    "parameter": "/components/parameters",
    "example": "/components/examples",
    "request-body": "/components/requestBodies",
    "header": "/components/headers",
    "security-scheme": "/components/securitySchemes",
    "link": "/components/links",
}

_ASYNCAPI_SHARED = {
    "message-trait": "headers: schema, correlationId: correlation-id, tags: [tag], externalDocs: docs, "
    "bindings: bindings",
    # Bindings are the protocols' own; every schema that they know stands below one of these keys.
    "bindings": "*: binding",
    "binding": "key: schema, query: schema, headers: schema, replyTo: schema, clientId: schema, "
    "groupId: schema, sessionExpiryInterval: schema, messageExpiryInterval: schema, "
    "maximumPacketSize: schema, responseTopic: schema, correlationData: schema",
    "parameter": "schema: schema",
    "correlation-id": "",
    "tag": "externalDocs: docs",
    "docs": "",
    "security-scheme": "",
    "variable": "",
    "schema": _SCHEMA + ", externalDocs: docs",
    "multi-format": "schema: schema",
}
_ASYNCAPI_2 = _ASYNCAPI_SHARED | {
    "document": "servers: {server}, channels: {channel}, components: components, "
    "tags: [tag], externalDocs: docs",
    "components": "schemas: {schema}, servers: {server}, serverVariables: {variable}, channels: {channel}, "
    "messages: {message}, securitySchemes: {security-scheme}, parameters: {parameter}, "
    "correlationIds: {correlation-id}, operationTraits: {operation-trait}, messageTraits: {message-trait}, "
    "serverBindings: {bindings}, channelBindings: {bindings}, operationBindings: {bindings}, "
    "messageBindings: {bindings}",
    "server": "variables: {variable}, tags: [tag], bindings: bindings",
    "channel": "subscribe: operation, publish: operation, parameters: {parameter}, bindings: bindings",
    "operation": "message: message, traits: [operation-trait], tags: [tag], externalDocs: docs, "
    "bindings: bindings",
    "operation-trait": "tags: [tag], externalDocs: docs, bindings: bindings",
    # `oneOf` stands here for the choice of messages that an operation may have in place of one.
    "message": "oneOf: [message], headers: schema, payload: schema, correlationId: correlation-id, "
    "tags: [tag], externalDocs: docs, bindings: bindings, traits: [message-trait]",
}
_ASYNCAPI_3 = _ASYNCAPI_SHARED | {
    "document": "info: info, servers: {server}, channels: {channel}, operations: {operation}, "
    "components: components",
    "info": "tags: [tag], externalDocs: docs",
    "components": "schemas: {payload}, servers: {server}, channels: {channel}, operations: {operation}, "
    "messages: {message}, securitySchemes: {security-scheme}, serverVariables: {variable}, "
    "parameters: {parameter}, correlationIds: {correlation-id}, replies: {reply}, "
    "replyAddresses: {reply-address}, externalDocs: {docs}, tags: {tag}, operationTraits: {operation-trait}, "
    "messageTraits: {message-trait}, serverBindings: {bindings}, channelBindings: {bindings}, "
    "operationBindings: {bindings}, messageBindings: {bindings}",
    "server": "variables: {variable}, security: [security-scheme], tags: [tag], externalDocs: docs, "
    "bindings: bindings",
    "channel": "messages: {message}, servers: [server], parameters: {parameter}, tags: [tag], "
    "externalDocs: docs, bindings: bindings",
    "operation": "channel: channel, messages: [message], reply: reply, security: [security-scheme], "
    "traits: [operation-trait], tags: [tag], externalDocs: docs, bindings: bindings",
    "operation-trait": "security: [security-scheme], tags: [tag], externalDocs: docs, bindings: bindings",
    "reply": "channel: channel, messages: [message], address: reply-address",
    "reply-address": "",
    "message": "headers: payload, payload: payload, correlationId: correlation-id, tags: [tag], "
    "externalDocs: docs, bindings: bindings, traits: [message-trait]",
    "message-trait": "headers: payload, correlationId: correlation-id, tags: [tag], externalDocs: docs, "
    "bindings: bindings",
    # A payload is a schema, or an object {schemaFormat, schema} around one.
    "payload": _SCHEMA + ", schema: schema, externalDocs: docs",
}
_ASYNCAPI_SECTIONS = {
    "schema": "/components/schemas",
    "payload": "/components/schemas",
    "message": "/components/messages",
    "parameter": "/components/parameters",
    "correlation-id": "/components/correlationIds",
    "operation-trait": "/components/operationTraits",
    "message-trait": "/components/messageTraits",
    "security-scheme": "/components/securitySchemes",
}

OPENAPI = Grammar("openapi", "document", _types(_OPENAPI), _OPENAPI_SECTIONS)
ASYNCAPI_2 = Grammar("asyncapi", "document", _types(_ASYNCAPI_2), _ASYNCAPI_SECTIONS)
ASYNCAPI_3 = Grammar("asyncapi", "document", _types(_ASYNCAPI_3), _ASYNCAPI_SECTIONS)
SCHEMA = Grammar("schema", "schema", _types({"schema": _SCHEMA}), {"schema": "/$defs"})
SCHEMA_DRAFT_7 = Grammar("schema", "schema", _types({"schema": _SCHEMA}), {"schema": "/definitions"})


def grammar_of(root: Any) -> Grammar:
    """Choose the tables for a document; raises `KindUnknown` for a root of no kind."""
    kind, version = kind_of(root), specification(root)
    if kind == "openapi":
        return OPENAPI
    if kind == "asyncapi":
        return ASYNCAPI_2 if version.startswith("2.") else ASYNCAPI_3
    return SCHEMA_DRAFT_7 if "json-schema.org/draft-0" in version else SCHEMA
