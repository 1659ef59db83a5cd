"""Reads what AsyncAPI 2.x and 3.x documents say of their channels, each in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from kernel.contract.positions import token
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


class ChannelReader:
    """Reads what both generations of the format say in their own words."""

    def __init__(self, root: dict[str, Any], *, modern: bool, limits: OperationLimits) -> None:
        self._root = root
        self._modern = modern
        self._limits = limits
        self._default = str(root.get("defaultContentType", _JSON))
        self.schemes: dict[str, Any] = {}
        declared = mapping(mapping(root.get("components"), "/components").get("securitySchemes"), "")
        for key, spec in declared.items():
            self._scheme(key, follow(root, spec, "")[0])

    def channels(self, note: Note | None = None) -> Iterator[tuple[Channel, str, dict[str, Any]]]:
        """Give each channel that HTTP can carry, its path, and the operation that it is."""
        for key, declared in mapping(self._root.get("channels"), "/channels").items():
            if key.startswith("x-"):
                continue
            with noted(note):
                spec, pointer = follow(self._root, declared, f"/channels{token(key)}")
                spec = mapping(spec, pointer)
                address = spec.get("address") if self._modern else key
                sockets, events, security = self._offered(spec, pointer)
                if not isinstance(address, str) or not (sockets or events):
                    continue
                inbound, outbound = self._messages(spec, pointer)
                channel = Channel(
                    key, sockets, events, tuple(inbound), tuple(outbound), self._root, self._limits
                )
                operation = self._operation(channel, spec, pointer, security)
                yield channel, "/" + address.lstrip("/"), operation

    def _offered(self, spec: dict[str, Any], pointer: str) -> tuple[bool, bool, list[Any]]:
        """Say whether servers of the channel speak WebSocket or HTTP, and what they ask for."""
        servers = mapping(self._root.get("servers"), "/servers")
        named = listing(spec.get("servers"), f"{pointer}/servers")
        chosen = []
        for key, declared in servers.items():
            listed = any(
                one == key or (isinstance(one, dict) and str(one.get("$ref")) == f"#/servers{token(key)}")
                for one in named
            )
            if listed or not named:
                chosen.append(mapping(follow(self._root, declared, "")[0], f"/servers{token(key)}"))
        protocols = {str(server.get("protocol", "")).lower() for server in chosen}
        bindings = mapping(follow(self._root, spec.get("bindings"), "")[0], f"{pointer}/bindings")
        sockets = bool(protocols & _SOCKETS) or ("ws" in bindings and not protocols)
        events = bool(protocols & _EVENTS)
        asked = [
            self._requirement(one)
            for server in chosen
            if str(server.get("protocol", "")).lower() in _SOCKETS | _EVENTS
            for one in listing(server.get("security"), "/servers")
        ]
        return sockets, events, asked

    def _requirement(self, declared: Any) -> dict[str, list[str]]:
        """Read one alternative: a scheme (3.x), or names with scopes (2.x)."""
        if not self._modern:
            return {
                str(key): list(map(str, listing(scopes, ""))) for key, scopes in mapping(declared, "").items()
            }
        reference = declared.get("$ref") if isinstance(declared, dict) else None
        scheme = mapping(follow(self._root, declared, "")[0], "/security")
        key = str(reference).rpartition("/")[2] if reference else f"inline-{len(self.schemes)}"
        if key not in self.schemes:
            self._scheme(key, scheme)
        return {key: list(map(str, listing(scheme.get("scopes"), "")))}

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

    def _messages(self, spec: dict[str, Any], pointer: str) -> tuple[list[Payload], list[Payload]]:
        """Give what the consumer may send, and what the provider may."""
        if not self._modern:
            # The document describes the provider; 2.x says what *others* may do with it.
            return (
                list(self._old_messages(spec.get("publish"), f"{pointer}/publish")),
                list(self._old_messages(spec.get("subscribe"), f"{pointer}/subscribe")),
            )
        every = {
            f"{pointer}/messages{token(key)}": one
            for key, one in mapping(spec.get("messages"), f"{pointer}/messages").items()
        }
        ways: dict[str, dict[str, Payload]] = {"receive": {}, "send": {}}
        operations = mapping(self._root.get("operations"), "/operations")
        used = False
        for key, declared in operations.items():
            operation, place = follow(self._root, declared, f"/operations{token(key)}")
            operation = mapping(operation, place)
            action = str(operation.get("action"))
            reply = mapping(follow(self._root, operation.get("reply"), "")[0], f"{place}/reply")
            back = reply.get("channel") or operation.get("channel") if reply else None
            other = "receive" if action == "send" else "send"
            for way, target, listed in (
                (action, operation.get("channel"), operation.get("messages")),
                (other, back, reply.get("messages")),
            ):
                if way in ways and follow(self._root, target, "")[1] == pointer and target is not None:
                    used = True
                    ways[way] |= dict(self._chosen(listed, every, place))
        if not used:  # no operation says who sends what: either may
            both = [payload for _, payload in self._chosen(None, every, pointer)]
            return both, list(both)
        return list(ways["receive"].values()), list(ways["send"].values())

    def _chosen(self, listed: Any, every: dict[str, Any], place: str) -> Iterator[tuple[str, Payload]]:
        chosen = every.items() if listed is None else [("", one) for one in listing(listed, place)]
        for at, declared in chosen:
            message, pointer = follow(self._root, declared, at)
            yield pointer, self._payload(mapping(message, pointer), pointer)

    def _old_messages(self, declared: Any, pointer: str) -> Iterator[Payload]:
        operation, pointer = follow(self._root, declared, pointer)
        message, place = follow(self._root, mapping(operation, pointer).get("message"), f"{pointer}/message")
        if not isinstance(message, dict):
            return
        several = message.get("oneOf")
        for index, one in enumerate(several if isinstance(several, list) else [message]):
            at = f"{place}/oneOf/{index}" if isinstance(several, list) else place
            found, at = follow(self._root, one, at)
            yield self._payload(mapping(found, at), at)

    def _payload(self, message: dict[str, Any], pointer: str) -> Payload:
        schema, place = message.get("payload", True), f"{pointer}/payload"
        form = message.get("schemaFormat")
        if self._modern and isinstance(schema, dict) and "schemaFormat" in schema and "schema" in schema:
            form, schema, place = schema["schemaFormat"], schema["schema"], f"{place}/schema"
        dialect = of_format(str(form), place) if form is not None else Dialect.DRAFT_07
        return Payload(schema, place, dialect, str(message.get("contentType", self._default)))

    def _operation(
        self, channel: Channel, spec: dict[str, Any], pointer: str, security: list[Any]
    ) -> dict[str, Any]:
        """Write the GET that opens the channel."""
        parameters: list[dict[str, Any]] = []
        for key, declared in mapping(spec.get("parameters"), f"{pointer}/parameters").items():
            given = mapping(follow(self._root, declared, "")[0], f"{pointer}/parameters{token(key)}")
            schema = given.get("schema", {"type": "string"})
            if isinstance(given.get("enum"), list):
                schema = {"type": "string", "enum": given["enum"]}
            parameters.append({"name": key, "in": "path", "required": True, "schema": schema})
        bindings = mapping(follow(self._root, spec.get("bindings"), "")[0], f"{pointer}/bindings")
        socket = mapping(follow(self._root, bindings.get("ws"), "")[0], f"{pointer}/bindings/ws")
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


def _referred(payload: Payload) -> Any:
    """Refer to the payload where it stands; one in a dialect of its own is repeated with its name."""
    if not isinstance(payload.schema, dict):
        return payload.schema
    if payload.dialect in _NAMED and "$ref" not in payload.schema:
        return {"$schema": _NAMED[payload.dialect], **payload.schema}
    return {"$ref": "#" + quote(payload.pointer, safe="/~{}+:@")}
