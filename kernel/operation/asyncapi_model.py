"""What an AsyncAPI 2.x or 3.x document says, in one form: traits applied, references followed.

`asyncapi_view.read_asyncapi` gives the same values for the same interface, whichever version of the
specification it was written in, so that lint, the differ and whoever else asks read a document in one way.
Everything is told from the application's side (3.0 §Operation Object): `receive` is what it takes, `send` what
it gives. 2.x says what *others* may do: its `publish` is the application's `receive` (2.6 §Channel Item Object).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kernel.schema.dialects import Dialect

Action = Literal["send", "receive"]
OPPOSITE: Mapping[str, Action] = {"send": "receive", "receive": "send"}


@dataclass(frozen=True, slots=True)
class MessageSchema:
    """A schema of a payload or of headers, without the wrapper that may stand around it.

    Local references inside it mean the document (`AsyncApi.root`). `pointer` says where it stands; where
    traits changed it (`merged`) the schema is none that stands anywhere. `format` is `schemaFormat` as
    written; `dialect` is None where that names no JSON Schema, which nothing here can judge by.
    """

    schema: Any
    pointer: str
    format: str | None
    dialect: Dialect | None
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its traits applied; `declared` is the merged object, for what has no field here.

    `key` is its name in the channel (3.x), or its `messageId`, else that of its component (2.x), else "".
    """

    key: str
    pointer: str
    name: str | None
    payload: MessageSchema | None
    headers: MessageSchema | None
    content_type: str | None
    correlation_id: str | None
    bindings: Mapping[str, Any]
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A placeholder of an address: always text, held to `schema`; `location` is a runtime expression."""

    name: str
    pointer: str
    schema: Any
    location: str | None
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SchemeUse:
    """A security scheme that is asked for; `name` is that of its component, None for one written in place."""

    name: str | None
    pointer: str
    scheme: Mapping[str, Any]
    scopes: tuple[str, ...]


Security = tuple[tuple[SchemeUse, ...], ...]  # alternatives, each of schemes that are all needed; () for none


@dataclass(frozen=True, slots=True)
class Server:
    """Where channels are; the `url` of 2.x is given as its host and pathname ("" where there is none)."""

    name: str
    pointer: str
    host: str
    pathname: str
    protocol: str
    variables: Mapping[str, Mapping[str, Any]]
    security: Security
    bindings: Mapping[str, Any]
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of the application; `address` is None where it is not known before run time.

    `servers` names those that it is on: all of the root's where the document lists none (`everywhere`).
    """

    key: str
    pointer: str
    address: str | None
    parameters: Mapping[str, Parameter]
    servers: tuple[str, ...]
    everywhere: bool
    messages: Mapping[str, Message]  # by pointer
    bindings: Mapping[str, Any]
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers an operation, the opposite way: on which channel, or at which address (an expression)."""

    pointer: str
    channel: Channel
    address: str | None
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """What the application does on a channel; `key` is its name (3.x) or `operationId` (2.x, "" for none)."""

    key: str
    pointer: str
    action: Action
    channel: Channel
    messages: tuple[Message, ...]
    reply: Reply | None
    security: Security
    bindings: Mapping[str, Any]
    declared: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flow:
    """One message on one channel in one way; `operation` is None where none of the document says who does it."""

    way: Action
    channel: Channel
    message: Message
    operation: Operation | None
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class AsyncApi:
    """The whole document; mappings keep its order."""

    version: str
    root: Mapping[str, Any] = field(repr=False)
    default_content_type: str | None
    servers: Mapping[str, Server]
    channels: Mapping[str, Channel]
    operations: tuple[Operation, ...]

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Every message by channel and way, replies too; on a channel without operations each may go both ways."""
        return tuple(self._flows())

    def _flows(self) -> Iterator[Flow]:
        used: set[str] = set()
        for one in self.operations:
            used.add(one.channel.key)
            for message in one.messages:
                yield Flow(one.action, one.channel, message, one)
            if one.reply is not None:
                used.add(one.reply.channel.key)
                for message in one.reply.messages:
                    yield Flow(OPPOSITE[one.action], one.reply.channel, message, one, is_reply=True)
        for channel in self.channels.values():
            if channel.key not in used:
                for message in channel.messages.values():
                    yield Flow("receive", channel, message, None)
                    yield Flow("send", channel, message, None)
