"""What AsyncAPI demands of messages: traits that fit, headers, examples, and that they can be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.errors import ContractInvalid, DocumentError
from kernel.operation.asyncapi_model import Message
from kernel.operation.traits import with_traits
from registry.lint import meta_schemas
from registry.lint.asyncapi_parts import is_old, merged
from registry.lint.example_rules import Judge, schema_of
from registry.lint.reading import Hit, Subject
from registry.lint.rule import ERROR, EVENTS, WARNING, Rule
from registry.lint.structure import violations


def invalid_traits(subject: Subject) -> Iterator[Hit]:
    """Find operations and messages that their traits make into none."""
    found = meta_schemas.asyncapi_of(subject.version)
    for part in subject.of("operation", "message"):
        if not part.node.get("traits"):
            continue
        place = f"{part.pointer}/traits"
        try:
            made = with_traits(subject.root, part.node, part.pointer, own_wins=not is_old(subject))
        except ContractInvalid as error:
            yield Hit(place, error.message)
            continue
        for hit in violations(found.part(part.type), dict(made.value), found.schema)[:3]:
            yield Hit(
                place, f"with its traits this is no {part.type}: {hit.what} at {hit.pointer or 'its root'}"
            )


def other_headers(subject: Subject) -> Iterator[Hit]:
    """Find headers whose schema admits something else than an object."""
    for pointer, kinds in _header_types(subject):
        if kinds is not None and kinds != ["object"]:
            yield Hit(pointer, f"headers are an object, and this is {' or '.join(map(str, kinds))}")


def untyped_headers(subject: Subject) -> Iterator[Hit]:
    """Find headers whose schema does not say that they are an object."""
    for pointer, kinds in _header_types(subject):
        if kinds is None:
            yield Hit(pointer, "the schema does not say `type: object`")


def _header_types(subject: Subject) -> Iterator[tuple[str, list[Any] | None]]:
    """Give place and types of each schema of headers; None for those that say none, at any level of `allOf`."""
    for part in subject.of("message", "message-trait"):
        if "headers" in part.node:
            schema, dialect = schema_of(subject, part.node, "headers")
            if dialect is not None:
                yield f"{part.pointer}/headers", _types(subject, schema, 0)


def _types(subject: Subject, schema: Any, depth: int) -> list[Any] | None:
    node, _ = subject.follow(schema, "")
    if node is False:
        return ["nothing"]
    if not isinstance(node, dict) or depth > 20:  # noqa: PLR2004 - deeper than any document
        return None
    if "type" in node:
        return node["type"] if isinstance(node["type"], list) else [node["type"]]
    for branch in node.get("allOf") or ():
        found = _types(subject, branch, depth + 1)
        if found is not None:
            return found
    return None


def invalid_message_examples(subject: Subject) -> Iterator[Hit]:
    """Find examples of messages that their payload or headers refuse."""
    judge = Judge(subject)
    for part in subject.of("message", "message-trait"):
        made = merged(subject, part) if part.type == "message" else None
        value = part.node if made is None else made.value
        examples = value.get("examples")
        home = f"{part.pointer}/examples" if "examples" in part.node else f"{part.pointer}/traits"
        for index, example in enumerate(examples if isinstance(examples, list) else ()):
            for key in ("payload", "headers"):
                if not (isinstance(example, dict) and key in example and key in value):
                    continue
                schema, dialect = schema_of(subject, value, key)
                fault = None if dialect is None else judge.fault(schema, example[key], dialect)
                if fault is not None:
                    place = f"{home}/{index}/{key}" if home.endswith("/examples") else home
                    yield Hit(place, f"the example breaks its {key}: {fault}")


def alike_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages of one operation that nothing tells apart: each would be valid against both."""
    for operation in subject.events.operations if subject.events is not None else ():
        seen: dict[bytes, str] = {}
        for message in operation.messages:
            key = _contents(message)
            if key is not None and key in seen and seen[key] != message.pointer:
                yield Hit(message.pointer, f"a message valid here is valid against #{seen[key][:120]} too")
            elif key is not None:
                seen[key] = message.pointer


def _contents(message: Message) -> bytes | None:
    parts = [one and [one.schema, one.format] for one in (message.payload, message.headers)]
    if message.payload is None or message.payload.dialect is None:
        return None
    try:
        return canonical_bytes([*parts, message.content_type, dict(message.bindings)])
    except DocumentError:
        return None


def repeated_names(subject: Subject) -> Iterator[Hit]:
    """Find names that two messages of one channel share."""
    for channel in subject.events.channels.values() if subject.events is not None else ():
        seen: dict[str, str] = {}
        for message in channel.messages.values():
            if message.name is not None:
                known = seen.setdefault(message.name, message.pointer)
                if known != message.pointer:
                    yield Hit(
                        f"{message.pointer}/name", f"#{known[:120]} is called `{message.name[:80]}` too"
                    )


def lost_expressions(subject: Subject) -> Iterator[Hit]:
    """Find correlation ids that point to a member which the closed schema of their message does not have."""
    for flow in subject.events.flows if subject.events is not None else ():
        written = flow.message.correlation_id or ""
        source, _, pointer = written.removeprefix("$message.").partition("#/")
        held = {"header": flow.message.headers, "payload": flow.message.payload}.get(source)
        if held is None or held.dialect is None or not pointer:
            continue
        if not _may_hold(subject, held.schema, pointer.split("/")):
            place = f"{flow.message.pointer}/correlationId"
            yield Hit(place, f"{written[:120]} points to what the {source} of this message never has")


def _may_hold(subject: Subject, schema: Any, steps: list[str]) -> bool:
    """Whether a value of this schema may have a member; only plainly closed objects are sure not to."""
    node, _ = subject.follow(schema, "")
    if not steps or not isinstance(node, dict):
        return True
    name = steps[0].replace("~1", "/").replace("~0", "~")
    properties = node.get("properties")
    if isinstance(properties, dict) and name in properties:
        return _may_hold(subject, properties[name], steps[1:])
    return node.get("additionalProperties") is not False or "patternProperties" in node


_MESSAGE = "components: {messages: {Result: {name: Result, "
_TRAITS = "payload: {type: object}, headers: {type: object, properties: {ward: {type: string}}}, traits: [{headers: "
_OLD = "asyncapi: 2.6.0\nchannels: {lab.results: {description: Results., "
_CORRELATED = (
    "channels: {results: {address: lab, title: Results, messages: {a: {payload: {type: object, "
    "additionalProperties: false, properties: {id: {type: integer}}}, "
)

MESSAGE_RULES: tuple[Rule, ...] = (
    Rule(
        "traits-invalid", ERROR, EVENTS,
        "What an operation or a message is, is said by it and its traits together.",
        "Correct the trait, or write the members into the object itself.",
        good=_MESSAGE + _TRAITS + "{properties: {bed: {type: string}}}}]}}}",
        bad=_MESSAGE + _TRAITS + "{schemaFormat: application/schema+json;version=draft-07, schema: {type: object}}}]}}}",
        find=invalid_traits, clause="Traits Merge Mechanism",
    ),
    Rule(
        "headers-not-object", ERROR, EVENTS,
        "Headers are names with values.", "Describe them by `type: object` with properties.",
        good=_MESSAGE + "payload: {type: object}, headers: {type: object}}}}",
        bad=_MESSAGE + "payload: {type: object}, headers: {type: array}}}}",
        find=other_headers, clause="Message Object",
    ),
    Rule(
        "headers-untyped", WARNING, EVENTS,
        "Where the type is not said, any value passes as headers.", "Add `type: object`.",
        good=_MESSAGE + "payload: {type: object}, headers: {type: object}}}}",
        bad=_MESSAGE + "payload: {type: object}, headers: {properties: {ward: {type: string}}}}}}",
        find=untyped_headers, clause="Message Object",
    ),
    Rule(
        "message-example-invalid", ERROR, EVENTS,
        "Examples of messages must validate, and mocks and tests are made of them.",
        "Correct the example or the schema.",
        good=_MESSAGE + "payload: {type: object, required: [ward]}, examples: [{payload: {ward: W7}}]}}}",
        bad=_MESSAGE + "payload: {type: object, required: [ward]}, examples: [{payload: {bed: 3}}]}}}",
        find=invalid_message_examples, clause="Message Example Object",
    ),
    Rule(
        "messages-alike", WARNING, EVENTS,
        "A message must be valid against one of the messages only, and nothing tells these apart.",
        "Keep one of them, or tell them apart by a member with a `const`.",
        good=_OLD + "publish: {message: {oneOf: [{payload: {const: a}}, {payload: {const: b}}]}}}}",
        bad=_OLD + "publish: {message: {oneOf: [{payload: {const: a}}, {payload: {const: a}}]}}}}",
        find=alike_messages, clause="Operation Object",
    ),
    Rule(
        "message-name-repeated", WARNING, EVENTS,
        "Generated code and people tell messages by their names.", "Give each message of a channel its own name.",
        good="channels: {results: {address: lab, title: Results, messages: {a: {name: A, payload: {type: object}}, "
        "b: {name: B, payload: {type: array}}}}}",
        bad="channels: {results: {address: lab, title: Results, messages: {a: {name: A, payload: {type: object}}, "
        "b: {name: A, payload: {type: array}}}}}",
        find=repeated_names, clause="Message Object",
    ),
    Rule(
        "correlation-lost", WARNING, EVENTS,
        "Answers are matched by the correlation id, and no message could carry this one.",
        "Point to a member of the schema, or add the member.",
        good=_CORRELATED + "correlationId: {location: '$message.payload#/id'}}}}}",
        bad=_CORRELATED + "correlationId: {location: '$message.payload#/key'}}}}}",
        find=lost_expressions, clause="Correlation ID Object",
    ),
)  # fmt: skip
