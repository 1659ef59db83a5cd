"""Reads which channels of an AsyncAPI document HTTP can carry, and writes each as the GET that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from kernel.contract.positions import token
from kernel.operation.asyncapi_model import Action, Flow, Message, MessageSchema, SchemeUse
from kernel.operation.asyncapi_model import Channel as Declared
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.operation.channels import Channel, Payload
from kernel.operation.faults import noted
from kernel.operation.media_types import parse_media_type
from kernel.operation.members import listing, mapping, refused
from kernel.operation.shapes import follow
from kernel.schema.dialects import Dialect, of_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.operation.faults import Note
    from kernel.operation.limits import OperationLimits

_SOCKETS: Final = frozenset({"ws", "wss"})
_EVENTS: Final = frozenset({"http", "https", "sse"})
_NAMED: Final = {Dialect.DRAFT_2020_12: "https://json-schema.org/draft/2020-12/schema"}
_JSON: Final = "application/json"
_MOST_WAYS: Final = 64  # alternatives of security for one channel


class ChannelReader:
    """Reads the channels that HTTP can carry, from the one view of both generations of the format."""

    def __init__(self, root: dict[str, Any], *, limits: OperationLimits) -> None:
        self._root = root
        self._limits = limits
        self._api = read_asyncapi(root)
        self.schemes: dict[str, Any] = {}
        declared = mapping(mapping(root.get("components"), "/components").get("securitySchemes"), "")
        for key, spec in declared.items():
            self._scheme(key, follow(root, spec, "")[0])

    def channels(self, note: Note | None = None) -> Iterator[tuple[Channel, str, dict[str, Any]]]:
        """Give each channel that HTTP can carry, its path, and the operation that it is."""
        flows: dict[str, list[Flow]] = {}
        for flow in self._api.flows:
            flows.setdefault(flow.channel.key, []).append(flow)
        for key, told in self._api.channels.items():
            if key.startswith("x-") or told.address is None:
                continue
            with noted(note):
                sockets, events, security = self._offered(told)
                if not (sockets or events):
                    continue
                mine = flows.get(key, [])
                security = self._also_by_operations(security, mine, told.pointer)
                ways = _payloads(mine, "receive"), _payloads(mine, "send")
                channel = Channel(key, sockets, events, *ways, self._root, self._limits)
                operation = self._operation(channel, told, security)
                yield channel, "/" + told.address.lstrip("/"), operation

    def _offered(self, told: Declared) -> tuple[bool, bool, list[Any]]:
        """Say whether servers of the channel speak WebSocket or HTTP, and what they ask for."""
        servers = [self._api.servers[name] for name in told.servers]
        protocols = {server.protocol.lower() for server in servers}
        sockets = bool(protocols & _SOCKETS) or ("ws" in told.bindings and not protocols)
        asked = [
            {self._name(use): list(use.scopes) for use in uses}
            for server in servers
            if server.protocol.lower() in _SOCKETS | _EVENTS
            for uses in server.security
        ]
        return sockets, bool(protocols & _EVENTS), asked

    def _also_by_operations(self, asked: list[Any], flows: list[Flow], pointer: str) -> list[Any]:
        """Add what the operations ask for: both must be met ("Operation Object", `security`).

        One connection carries all operations of its channel, so that it meets the demands of each.
        """
        operations = {flow.operation.pointer: flow.operation for flow in flows if flow.operation is not None}
        for operation in operations.values():
            own = [{self._name(use): list(use.scopes) for use in uses} for uses in operation.security]
            if own:
                asked = [_together(one, other) for one in asked or [{}] for other in own]
            if len(asked) > _MOST_WAYS:
                raise refused(f"more than {_MOST_WAYS} ways to be admitted to one channel", pointer)
        return asked

    def _name(self, use: SchemeUse) -> str:
        """Name a scheme; one that is written in place gets a name of ours."""
        if use.name is not None:
            return use.name
        name = f"inline-{len(self.schemes)}"
        self._scheme(name, dict(use.scheme))
        return name

    def _scheme(self, key: str, spec: Any) -> None:
        """Write a security scheme in OpenAPI's words; what has none there keeps its type, and is denied."""
        if not isinstance(spec, dict):
            return
        kind = spec.get("type")
        if kind == "httpApiKey":
            self.schemes[key] = {"type": "apiKey", "in": spec.get("in"), "name": spec.get("name")}
        elif kind == "apiKey":
            self.schemes[key] = {"type": "brokerApiKey"}
        else:
            self.schemes[key] = {name: spec[name] for name in ("type", "scheme") if name in spec}

    def _operation(self, channel: Channel, told: Declared, security: list[Any]) -> dict[str, Any]:
        """Write the GET that opens the channel."""
        spec, pointer = told.declared, told.pointer
        parameters: list[dict[str, Any]] = [
            {"name": one.name, "in": "path", "required": True, "schema": one.schema}
            for one in told.parameters.values()
        ]
        socket = mapping(follow(self._root, told.bindings.get("ws"), "")[0], f"{pointer}/bindings/ws")
        for place, word in (("query", "query"), ("header", "headers")):
            schema = mapping(follow(self._root, socket.get(word), "")[0], f"{pointer}/bindings/ws/{word}")
            needed = listing(schema.get("required"), pointer)
            for key, one in mapping(schema.get("properties"), pointer).items():
                parameters.append({"name": key, "in": place, "required": key in needed, "schema": one})
        operation: dict[str, Any] = {
            "operationId": channel.id,
            "parameters": parameters,
            "responses": {
                "101": {"description": "the channel is open"},
                "200": {"description": "its events", "content": self._events(channel)},
                "default": {"description": "it is not"},
            },
        }
        if security:
            operation["security"] = security
        for key in ("x-interlock-unknown-query", "x-interlock-weight"):
            if key in spec:
                operation[key] = spec[key]
        return operation

    def _events(self, channel: Channel) -> dict[str, Any]:
        """Write what a stream of events of this channel holds: each event's data is one message."""
        if not channel.events:
            return {}
        data: list[dict[str, Any]] = []
        for payload in channel.outbound:
            plain = _referred(payload)
            media = parse_media_type(payload.content_type.encode("latin-1", "replace"))
            if media is None or media.kind not in {"json", "text"}:
                raise refused("events carry JSON or text; this message has neither", payload.pointer)
            if media.kind == "text":
                data.append({"allOf": [{"type": "string"}, plain]})
            else:
                data.append({"contentMediaType": _JSON, "contentSchema": plain})
        texts = [one for one in data if "allOf" in one]
        if texts and len(texts) < len(data):
            raise refused(
                "events of one channel carry JSON or text, not both", f"/channels{token(channel.id)}"
            )
        if texts:
            rule: dict[str, Any] = {"anyOf": texts}
        elif len(data) == 1:
            rule = data[0]
        else:
            rule = {
                "contentMediaType": _JSON,
                "contentSchema": {"anyOf": [one["contentSchema"] for one in data]},
            }
        if not data:
            rule = {"not": {}}
        item = {"type": "object", "required": ["data"], "properties": {"data": rule}}
        return {"text/event-stream": {"itemSchema": item}}


def _together(one: dict[str, list[str]], other: dict[str, list[str]]) -> dict[str, list[str]]:
    """Give the alternative that asks for everything that two do."""
    names = dict.fromkeys((*one, *other))
    return {name: list(dict.fromkeys((*one.get(name, ()), *other.get(name, ())))) for name in names}


def _payloads(flows: list[Flow], way: Action) -> tuple[Payload, ...]:
    """Give the messages of one way, each once; raises `SchemaRefused` for a format that is no JSON Schema."""
    messages = {flow.message.pointer: flow.message for flow in flows if flow.way == way}
    return tuple(map(_payload, messages.values()))


def _payload(message: Message) -> Payload:
    told = message.payload or MessageSchema(True, f"{message.pointer}/payload", None, Dialect.DRAFT_07)
    dialect = told.dialect or of_format(str(told.format), told.pointer)
    return Payload(told.schema, told.pointer, dialect, message.content_type or _JSON)


def _referred(payload: Payload) -> Any:
    """Refer to the payload where it stands; one in a dialect of its own is repeated with its name."""
    if not isinstance(payload.schema, dict):
        return payload.schema
    if payload.dialect in _NAMED and "$ref" not in payload.schema:
        return {"$schema": _NAMED[payload.dialect], **payload.schema}
    return {"$ref": "#" + quote(payload.pointer, safe="/~{}+:@")}
