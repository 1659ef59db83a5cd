"""The house's rules for event interfaces: what a consumer needs to tell, trust, sort and answer a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from registry.lint.reading import Hit, Part, Subject, mapping
from registry.lint.rule import EVENTS, INFO, WARNING, Rule
from registry.lint.words import folded

# Names, folded, of a header or property by which one message is told from another.
_IDS = frozenset({"id", "eventid", "messageid", "ceid", "uuid", "msgid", "requestid"})
_TLS = frozenset(
    {"amqps", "mqtts", "https", "wss", "kafka-secure", "secure-mqtt", "stomps", "ibmmq", "mercure"}
)
_PLAIN = frozenset({"amqp", "amqp1", "mqtt", "mqtt5", "http", "ws", "kafka", "stomp", "nats", "redis"})


def unnamed_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages without a `name` (AsyncAPI 2: nor `messageId`)."""
    for part in _messages(subject):
        if not {"name", "messageId"} & part.node.keys():
            yield Hit(part.pointer, "the message has no name")


def undescribed_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages that say nothing about themselves."""
    for part in _messages(subject):
        if not {"title", "summary", "description"} & part.node.keys():
            yield Hit(part.pointer, "the message has neither title, summary nor description")


def untyped_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages without a content type, of their own or of the document's default."""
    if isinstance(subject.root.get("defaultContentType"), str):
        return
    for part in _messages(subject):
        if "contentType" not in part.node and not _from_traits(subject, part, "contentType"):
            yield Hit(part.pointer, "nothing says how the message is written")


def messages_without_id(subject: Subject) -> Iterator[Hit]:
    """Find messages in whose headers and payload no name says that it tells one message from another."""
    for part in _messages(subject):
        places = [part.node.get("headers"), part.node.get("payload"), *_trait_headers(subject, part)]
        known = [found for place in places if (found := _properties(subject, place, 0)) is not None]
        if known and not any({folded(name) for name in found} & _IDS for found in known):
            yield Hit(part.pointer, "neither headers nor payload hold an id of the message")


def requests_without_correlation(subject: Subject) -> Iterator[Hit]:
    """Find operations with a reply (AsyncAPI 3) of whose messages none says how both belong together."""
    if subject.version.startswith("2."):
        return
    for name, declared in mapping(subject.root.get("operations")).items():
        operation, home = subject.follow(declared, f"/operations{token(name)}")
        reply, _ = subject.follow(mapping(operation).get("reply"), "")
        if not mapping(reply):
            continue
        messages = [message for end in (operation, reply) for message in _handled(subject, end)]
        if messages and not any("correlationId" in message for message in messages):
            yield Hit(home, f"nothing says which reply belongs to which message of `{name[:80]}`")


def undescribed_event_operations(subject: Subject) -> Iterator[Hit]:
    """Find operations that say nothing about themselves."""
    for part in subject.of("operation"):
        if subject.kind == "asyncapi" and not {"title", "summary", "description"} & part.node.keys():
            yield Hit(part.pointer, "the operation has neither title, summary nor description")


def open_servers(subject: Subject) -> Iterator[Hit]:
    """Find servers for which nothing says who may connect."""
    for part in subject.of("server"):
        if subject.kind == "asyncapi" and not part.node.get("security"):
            yield Hit(part.pointer, "nothing says who may connect to the server")


def plain_servers(subject: Subject) -> Iterator[Hit]:
    """Find servers whose protocol carries messages in the clear."""
    for part in subject.of("server"):
        protocol = str(part.node.get("protocol", "")).lower()
        if subject.kind == "asyncapi" and protocol in _PLAIN and protocol not in _TLS:
            yield Hit(f"{part.pointer}/protocol", f"{protocol} carries messages in the clear")


def _messages(subject: Subject) -> Iterator[Part]:
    """Give the messages that stand in the document, choices of messages (AsyncAPI 2) left out."""
    for part in subject.of("message"):
        if "oneOf" not in part.node:
            yield part


def _traits(subject: Subject, part: Part) -> Iterator[dict[str, Any]]:
    listed = part.node.get("traits")
    for declared in listed if isinstance(listed, list) else ():
        yield mapping(subject.follow(declared, "")[0])


def _from_traits(subject: Subject, part: Part, key: str) -> bool:
    return any(key in trait for trait in _traits(subject, part))


def _trait_headers(subject: Subject, part: Part) -> Iterator[Any]:
    for trait in _traits(subject, part):
        yield trait.get("headers")


def _properties(subject: Subject, schema: Any, depth: int) -> set[str] | None:
    """Give the names of an object's properties; None where they cannot be known (no object, no schema)."""
    if depth > 8:  # noqa: PLR2004 - of references and combinations
        return None
    found, _ = subject.follow(schema, "")
    node = mapping(found)
    if "schema" in node and "schemaFormat" in node:
        return _properties(subject, node["schema"], depth + 1)
    names = set(mapping(node.get("properties")))
    for key in ("allOf", "anyOf", "oneOf"):
        listed = node.get(key)
        for one in listed if isinstance(listed, list) else ():
            names |= _properties(subject, one, depth + 1) or set()
    return names or None


def _handled(subject: Subject, end: Any) -> Iterator[dict[str, Any]]:
    """Give the messages of an operation or a reply: those that it lists, else all of its channel."""
    listed = mapping(end).get("messages")
    if not isinstance(listed, list):
        channel, _ = subject.follow(mapping(end).get("channel"), "")
        listed = list(mapping(mapping(channel).get("messages")).values())
    for declared in listed:
        yield mapping(subject.follow(declared, "")[0])


def _message(more: str) -> str:
    return f"components: {{messages: {{Result: {{payload: {{type: object}}{more}}}}}}}"


def _carrying(name: str) -> str:
    payload = f"{{type: object, properties: {{{name}: {{type: string, maxLength: 40}}}}}}"
    return f"components: {{messages: {{Result: {{name: Result, payload: {payload}}}}}}}"


def _asking(more: str) -> str:
    return (
        "channels:\n  questions: {address: lab.questions, title: Questions, messages: {Ask: {payload: {type: object}"
        f"{more}}}}}}}\n  answers: {{address: lab.answers, title: Answers}}\n"
        "operations: {ask: {action: send, channel: {$ref: '#/channels/questions'}, "
        "reply: {channel: {$ref: '#/channels/answers'}}}}"
    )


def _sending(more: str) -> str:
    return (
        "channels: {results: {address: lab.results, title: Results}}\n"
        f"operations: {{sendResult: {{action: send, channel: {{$ref: '#/channels/results'}}{more}}}}}"
    )


def _server(more: str, protocol: str = "amqps") -> str:
    return f"servers: {{broker: {{host: broker.example, protocol: {protocol}{more}}}}}"


EVENT_RULES: tuple[Rule, ...] = (
    Rule(
        "message-name-missing", INFO, EVENTS,
        "Consumers, audit records and dead letters name a message by its name.", "Add `name`: LabResultPublished.",
        good=_message(", name: Result"), bad=_message(""), find=unnamed_messages,
    ),
    Rule(
        "message-undescribed", INFO, EVENTS,
        "A consumer must learn when the message is sent, and what it means.", "Add a `title` or a `summary`.",
        good=_message(", title: A result was published"), bad=_message(""), find=undescribed_messages,
    ),
    Rule(
        "content-type-missing", WARNING, EVENTS,
        "A consumer must know how to read the bytes before it reads them.",
        "Add `contentType` to the message, or `defaultContentType` to the root.",
        good=_message(", contentType: application/json"), bad=_message(""), find=untyped_messages,
    ),
    Rule(
        "message-id-missing", INFO, EVENTS,
        "Brokers deliver a message twice; without an id a consumer applies it twice.",
        "Carry an id in headers or payload, such as the `id` of CloudEvents.",
        good=_carrying("id"), bad=_carrying("ward"), find=messages_without_id,
    ),
    Rule(
        "correlation-missing", WARNING, EVENTS,
        "Replies come in any order; without a correlation id one is taken for the answer to another question.",
        "Add `correlationId` to the message, saying where it stands.",
        good=_asking(", correlationId: {location: '$message.header#/correlationId'}"), bad=_asking(""),
        find=requests_without_correlation,
    ),
    Rule(
        "event-operation-undescribed", INFO, EVENTS,
        "A reader must learn who sends and who receives.", "Add a `title` or a `summary`.",
        good=_sending(", summary: The laboratory sends."), bad=_sending(""), find=undescribed_event_operations,
    ),
    Rule(
        "server-security-undeclared", WARNING, EVENTS,
        "A broker that does not say who may connect is open by accident.", "Add `security` to the server.",
        good=_server(", security: [{type: X509}]"), bad=_server(""), find=open_servers,
    ),
    Rule(
        "server-unencrypted", INFO, EVENTS,
        "What is sent in the clear is read by whoever stands between.",
        "Use amqps, mqtts, kafka-secure, https or wss.",
        good=_server(""), bad=_server("", "amqp"), find=plain_servers,
    ),
)  # fmt: skip
