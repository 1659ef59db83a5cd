"""Every demand of AsyncAPI 2.6, 3.0 and 3.1 (MUST, MUST NOT, REQUIRED, SHALL), and what judges it: one row each.

The rows are docs/reference/asyncapi-validity.md, and tests/registry/lint/test_asyncapi_clauses.py holds them
to the rules. `STRUCTURE` is our JSON Schema of the specification (asyncapi-2.6.json, asyncapi-3.0.json), told
as `asyncapi-invalid`; `READER` the parser of documents, which refuses before any rule is asked. A demand that
no document can break says whom it binds instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.lint.reading import Subject
from registry.lint.rule import AT_PLACE, Rule

STRUCTURE = "asyncapi-invalid"
READER = "document-yaml"
_RUNNING = "binds the running application, not the document"
_TOOL = "binds whoever reads the document; `kernel/operation/asyncapi_view.py` does so"
_TRAFFIC = "binds the messages on the wire; the proxy judges those that it carries"
OLD, NEW = "2.6", "3.0, 3.1"
ALL = f"{OLD}, {NEW}"


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand in our words, under the heading that the specification gives it.

    `rules` are the ids that tell its breach; where there are none, `reason` says why no document can break it.
    """

    heading: str
    versions: str
    demand: str
    rules: tuple[str, ...] = ()
    reason: str = ""


def _row(heading: str, versions: str, demand: str, *judged: str) -> Clause:
    if len(judged) == 1 and " " in judged[0]:
        return Clause(heading, versions, demand, reason=judged[0])
    return Clause(heading, versions, demand, judged)


CLAUSES: tuple[Clause, ...] = (
    _row("Application", ALL, "an application is a sender, a receiver or both", _RUNNING),
    _row("Application", ALL, "an application uses a protocol that the server supports", _RUNNING),
    _row("Message", OLD, "a message contains a payload", _TRAFFIC),
    _row("Message", ALL, "a payload is serialised into a format", _TRAFFIC),
    _row("Bindings", ALL, "a binding defines what its protocol needs and nothing else", "binding-invalid"),
    _row("Format", ALL, "YAML tags are those of the JSON schema ruleset", READER),
    _row("Format", ALL, "keys of YAML maps are scalar strings", READER),
    _row("File Structure", NEW, "everything outside the components is used by the application", _RUNNING),
    _row("AsyncAPI Object", ALL, "`asyncapi` and `info` are required", STRUCTURE),
    _row("AsyncAPI Object", OLD, "`channels` is required", STRUCTURE),
    _row("AsyncAPI Object", OLD, "tag names of the root are unique", "tag-duplicate"),
    _row("AsyncAPI Object", NEW, "the application implements the operations", _RUNNING),
    _row("AsyncAPI Version String", ALL, "the version is major.minor.patch", STRUCTURE, "version-unsupported"),
    _row("Identifier", ALL, "`id` is a URI", "application-id-invalid"),
    _row("Info Object", ALL, "`title` and `version` are required", STRUCTURE),
    _row("Info Object", ALL, "`termsOfService` is an absolute URL", "url-relative"),
    _row("Contact Object", ALL, "`url` is an absolute URL", "url-relative"),
    _row("Contact Object", ALL, "`email` is an email address", "email-invalid"),
    _row("License Object", ALL, "`name` is required", STRUCTURE),
    _row("License Object", ALL, "`url` is an absolute URL", "url-relative"),
    _row("Servers Object", ALL, "names of servers match the pattern", STRUCTURE),
    _row("Server Object", OLD, "`url` and `protocol` are required", STRUCTURE),
    _row("Server Object", NEW, "`host` and `protocol` are required", STRUCTURE),
    _row("Server Object", NEW, "`host` is a host name with an optional port", "server-host-invalid"),
    _row("Server Object", ALL, "a variable named in braces is described", "server-variable-undeclared"),
    _row("Default Content Type", ALL, "the value is a specific media type", "content-type-invalid"),
    _row("Default Content Type", ALL, "readers use it where `contentType` is not said", _TOOL),
    _row("Default Content Type", ALL, "readers fall back to their own default where it decodes nothing", _TOOL),
    _row("Channels Object", OLD, "a channel's name is a URI template (RFC 6570)", "channel-address-invalid"),
    _row("Channels Object", OLD, "it has no query parameters and no fragment", "channel-address-invalid"),
    _row("Channels Object", NEW, "the application uses the channels at run time", _RUNNING),
    _row("Channel Item Object", OLD, "`$ref` refers to a Channel Item Object", "reference-kind-mismatch"),
    _row("Channel Item Object", OLD, "`servers` names servers of the root", "channel-server-unknown"),
    _row("Channel Item Object", OLD, "without `servers` the channel is on all servers", _TOOL),
    _row("Channel Object", NEW, "an `address` that is null or absent is unknown", _TOOL),
    _row("Channel Object", NEW, "an `address` has no query parameters and no fragment", "channel-address-invalid"),
    _row("Channel Object", NEW, "every message on it is valid against exactly one of its messages", _TRAFFIC),
    _row("Channel Object", NEW, "`servers` of a root channel are servers of the root", "channel-server-unknown"),
    _row("Channel Object", NEW, "`servers` are references", STRUCTURE),
    _row("Channel Object", NEW, "without `servers` the channel is on all servers", _TOOL),
    _row("Channel Object", NEW, "`parameters` are there only for expressions in the address", "channel-parameter-unused"),
    _row("Channel Address Expressions", NEW, "an expression is a name in braces", "channel-address-invalid"),
    _row("Operations Object", NEW, "the application implements the operations; their keys are strings", _RUNNING),
    _row("Operation Object", NEW, "`action` (send or receive) and `channel` are required", STRUCTURE),
    _row("Operation Object", NEW, "`channel` is a reference and no Channel Object", STRUCTURE),
    _row("Operation Object", NEW, "`channel` of a root operation is a channel of the root", "operation-channel-misplaced"),
    _row("Operation Object", NEW, "`messages` are references", STRUCTURE),
    _row("Operation Object", NEW, "`messages` are some of the channel's own", "operation-message-foreign"),
    _row("Operation Object", ALL, "every message is valid against exactly one of its messages", _TRAFFIC),
    _row("Operation Object", OLD, "`operationId` is unique among all operations", "operation-id-duplicate"),
    _row("Operation Object", ALL, "one of the security requirements is met, and one of the server's too", _TRAFFIC),
    _row("Operation Object", ALL, "traits are merged (RFC 7386), in their order", _TOOL),
    _row("Operation Object", NEW, "with its traits it is a valid Operation Object", "traits-invalid"),
    _row("Operation Trait Object", ALL, "it has no member that only an operation may have", STRUCTURE),
    _row("Operation Reply Object", NEW, "implementations use the reply's address", _RUNNING),
    _row("Operation Reply Object", NEW, "beside `address`, the channel has none itself", "reply-address-conflict"),
    _row("Operation Reply Object", NEW, "`channel` is a reference", STRUCTURE),
    _row("Operation Reply Object", NEW, "`channel` is a channel of the root", "operation-channel-misplaced"),
    _row("Operation Reply Object", NEW, "`messages` are references", STRUCTURE),
    _row("Operation Reply Object", NEW, "`messages` are some of the reply channel's own", "operation-message-foreign"),
    _row("Operation Reply Address Object", NEW, "`location` is required", STRUCTURE),
    _row("Parameters Object", ALL, "every parameter of the address is described", "channel-parameter-undeclared"),
    _row("Parameters Object", ALL, "every parameter described is one of the address", "channel-parameter-unused"),
    _row("Parameters Object", ALL, "names of parameters match the pattern", STRUCTURE),
    _row("Parameter Object", OLD, "the parameter is validated by `schema`, not by what `location` points to", _TOOL),
    _row("Message Object", OLD, "`messageId` is unique among all messages", "message-id-duplicate"),
    _row("Message Object", ALL, "`headers` describe an object", "headers-not-object"),
    _row("Message Object", ALL, "`headers` define no headers of the protocol",
         "depends on the protocol and its library; no list of names is right for all"),
    _row("Message Object", ALL, "`contentType` is a specific media type", "content-type-invalid"),
    _row("Message Object", ALL, "without `contentType` it is the default content type", _TOOL),
    _row("Message Object", ALL, "traits are merged (RFC 7386), in their order", _TOOL),
    _row("Message Object", ALL, "with its traits it is a valid Message Object", "traits-invalid"),
    _row("Message Object", OLD, "a custom `schemaFormat` names none of the formats in the table",
         "a value is one of the table or it is custom; nothing tells what a custom one refers to"),
    _row("Message Object", OLD, "the payload matches its format and its form",
         "schema-invalid", "schema-encoding-invalid"),
    _row("Message Trait Object", ALL, "it has neither `payload` nor `traits`", STRUCTURE),
    _row("Message Trait Object", OLD, "`messageId` is unique among all messages", "message-id-duplicate"),
    _row("Message Example Object", ALL, "it has `headers`, `payload` or both", STRUCTURE),
    _row("Message Example Object", ALL, "`headers` and `payload` validate against the message's", "message-example-invalid"),
    _row("Tag Object", ALL, "`name` is required", STRUCTURE),
    _row("External Documentation Object", ALL, "`url` is required", STRUCTURE),
    _row("External Documentation Object", ALL, "`url` is an absolute URL", "url-relative"),
    _row("Reference Object", ALL, "`$ref` is required, and leads to JSON or YAML", "reference-refused"),
    _row("Reference Object", ALL, "it leads to an object of the kind that may stand there", "reference-kind-mismatch"),
    _row("Reference Object", ALL, "members beside `$ref` are ignored", "reference-sibling-ignored"),
    _row("Components Object", ALL, "names of components match the pattern", STRUCTURE),
    _row("Multi Format Schema Object", NEW, "`schemaFormat` and `schema` are required", STRUCTURE),
    _row("Multi Format Schema Object", NEW, "without `schemaFormat` it is a Schema Object", _TOOL),
    _row("Multi Format Schema Object", NEW, "what a schema refers to is of the same format", "schema-format-foreign"),
    _row("Multi Format Schema Object", NEW, "a custom `schemaFormat` names none of the formats in the table",
         "a value is one of the table or it is custom; nothing tells what a custom one refers to"),
    _row("Multi Format Schema Object", NEW, "the schema matches its format", "schema-invalid", "payload-unchecked"),
    _row("Multi Format Schema Object", NEW, "formats that are no JSON are written as one text", "schema-encoding-invalid"),
    _row("Multi Format Schema Object", ALL, "readers support AsyncAPI's own format and JSON Schema draft-07", _TOOL),
    _row("Schema Object", ALL, "keywords of AsyncAPI have values of their type", "schema-invalid", "schema-keyword-invalid"),
    _row("Schema Object", ALL, "`default` is of the type that stands beside it", "default-mistyped"),
    _row("Schema Object", ALL, "`$ref` is that of the Reference Object", "reference-sibling-ignored"),
    _row("Schema Object", ALL, "`discriminator` names a property defined and required here", "discriminator-undeclared"),
    _row("Schema Object", ALL, "a discriminator's value is the name of the schema or of one that inherits it", _TRAFFIC),
    _row("Security Scheme Object", ALL, "`type` is required", STRUCTURE),
    _row("Security Scheme Object", ALL, "what the type asks for is required: `name`, `in`, `scheme`, …", STRUCTURE),
    _row("Security Scheme Object", ALL, "`openIdConnectUrl` is an absolute URL", "url-relative"),
    _row("OAuth Flow Object", ALL, "`authorizationUrl`, `tokenUrl` and the scopes are required by flow", STRUCTURE),
    _row("OAuth Flow Object", ALL, "`authorizationUrl`, `tokenUrl` and `refreshUrl` are absolute URLs", "url-relative"),
    _row("Security Requirement Object", OLD, "each name is that of a declared scheme", "security-scheme-undeclared"),
    _row("Security Requirement Object", OLD, "the list is empty for schemes without scopes", "security-scopes-misplaced"),
    _row("Correlation ID Object", ALL, "`location` is required", STRUCTURE),
    _row("Runtime Expression", ALL, "an expression follows its grammar, with a JSON pointer", "runtime-expression-invalid"),
    _row("Traits Merge Mechanism", NEW, "a trait does not override a member of its target", _TOOL),
    _row("Specification Extensions", ALL, "names of extensions begin with x-", STRUCTURE),
)  # fmt: skip

# The heading of the object that the grammar calls so (kernel/contract/grammar.py).
_HEADINGS = {
    "document": "AsyncAPI Object", "info": "Info Object", "components": "Components Object", "server": "Server Object",
    "variable": "Server Variable Object", "channel": "Channel Object", "operation": "Operation Object",
    "operation-trait": "Operation Trait Object", "reply": "Operation Reply Object",
    "reply-address": "Operation Reply Address Object", "message": "Message Object", "tag": "Tag Object",
    "message-trait": "Message Trait Object", "docs": "External Documentation Object", "parameter": "Parameter Object",
    "correlation-id": "Correlation ID Object", "security-scheme": "Security Scheme Object", "bindings": "Bindings",
    "binding": "Bindings", "schema": "Schema Object", "payload": "Schema Object",
}  # fmt: skip
_OLD_NAMES = {
    "Channel Object": "Channel Item Object",
    "Multi Format Schema Object": "Message Object",
    "Traits Merge Mechanism": "Message Object",
}


def section(version: str, heading: str) -> str:
    """Name a section of the specification that a document follows: `AsyncAPI 2.6 §Channel Item Object`."""
    old = version.startswith("2.")
    name = _OLD_NAMES.get(heading, heading) if old else heading
    return f"AsyncAPI {OLD if old else version[:3]} §{name}"


def citation(subject: Subject, rule: Rule, pointer: str) -> str:
    """Say which section of the specification a finding is about, in brackets; "" for what is no demand of it."""
    if subject.kind != "asyncapi" or not rule.clause or not subject.version.startswith(("2.", "3.")):
        return ""
    heading = rule.clause if rule.clause != AT_PLACE else _HEADINGS[_type_at(subject, pointer)]
    return f" [{section(subject.version, heading)}]"


def _type_at(subject: Subject, pointer: str) -> str:
    """Name the innermost object around a place."""
    while pointer not in subject.types:
        pointer = pointer.rpartition("/")[0]
    return subject.types[pointer]
