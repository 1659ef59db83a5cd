"""What AsyncAPI demands and no JSON Schema can say: which channel, message, server and parameter is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from kernel.contract.sites import local_pointer
from kernel.errors import ReferenceRefused
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import ERROR, EVENTS, WARNING, Rule

_BRACES = re.compile(r"\{([^{}]*)\}")


def misplaced_channels(subject: Subject) -> Iterator[Hit]:
    """Find operations (AsyncAPI 3) whose channel is none of the root's: only those are the application's."""
    for pointer, operation in _operations(subject):
        if pointer.startswith("/operations/"):
            yield from _outside(operation.get("channel"), f"{pointer}/channel", "/channels/", "channel")
            reply, place = subject.follow(operation.get("reply"), f"{pointer}/reply")
            if isinstance(reply, dict) and "channel" in reply:
                yield from _outside(reply["channel"], f"{place}/channel", "/channels/", "channel")


def foreign_messages(subject: Subject) -> Iterator[Hit]:
    """Find messages of an operation, or of its reply, that are none of its channel's own."""
    for pointer, operation in _operations(subject):
        home = _target(operation.get("channel"))
        yield from _not_of(home, operation.get("messages"), f"{pointer}/messages")
        reply, place = subject.follow(operation.get("reply"), f"{pointer}/reply")
        if isinstance(reply, dict):
            answered = _target(reply["channel"]) if "channel" in reply else home
            yield from _not_of(answered, reply.get("messages"), f"{place}/messages")


def unknown_servers(subject: Subject) -> Iterator[Hit]:
    """Find channels on servers that are none of the root's (by name in AsyncAPI 2, by reference in 3)."""
    names = mapping(subject.root.get("servers"))
    for pointer, _, channel in _channels(subject):
        listed = channel.get("servers")
        for index, server in enumerate(listed if isinstance(listed, list) else ()):
            place = f"{pointer}/servers/{index}"
            if isinstance(server, str) and server not in names:
                yield Hit(place, f"no server is called `{server[:100]}`")
            elif isinstance(server, dict) and pointer.startswith("/channels/"):
                yield from _outside(server, place, "/servers/", "server")


def undeclared_channel_parameters(subject: Subject) -> Iterator[Hit]:
    """Find placeholders of an address that no parameter describes."""
    for pointer, address, channel in _channels(subject):
        for name in dict.fromkeys(_BRACES.findall(address)):
            if name not in mapping(channel.get("parameters")):
                yield Hit(pointer, f"nothing describes the parameter `{name[:100]}` of {address[:120]}")


def unused_channel_parameters(subject: Subject) -> Iterator[Hit]:
    """Find parameters that the address does not name."""
    for pointer, address, channel in _channels(subject):
        for name in mapping(channel.get("parameters")):
            if name not in _BRACES.findall(address):
                yield Hit(f"{pointer}/parameters{token(name)}", f"the address has no {{{name[:100]}}}")


def duplicate_message_ids(subject: Subject) -> Iterator[Hit]:
    """Find a messageId (AsyncAPI 2) that two messages have."""
    seen: set[str] = set()
    for part in subject.of("message"):
        name = part.node.get("messageId")
        if isinstance(name, str):
            if name in seen:
                yield Hit(
                    f"{part.pointer}/messageId", f"`{name[:100]}` is the messageId of another message too"
                )
            seen.add(name)


def messages_without_payload(subject: Subject) -> Iterator[Hit]:
    """Find messages that do not say what they carry."""
    for part in subject.of("message"):
        if "payload" not in part.node and "oneOf" not in part.node:
            yield Hit(part.pointer, "the message has no payload schema, so nothing about it can be checked")


def undescribed_channels(subject: Subject) -> Iterator[Hit]:
    """Find channels that say nothing about themselves."""
    for pointer, _, channel in _channels(subject):
        if not {"title", "summary", "description"} & channel.keys():
            yield Hit(pointer, "the channel has neither title, summary nor description")


def _operations(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the operations of AsyncAPI 3: those of the root, and those kept among the components."""
    if subject.version.startswith("2."):
        return
    sections = ("/operations", subject.root.get("operations")), (
        "/components/operations", mapping(subject.root.get("components")).get("operations"),
    )  # fmt: skip
    for section, members in sections:
        for name, declared in mapping(members).items():
            if isinstance(declared, dict) and "$ref" not in declared:
                yield section + token(name), declared


def _channels(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the channels that stand in the document: pointer, address, channel."""
    sections = ("/channels", subject.root.get("channels")), (
        "/components/channels", mapping(subject.root.get("components")).get("channels"),
    )  # fmt: skip
    for section, members in sections:
        for name, declared in mapping(members).items():
            if isinstance(declared, dict) and "$ref" not in declared:
                older = subject.version.startswith("2.")
                if older and section != "/channels":
                    continue  # a component's key is no address
                address = name if older else declared.get("address")
                yield section + token(name), address if isinstance(address, str) else "", declared


def _target(declared: Any) -> str | None:
    ref = declared.get("$ref") if isinstance(declared, dict) else None
    try:
        return local_pointer(ref) if isinstance(ref, str) and ref.startswith("#") else None
    except ReferenceRefused:
        return None


def _outside(declared: Any, pointer: str, section: str, what: str) -> Iterator[Hit]:
    target = _target(declared)
    if target is not None and not (target.startswith(section) and target.count("/") == section.count("/")):
        yield Hit(pointer, f"#{target[:120]} is no {what} below #{section[:-1]}")


def _not_of(channel: str | None, listed: Any, pointer: str) -> Iterator[Hit]:
    for index, declared in enumerate(listed if isinstance(listed, list) else ()):
        target = _target(declared)
        if channel is not None and target is not None and target.rpartition("/")[0] != f"{channel}/messages":
            yield Hit(f"{pointer}/{index}", f"#{target[:120]} is no message of #{channel[:120]}")


_RESULT = "{address: lab.results, title: Results, messages: {Result: {payload: {type: object}}}}"
_MESSAGE = "{name: Result, payload: {type: object}}"

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
        find=misplaced_channels,
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
        find=foreign_messages,
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
        find=unknown_servers,
    ),
    Rule(
        "channel-parameter-undeclared", ERROR, EVENTS,
        "Nobody could check what stands in the address.", "Describe it under `parameters` of the channel.",
        good="channels: {results: {address: 'lab.{ward}', title: Results, parameters: {ward: {description: Ward.}}}}",
        bad="channels: {results: {address: 'lab.{ward}', title: Results}}", find=undeclared_channel_parameters,
    ),
    Rule(
        "channel-parameter-unused", ERROR, EVENTS,
        "The parameter has no place in the address.", "Write it into the address in braces, or remove it.",
        good="channels: {results: {address: 'lab.{ward}', title: Results, parameters: {ward: {description: Ward.}}}}",
        bad="channels: {results: {address: lab.all, title: Results, parameters: {ward: {description: Ward.}}}}",
        find=unused_channel_parameters,
    ),
    Rule(
        "message-id-duplicate", ERROR, EVENTS,
        "A messageId names one message (AsyncAPI 2.6, Message Object).", "Give every message an id of its own.",
        good="asyncapi: 2.6.0\ncomponents: {messages: {A: {messageId: a, payload: {}}, B: {messageId: b, payload: {}}}}",
        bad="asyncapi: 2.6.0\ncomponents: {messages: {A: {messageId: a, payload: {}}, B: {messageId: a, payload: {}}}}",
        find=duplicate_message_ids,
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
