"""Whole messages: what travels at an address with its headers and payload, and which declared messages take it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.exchange import MessageExchange
from kernel.errors import InterlockError
from kernel.operation.asyncapi_model import Action, Message, Operation
from kernel.operation.channels import Channel, Payload
from kernel.operation.limits import DEFAULT
from kernel.operation.media_types import parse_media_type
from registry.compat.asyncapi_sides import EventApi, Part
from registry.compat.candidates import Candidates
from registry.compat.containment import Comparer
from registry.compat.schema_view import Node, Unreadable

PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
JSON: Final = "application/json"  # what a message is where nobody says, for our runtime too
MOST_SAMPLES = 200
MOST_HEADERS = 12
MOST_WHOLES = 600  # whole messages that are tried in one search


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One message of one operation; `operation` is None where the document says of nobody that he sends it.

    `unsaid` stands for an operation of which no messages are told: what it carries is not known.
    """

    message: Message
    operation: Operation | None
    unsaid: bool = False

    @property
    def names(self) -> frozenset[str]:
        """What the message is called: its key in the channel or `messageId`, and its `name`."""
        return frozenset(name for name in (self.message.key, self.message.name) if name)

    @property
    def label(self) -> str:
        """The message's name for a reader."""
        return f"message {self.message.name or self.message.key!r}" if self.names else "the message"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where messages are compared: a way at an address; `address` has its parameters filled in."""

    label: str
    way: Action
    address: str | None

    def exchange(self, message: Message, headers: Any, payload: tuple[Any, ...]) -> MessageExchange:
        """Write a whole message; `payload` is () for one that cannot be written as JSON."""
        made: MessageExchange = {"kind": "message", "action": self.way}
        if self.address is not None:
            made["address"] = self.address
        if headers:
            made["headers"] = headers
        made["content_type"] = message.content_type or JSON
        if payload:
            made["payload"] = payload[0]
        return made


def media_of(message: Message) -> str:
    """Give the content type in one spelling; a charset of UTF-8 says nothing new."""
    kind, *parameters = (message.content_type or JSON).lower().split(";")
    kept = sorted(one.strip().replace('"', "") for one in parameters)
    return ";".join([kind.strip(), *(one for one in kept if one not in {"", "charset=utf-8"})])


class Whole:
    """Writes and judges whole messages, with what the runtime compiles of them."""

    def __init__(self, comparer: Comparer) -> None:
        self.comparer = comparer
        self._channels: dict[tuple[str, str, str], Channel | None] = {}
        self._samples: dict[tuple[Node, Node], tuple[Any, ...]] = {}

    def takes(self, api: EventApi, message: Message, media: str, headers: Any, payload: Any) -> bool | None:
        """Whether a declared message takes what came; None where its schemas cannot be compiled."""
        if media_of(message) != media:
            return False
        parts: tuple[tuple[Part, Any], ...] = (("payload", payload), ("headers", headers))
        known = [self._takes_part(api, message, part, value) for part, value in parts]
        return False if False in known else None if None in known else True

    def _takes_part(self, api: EventApi, message: Message, part: Part, value: Any) -> bool | None:
        node = api.schema(message, part, writes=False)
        accepts = self.comparer.accepts(node) if node is not None else None
        if accepts is None:
            return None
        channel = self._channel(api, message) if part == "payload" else None
        if channel is None or not accepts(value):
            return accepts(value)
        try:
            return channel.check("inbound", canonical_bytes(value), text=True) == ()
        except InterlockError:
            return None  # it has no form on the wire, or the proxy cannot compile it

    def _channel(self, api: EventApi, message: Message) -> Channel | None:
        """Give the channel of the proxy that carries this message alone, None where it carries no such thing."""
        media, said = media_of(message), message.payload
        key = (api.tag, message.pointer, media)
        if key not in self._channels:
            json = parse_media_type(media.encode("latin-1", "replace"))
            self._channels[key] = None
            if said is not None and said.dialect is not None and json is not None and json.kind == "json":
                payload = Payload(said.schema, said.pointer, said.dialect, media)
                self._channels[key] = Channel("", True, False, (payload,), (), api.root, DEFAULT)
        return self._channels[key]

    def refused(
        self, api: EventApi, others: Sequence[Unit], media: str, headers: Any, payload: Any
    ) -> bool | None:
        """Whether none of the declared messages takes it; None where that cannot be said."""
        answer: bool | None = True
        for one in others:
            taken = self.takes(api, one.message, media, headers, payload)
            if taken:
                return False
            answer = None if taken is None else answer
        return answer

    def takers(
        self, api: EventApi, others: Sequence[Unit], media: str, headers: Any, payload: Any
    ) -> list[Unit]:
        """Give the declared messages that take it, or of which that cannot be said."""
        return [one for one in others if self.takes(api, one.message, media, headers, payload) is not False]

    def samples(self, node: Node, hint: Node | None = None) -> tuple[Any, ...]:
        """Give values of a schema, the plainest first, near to where another differs; () where none is found."""
        key = (node, hint or node)
        if key not in self._samples:
            accepts = self.comparer.accepts(node)
            found: list[Any] = []
            try:
                values = Candidates(declared_only=True).values(*key)
                found = [value for value in islice(values, MOST_SAMPLES) if accepts and accepts(value)]
            except (Unreadable, RecursionError):
                found = []
            self._samples[key] = tuple(found)
        return self._samples[key]

    def plain(self, api: EventApi, message: Message, part: Part) -> tuple[Any, ...]:
        """Give one payload or one set of headers that the message takes, () where none can be written."""
        node = api.schema(message, part, writes=True)
        return self.samples(node)[:1] if node is not None else ()

    def written(self, api: EventApi, scene: Scene, unit: Unit) -> MessageExchange | None:
        """Write the plainest message of a declaration, with as much of it as can be written."""
        if unit.unsaid:
            return None
        message = unit.message
        headers = self.plain(api, message, "headers")
        return scene.exchange(message, headers[0] if headers else None, self.plain(api, message, "payload"))

    def of_one_only(
        self, ends: tuple[EventApi, EventApi], unit: Unit, others: Sequence[Unit]
    ) -> tuple[Any, Any] | bool | None:
        """Give headers and payload that a message takes and all others refuse.

        True: every one of the others is of another content type, so that any will do and none can be
        written; None: nothing of the kind was found.
        """
        media = media_of(unit.message)
        rivals = [one for one in others if media_of(one.message) == media]
        return next(self.of_one(ends, unit, rivals), None if rivals else True)

    def of_one(
        self, ends: tuple[EventApi, EventApi], unit: Unit, rivals: Sequence[Unit]
    ) -> Iterator[tuple[Any, Any]]:
        """Give headers and payloads that a message takes, and none of its rivals of the same content type."""
        here, there = ends
        media = media_of(unit.message)
        for payload, headers in self._wholes(ends, unit, rivals):
            taken = self.takes(here, unit.message, media, headers, payload)
            if taken and self.refused(there, rivals, media, headers, payload):
                yield headers, payload

    def _wholes(
        self, ends: tuple[EventApi, EventApi], unit: Unit, rivals: Sequence[Unit]
    ) -> Iterator[tuple[Any, Any]]:
        """Give payloads with headers to try, the plainest first."""
        here, there = ends
        found: dict[Part, list[Any]] = {"headers": [], "payload": []}
        for part, values in found.items():
            node = here.schema(unit.message, part, writes=True)
            if node is None:
                return
            hints = [there.schema(one.message, part, writes=False) for one in rivals]
            for hint in [None, *hints[:4]]:
                values += [value for value in self.samples(node, hint) if value not in values]
        yield from islice(product(found["payload"], found["headers"][:MOST_HEADERS]), MOST_WHOLES)


def filled(address: str | None, values: Sequence[str]) -> str | None:
    """Write values in the place of an address's parameters."""
    if address is None:
        return None
    left = list(values)
    return PLACEHOLDER.sub(lambda _: left.pop(0), address)
