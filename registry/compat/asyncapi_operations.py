"""Compares what surrounds messages: operations and their replies, security, bindings, correlation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kernel.contract.positions import token
from kernel.operation.asyncapi_model import OPPOSITE, Action, Channel, Message, Operation, Reply
from kernel.operation.idempotency import EXTENSION as IDEMPOTENCY
from kernel.operation.shapes import follow, lookup
from registry.compat.asyncapi_bindings import Bound, compare_bindings
from registry.compat.asyncapi_messages import Messages, Pair
from registry.compat.asyncapi_parameters import sampled
from registry.compat.asyncapi_security import compare_security
from registry.compat.asyncapi_sides import EventApi, EventJournal, Holder, rest, turned
from registry.compat.asyncapi_whole import PLACEHOLDER, Scene, Unit, Whole
from registry.compat.idempotency import rule_of_idempotency

_NOTES: Final = frozenset(
    {"title", "summary", "description", "tags", "externalDocs", "deprecated", "traits", "bindings"}
)
_OPERATION: Final = _NOTES | {"action", "channel", "messages", "message", "reply", "security", "operationId"}
_MESSAGE: Final = _NOTES | {
    "name", "messageId", "examples", "payload", "headers", "schemaFormat", "contentType", "correlationId",
}  # fmt: skip
_CORRELATION: Final = frozenset({"location", "description"})
_REPLY: Final = frozenset({"channel", "messages", "address"})
_LIMIT: Final = "x-interlock-max-body"


def compare_pairs(journal: EventJournal, whole: Whole, scene: Scene, pairs: Iterable[Pair]) -> None:
    """Judge what surrounds the messages that belong together, each message and each operation once."""
    pairs = list(pairs)
    for old, new in {
        (one.message.pointer, other.message.pointer): (one, other) for one, other in pairs
    }.values():
        if not (old.unsaid or new.unsaid):
            _message(journal, scene, old.message, new.message, f"{scene.label}: {new.label}")
    operations = {
        (old.operation.pointer, new.operation.pointer): (old.operation, new.operation)
        for old, new in pairs
        if old.operation is not None and new.operation is not None
    }
    answered = {
        (end.operation.pointer, end.message.pointer)
        for pair in pairs
        if all(one.operation is not None and one.operation.reply is not None for one in pair)
        for end in pair
        if end.operation is not None
    }
    for before, after in operations.values():
        _operation(journal, scene, before, after)
    _replies(journal, whole, scene, pairs, answered)


def units(messages: Iterable[Message], operation: Operation | None, owner: str, api: EventApi) -> list[Unit]:
    """Give the messages of an operation: one that stands for all where none is told, none where the list is empty."""
    found = [Unit(message, operation) for message in messages]
    if found or (operation is not None and operation.declared.get("messages") == []):
        return found
    default = api.read.default_content_type
    return [Unit(Message("", owner, None, None, None, default, None, {}, {}), operation, unsaid=True)]


def _message(journal: EventJournal, scene: Scene, old: Message, new: Message, label: str) -> None:
    at = (old.pointer, new.pointer)
    if old.correlation_id != new.correlation_id:
        rule = "correlation-added" if old.correlation_id is None else "correlation-changed"
        places = [
            f"{one.pointer}/correlationId" if one.correlation_id is not None else None for one in (old, new)
        ]
        journal.note(
            rule, label, f"the place of its correlation id {turned(old.correlation_id, new.correlation_id)}",
            at=(places[0], places[1]), way=scene.way, before=old.correlation_id, after=new.correlation_id,
        )  # fmt: skip
    correlations = _below(journal.old, old, "correlationId"), _below(journal.new, new, "correlationId")
    rest(journal, label, *correlations, _CORRELATION)
    compare_bindings(journal, Bound("message", label, at, scene.way), old.bindings, new.bindings)
    ends = Holder(old.declared, old.pointer), Holder(new.declared, new.pointer)
    rest(journal, label, *ends, _MESSAGE | policies(journal, label, scene.way, *ends))


def _operation(journal: EventJournal, scene: Scene, old: Operation, new: Operation) -> None:
    label, at = scene.label, (old.pointer, new.pointer)
    kept = old.key in {one.key for one in journal.new.read.operations}
    if old.key and new.key and not kept:
        journal.note(
            "operation-id-changed", label, f"operation {old.key!r} is called {new.key!r} now", at=at, way=scene.way,
        )  # fmt: skip
    compare_security(journal, label, (f"{at[0]}/security", f"{at[1]}/security"), old.security, new.security)
    bound = Bound("operation", label, at, scene.way, scene.address)
    compare_bindings(journal, bound, old.bindings, new.bindings)
    ends = Holder(old.declared, old.pointer), Holder(new.declared, new.pointer)
    rest(journal, label, *ends, _OPERATION | policies(journal, label, scene.way, *ends))


def _replies(
    journal: EventJournal, whole: Whole, scene: Scene, pairs: Iterable[Pair], answered: set[tuple[str, str]]
) -> None:
    """Judge the replies to each message, once for two operations.

    A reply is not gone where another operation with the same message still has one: `answered` holds operation
    and message, for an operation that answers one of its messages may have lost another.
    """
    judged: set[tuple[str, str, bool]] = set()
    for ends in pairs:
        old, new = (end.operation for end in ends)
        if old is None or new is None:
            continue
        lost = old.reply is None or new.reply is None
        excused = any(
            (operation.pointer, end.message.pointer) in answered
            for operation, end in zip((old, new), ends, strict=True)
        )
        if (lost and excused) or (old.pointer, new.pointer, lost) in judged:
            continue
        judged.add((old.pointer, new.pointer, lost))
        others = any(operation in {old.pointer, new.pointer} for operation, _ in answered)
        who = ends[0].label if others else "it"
        if old.reply is not None and new.reply is not None:
            _reply(journal, whole, scene, old.reply, new.reply)
        elif old.reply is not None:
            what, place = f"{who} has no reply any more", old.reply.pointer
            journal.note("reply-removed", scene.label, what, at=(place, None), way=scene.way)
        elif new.reply is not None:
            rule = "reply-added" if scene.way == "receive" else "reply-expected"
            what, place = f"{who} has a reply now", new.reply.pointer
            journal.note(rule, scene.label, what, at=(None, place), way=scene.way)


def _reply(journal: EventJournal, whole: Whole, scene: Scene, old: Reply, new: Reply) -> None:
    """Judge a reply: it travels the other way, on a channel of its own or to an address that the request names."""
    at = (old.pointer, new.pointer)
    places = [(shape_of(one.channel), one.address) for one in (old, new)]
    label = f"{scene.label}: the reply"
    if places[0] != places[1]:
        journal.note(
            "reply-address-changed", label, "it goes elsewhere", at=at, way=scene.way,
            before=list(places[0]), after=list(places[1]),
        )  # fmt: skip
    ends = Holder(_declared(journal.old, old), old.pointer), Holder(_declared(journal.new, new), new.pointer)
    rest(journal, label, *ends, _REPLY)
    bound = Bound("channel", label, (old.channel.pointer, new.channel.pointer), None, new.channel.address)
    compare_bindings(journal, bound, old.channel.bindings, new.channel.bindings)
    inner = Scene(label, OPPOSITE[scene.way], sampled(whole, journal.new, new.channel))
    before = units(old.messages, None, old.pointer, journal.old)
    after = units(new.messages, None, new.pointer, journal.new)
    compare_pairs(journal, whole, inner, Messages(journal, whole, inner, before, after).compare())


def _declared(api: EventApi, reply: Reply) -> Mapping[str, Any]:
    found = lookup(api.root, f"#{reply.pointer}")
    return found if isinstance(found, dict) else {}


def _below(api: EventApi, message: Message, key: str) -> Holder:
    """Give an object of a message, references followed; what stands there has been read before."""
    pointer = f"{message.pointer}/{key}"
    found, place = follow(api.root, message.declared.get(key), pointer)
    return Holder(found if isinstance(found, dict) else {}, place)


def shape_of(channel: Channel) -> str | None:
    """Give a channel's address with nothing but places where its parameters stand."""
    return None if channel.address is None else PLACEHOLDER.sub("{}", channel.address)


def policies(
    journal: EventJournal, label: str, way: Action | None, old: Holder, new: Holder
) -> frozenset[str]:
    """Judge deprecation and our own extensions; gives the names of those that a rule knew."""
    known: set[str] = set()
    before, after = (end.value.get("deprecated") is True for end in (old, new))
    if before is not after:
        rule = "deprecated" if after else "no-longer-deprecated"
        journal.note(rule, label, f"deprecated is now {after}", at=(old.pointer, new.pointer), way=way)
    for key in (IDEMPOTENCY, _LIMIT):
        ends = old.value.get(key), new.value.get(key)
        named = _rule(key, ends, way) if ends[0] != ends[1] else None
        if named is not None:
            known.add(key)
            at = tuple(end.pointer + (token(key) if key in end.value else "") for end in (old, new))
            journal.note(
                named, label, f"`{key}` says something else", at=(at[0], at[1]), way=way,
                before=ends[0], after=ends[1],
            )  # fmt: skip
    return frozenset(known)


def _rule(key: str, ends: tuple[Any, Any], way: Action | None) -> str | None:
    if key == IDEMPOTENCY:
        return rule_of_idempotency(*ends)
    before, after = ends
    if way != "receive" or not all(end is None or isinstance(end, int) for end in ends):
        return None
    return "limit-lowered" if after is not None and (before is None or after < before) else "limit-raised"
