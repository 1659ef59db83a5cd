"""What AsyncAPI demands and no JSON Schema can say: which channel, message, server and parameter is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token, tokens_of
from registry.lint.asyncapi_parts import addressed_channels, ids, is_old, operations, target
from registry.lint.reading import SCHEMAS, Hit, Subject, mapping
from registry.lint.rule import ERROR, EVENTS, WARNING, Rule

_BRACES = re.compile(r"\{([^{}]*)\}")


def misplaced_channels(subject: Subject) -> Iterator[Hit]:
    """Find operations (AsyncAPI 3) whose channel is none of the root's: only those are the application's."""
    for pointer, operation in operations(subject):
        if pointer.startswith("/operations/"):
            yield from _outside(operation.get("channel"), f"{pointer}/channel", "/channels/", "channel")
            reply, place = subject.follow(operation.get("reply"), f"{pointer}/reply")
            if isinstance(reply, dict) and "channel" in reply:
                yield from _outside(reply["channel"], f"{place}/channel", "/channels/", "channel")


def foreign_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages of an operation, or of its reply, that are none of its channel's own."""
    for pointer, operation in operations(subject):
        home = target(operation.get("channel"))
        yield from _not_of(home, operation.get("messages"), f"{pointer}/messages")
        reply, place = subject.follow(operation.get("reply"), f"{pointer}/reply")
        if isinstance(reply, dict):
            answered = target(reply["channel"]) if "channel" in reply else home
            yield from _not_of(answered, reply.get("messages"), f"{place}/messages")


def unknown_servers(subject: Subject) -> Iterator[Hit]:
    """Find channels on servers that are none of the root's (by name in AsyncAPI 2, by reference in 3)."""
    names = mapping(subject.root.get("servers"))
    for pointer, _, channel in addressed_channels(subject):
        listed = channel.get("servers")
        for index, server in enumerate(listed if isinstance(listed, list) else ()):
            place = f"{pointer}/servers/{index}"
            if isinstance(server, str) and server not in names:
                yield Hit(place, f"no server is called `{server[:100]}`")
            elif isinstance(server, dict) and pointer.startswith("/channels/"):
                yield from _outside(server, place, "/servers/", "server")


def undeclared_channel_parameters(subject: Subject) -> Iterator[Hit]:
    """Find placeholders of an address that no parameter describes."""
    for pointer, address, channel in addressed_channels(subject):
        for name in dict.fromkeys(_BRACES.findall(address)):
            if name not in mapping(channel.get("parameters")):
                yield Hit(pointer, f"nothing describes the parameter `{name[:100]}` of {address[:120]}")


def unused_channel_parameters(subject: Subject) -> Iterator[Hit]:
    """Find parameters that the address does not name."""
    for pointer, address, channel in addressed_channels(subject):
        for name in mapping(channel.get("parameters")):
            if name not in _BRACES.findall(address):
                yield Hit(f"{pointer}/parameters{token(name)}", f"the address has no {{{name[:100]}}}")


def conflicting_replies(subject: Subject) -> Iterator[Hit]:
    """Find replies with an address on a channel that has one already."""
    for part in subject.of("reply"):
        channel, _ = subject.follow(part.node.get("channel"), "")
        if part.node.get("address") is not None and mapping(channel).get("address") is not None:
            yield Hit(f"{part.pointer}/address", "the reply's channel has an address of its own")


def duplicate_message_ids(subject: Subject) -> Iterator[Hit]:
    """Find a messageId (AsyncAPI 2) that two messages have."""
    seen: set[str] = set()
    for pointer, name in ids(subject, "message", "messageId"):
        if name in seen:
            yield Hit(pointer, f"`{name[:100]}` is the messageId of another message too")
        seen.add(name)


def ignored_siblings(subject: Subject) -> Iterator[Hit]:
    """Find members beside a `$ref`, which the specification tells readers to ignore."""
    for site in subject.sites:
        beside = [key for key in site.holder if key != "$ref"]
        if beside and not (site.type in SCHEMAS and _is_later_dialect(subject, site.pointer)):
            names = ", ".join(f"`{key[:40]}`" for key in beside[:5])
            effect = (
                "may be read or not" if site.type == "channel" and is_old(subject) else "counts for nothing"
            )
            yield Hit(site.pointer, f"{names} beside a $ref {effect}")


def _is_later_dialect(subject: Subject, pointer: str) -> bool:
    """Whether a place lies in a schema of another format or dialect, where more than the $ref may count."""
    node = subject.root
    for step in ("", *tokens_of(pointer)):
        if step:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if isinstance(node, dict) and ("schemaFormat" in node or "$schema" in node):
            return True
    return False


def messages_without_payload(subject: Subject) -> Iterator[Hit]:
    """Find messages that do not say what they carry."""
    for part in subject.of("message"):
        if "payload" not in part.node and "oneOf" not in part.node:
            yield Hit(part.pointer, "the message has no payload schema, so nothing about it can be checked")


def undescribed_channels(subject: Subject) -> Iterator[Hit]:
    """Find channels that say nothing about themselves."""
    for pointer, _, channel in addressed_channels(subject):
        if not {"title", "summary", "description"} & channel.keys():
            yield Hit(pointer, "the channel has neither title, summary nor description")


def _outside(declared: Any, pointer: str, section: str, what: str) -> Iterator[Hit]:
    meant = target(declared)
    if meant is not None and not (meant.startswith(section) and meant.count("/") == section.count("/")):
        yield Hit(pointer, f"#{meant[:120]} is no {what} below #{section[:-1]}")


def _not_of(channel: str | None, listed: Any, pointer: str) -> Iterator[Hit]:
    for index, declared in enumerate(listed if isinstance(listed, list) else ()):
        meant = target(declared)
        if channel is not None and meant is not None and meant.rpartition("/")[0] != f"{channel}/messages":
            yield Hit(f"{pointer}/{index}", f"#{meant[:120]} is no message of #{channel[:120]}")


_RESULT = "{address: lab.results, title: Results, messages: {Result: {payload: {type: object}}}}"
_MESSAGE = "{name: Result, payload: {type: object}}"
_ASK = (
    "channels: {{results: {{address: lab, title: Results}}, answers: {{address: {}, title: Answers}}}}\n"
    "operations: {{ask: {{action: send, channel: {{$ref: '#/channels/results'}}, reply: {{channel: "
    "{{$ref: '#/channels/answers'}}, address: {{location: '$message.header#/replyTo'}}}}}}}}"
)

ASYNCAPI_RULES: tuple[Rule, ...] = (
    Rule(
        "operation-channel-misplaced", ERROR, EVENTS,
        "Only channels of the root are those of this application; components are parts in a drawer.",
        "Refer to `#/channels/<name>`.",
        good=(
            f"channels: {{results: {_RESULT}}}\n"
            "operations: {send: {action: send, channel: {$ref: '#/channels/results'}}}"
        ),
        bad=(
            f"components: {{channels: {{results: {_RESULT}}}}}\n"
            "operations: {send: {action: send, channel: {$ref: '#/components/channels/results'}}}"
        ),
        find=misplaced_channels, clause="Operation Object",
    ),
    Rule(
        "operation-message-foreign", ERROR, EVENTS,
        "An operation handles messages of its own channel; another would never arrive there.",
        "Refer to `#/channels/<channel>/messages/<name>`.",
        good=(
            f"channels: {{results: {_RESULT}}}\noperations: {{send: {{action: send, "
            "channel: {$ref: '#/channels/results'}, messages: [{$ref: '#/channels/results/messages/Result'}]}}"
        ),
        bad=(
            f"channels: {{results: {_RESULT}}}\ncomponents: {{messages: {{Result: {_MESSAGE}}}}}\n"
            "operations: {send: {action: send, channel: {$ref: '#/channels/results'}, "
            "messages: [{$ref: '#/components/messages/Result'}]}}"
        ),
        find=foreign_messages, clause="Operation Object",
    ),
    Rule(
        "channel-server-unknown", ERROR, EVENTS,
        "Nobody would know where the channel is.", "Name a server of the root.",
        good=(
            "servers: {broker: {host: broker.example, protocol: amqp}}\n"
            "channels: {results: {address: lab.results, title: Results, servers: [{$ref: '#/servers/broker'}]}}"
        ),
        bad=(
            "components: {servers: {broker: {host: broker.example, protocol: amqp}}}\nchannels: {results: "
            "{address: lab.results, title: Results, servers: [{$ref: '#/components/servers/broker'}]}}"
        ),
        find=unknown_servers, clause="Channel Object",
    ),
    Rule(
        "channel-parameter-undeclared", ERROR, EVENTS,
        "Nobody could check what stands in the address.", "Describe it under `parameters` of the channel.",
        good="channels: {results: {address: 'lab.{ward}', title: Results, parameters: {ward: {description: Ward.}}}}",
        bad="channels: {results: {address: 'lab.{ward}', title: Results}}",
        find=undeclared_channel_parameters, clause="Parameters Object",
    ),
    Rule(
        "channel-parameter-unused", ERROR, EVENTS,
        "The parameter has no place in the address.", "Write it into the address in braces, or remove it.",
        good="channels: {results: {address: 'lab.{ward}', title: Results, parameters: {ward: {description: Ward.}}}}",
        bad="channels: {results: {address: lab.all, title: Results, parameters: {ward: {description: Ward.}}}}",
        find=unused_channel_parameters, clause="Parameters Object",
    ),
    Rule(
        "message-id-duplicate", ERROR, EVENTS,
        "A messageId names one message (AsyncAPI 2.6, Message Object).", "Give every message an id of its own.",
        good="asyncapi: 2.6.0\ncomponents: {messages: {A: {messageId: a, payload: {}}, B: {messageId: b, payload: {}}}}",
        bad="asyncapi: 2.6.0\ncomponents: {messages: {A: {messageId: a, payload: {}}, B: {messageId: a, payload: {}}}}",
        find=duplicate_message_ids, clause="Message Object",
    ),
    Rule(
        "reply-address-conflict", ERROR, EVENTS,
        "A reply goes to one address: the channel's, or the one that the request names.",
        "Leave out the address of the channel, or that of the reply.",
        good=_ASK.format("null"), bad=_ASK.format("lab.answers"),
        find=conflicting_replies, clause="Operation Reply Object",
    ),
    Rule(
        "reference-sibling-ignored", WARNING, EVENTS,
        "What stands beside a $ref is ignored, so that readers see less than the writer meant.",
        "Move it to what is referred to, or refer inside an `allOf`.",
        good="components: {schemas: {Ward: {type: string, maxLength: 4}, Bed: {$ref: '#/components/schemas/Ward'}}}",
        bad=(
            "components: {schemas: {Ward: {type: string, maxLength: 4}, "
            "Bed: {$ref: '#/components/schemas/Ward', minLength: 2}}}"
        ),
        find=ignored_siblings, clause="Reference Object",
    ),
    Rule(
        "message-payload-missing", WARNING, EVENTS,
        "A message whose content is not described cannot be checked.", "Add a `payload` schema.",
        good=f"components: {{messages: {{Result: {_MESSAGE}}}}}",
        bad="components: {messages: {Result: {name: Result}}}", find=messages_without_payload,
    ),
    Rule(
        "channel-undescribed", WARNING, EVENTS,
        "A subscriber must learn what comes through the channel.", "Add a `title` or a `description`.",
        good="channels: {results: {address: lab.results, title: Results}}",
        bad="channels: {results: {address: lab.results}}", find=undescribed_channels,
    ),
)  # fmt: skip
