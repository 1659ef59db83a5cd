"""Reads AsyncAPI 2.x and 3.x documents, each in its own words, into one form (asyncapi_model.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kernel.contract.positions import token
from kernel.operation.asyncapi_messages import MessageReader, bindings_of, object_at, text_in, unescaped
from kernel.operation.asyncapi_model import (
    Action,
    AsyncApi,
    Channel,
    Message,
    Operation,
    Parameter,
    Reply,
    SchemeUse,
    Security,
    Server,
)
from kernel.operation.members import listing, mapping, refused
from kernel.operation.shapes import follow
from kernel.operation.traits import Merged, with_traits

_OLD_ACTIONS: Final[Mapping[str, Action]] = {"publish": "receive", "subscribe": "send"}


def read_asyncapi(root: Any) -> AsyncApi:
    """Read a self-contained document (files inlined, URNs embedded); it is not changed.

    Raises `ContractInvalid` with a JSON pointer for what cannot be read; whether the document is a valid
    one is said by lint (registry/lint), which asks much more.
    """
    return _Reader(root).read()


class _Reader:
    """Reads one document; what several objects refer to is read once."""

    def __init__(self, root: Any) -> None:
        version = root.get("asyncapi") if isinstance(root, dict) else None
        if not isinstance(version, str) or not version.startswith(("2.", "3.")):
            raise refused("this is no AsyncAPI 2 or 3 document", "/asyncapi")
        self._root = root
        self._version = version
        self._modern = version.startswith("3.")
        default = root.get("defaultContentType")
        self._default = default if isinstance(default, str) else None
        self._messages = MessageReader(root, self._default, modern=self._modern)

    def read(self) -> AsyncApi:
        """Give the whole document."""
        servers = {
            name: self._server(name, spec, place) for name, spec, place in self._named("servers", "/servers")
        }
        if self._modern:
            channels = {
                key: self._channel(key, spec, place, servers)
                for key, spec, place in self._named("channels", "/channels")
            }
            operations = tuple(self._operations(channels))
        else:
            pairs = [
                self._old_channel(key, spec, place, servers)
                for key, spec, place in self._named("channels", "/channels")
            ]
            channels = {channel.key: channel for channel, _ in pairs}
            operations = tuple(operation for _, listed in pairs for operation in listed)
        return AsyncApi(self._version, self._root, self._default, servers, channels, operations)

    def _named(self, key: str, pointer: str) -> Iterator[tuple[str, dict[str, Any], str]]:
        for name, declared in mapping(self._root.get(key), pointer).items():
            yield name, *object_at(self._root, declared, pointer + token(name))

    def _server(self, name: str, spec: dict[str, Any], pointer: str) -> Server:
        if self._modern:
            host, pathname = _text(spec, "host", pointer), str(spec.get("pathname", ""))
        else:
            rest = _text(spec, "url", pointer).rpartition("://")[2]
            host, slash, path = rest.partition("/")
            pathname = slash + path
        variables = {
            key: object_at(self._root, one, f"{pointer}/variables{token(key)}")[0]
            for key, one in mapping(spec.get("variables"), f"{pointer}/variables").items()
        }
        return Server(
            name, pointer, host, pathname, _text(spec, "protocol", pointer), variables,
            self._security(spec, {}, pointer), bindings_of(self._root, spec, pointer), spec,
        )  # fmt: skip

    def _security(self, spec: Mapping[str, Any], origins: Mapping[str, str], pointer: str) -> Security:
        """Read the alternatives: schemes (3.x), or maps of names to scopes (2.x)."""
        place = origins.get("security", f"{pointer}/security")
        found: list[tuple[SchemeUse, ...]] = []
        for index, declared in enumerate(listing(spec.get("security"), place)):
            at = f"{place}/{index}"
            if self._modern:
                scheme, home = object_at(self._root, declared, at)
                component = home.removeprefix("/components/securitySchemes/")
                name = unescaped(component) if component != home else None
                found.append((SchemeUse(name, at, scheme, _texts(scheme.get("scopes"), home)),))
            else:
                found.append(tuple(self._old_uses(mapping(declared, at), at)))
        return tuple(found)

    def _old_uses(self, declared: dict[str, Any], pointer: str) -> Iterator[SchemeUse]:
        known = mapping(self._root.get("components"), "/components").get("securitySchemes")
        schemes = mapping(known, "/components/securitySchemes")
        for name, scopes in declared.items():
            if name not in schemes:
                raise refused("no security scheme has this name", pointer + token(name))
            scheme, _ = object_at(self._root, schemes[name], f"/components/securitySchemes{token(name)}")
            yield SchemeUse(name, pointer + token(name), scheme, _texts(scopes, pointer + token(name)))

    def _parameters(self, spec: dict[str, Any], pointer: str) -> dict[str, Parameter]:
        found = {}
        for name, declared in mapping(spec.get("parameters"), f"{pointer}/parameters").items():
            given, place = object_at(self._root, declared, f"{pointer}/parameters{token(name)}")
            schema: Any = given.get("schema", {"type": "string"})
            if self._modern:
                schema = {"type": "string"}
                if isinstance(given.get("enum"), list):
                    schema["enum"] = given["enum"]
            found[name] = Parameter(name, place, schema, text_in(given, "location"), given)
        return found

    def _where(
        self, spec: dict[str, Any], pointer: str, servers: Mapping[str, Server]
    ) -> tuple[tuple[str, ...], bool]:
        """Name the servers that a channel is on, and say whether that is all because none is listed."""
        listed = listing(spec.get("servers"), f"{pointer}/servers")
        names = []
        for index, one in enumerate(listed):
            at = f"{pointer}/servers/{index}"
            name = one
            if self._modern:
                name = _member(one, "/servers", at)
            if not isinstance(name, str) or name not in servers:
                raise refused("the root has no such server", at)
            names.append(name)
        return (tuple(names), False) if listed else (tuple(servers), True)

    def _channel(
        self, key: str, spec: dict[str, Any], pointer: str, servers: Mapping[str, Server]
    ) -> Channel:
        address = spec.get("address")
        messages = {}
        for name, declared in mapping(spec.get("messages"), f"{pointer}/messages").items():
            at = f"{pointer}/messages{token(name)}"
            messages[at] = self._messages.message(name, declared, at)
        names, everywhere = self._where(spec, pointer, servers)
        return Channel(
            key, pointer, address if isinstance(address, str) else None, self._parameters(spec, pointer),
            names, everywhere, messages, bindings_of(self._root, spec, pointer), spec,
        )  # fmt: skip

    def _operations(self, channels: Mapping[str, Channel]) -> Iterator[Operation]:
        for key, spec, pointer in self._named("operations", "/operations"):
            merged = with_traits(self._root, spec, pointer, own_wins=True)
            value = merged.value
            action = value.get("action")
            if action not in ("send", "receive"):
                raise refused("the action must be send or receive", f"{pointer}/action")
            channel = _channel_of(value.get("channel"), channels, f"{pointer}/channel")
            messages = self._chosen(value.get("messages"), channel, f"{pointer}/messages")
            reply = self._reply(value.get("reply"), merged, pointer, channel, channels)
            yield Operation(
                key, pointer, action, channel, messages, reply,
                self._security(value, merged.origins, pointer), bindings_of(self._root, value, pointer), value,
            )  # fmt: skip

    def _reply(
        self, declared: Any, merged: Merged, pointer: str, home: Channel, channels: Mapping[str, Channel]
    ) -> Reply | None:
        """Read a reply; without a channel of its own it comes on the operation's."""
        if declared is None:
            return None
        spec, place = object_at(self._root, declared, merged.origins.get("reply", f"{pointer}/reply"))
        channel = home
        if "channel" in spec:
            channel = _channel_of(spec["channel"], channels, f"{place}/channel")
        address, _ = object_at(self._root, spec.get("address"), f"{place}/address")
        messages = self._chosen(spec.get("messages"), channel, f"{place}/messages")
        return Reply(place, channel, text_in(address, "location"), messages)

    def _chosen(self, listed: Any, channel: Channel, pointer: str) -> tuple[Message, ...]:
        """Give the messages of a channel that are listed; all of them where there is no list."""
        if listed is None:
            return tuple(channel.messages.values())
        chosen = []
        for index, one in enumerate(listing(listed, pointer)):
            at = f"{pointer}/{index}"
            name = _member(one, f"/channels{token(channel.key)}/messages", at, f"{channel.pointer}/messages")
            found = channel.messages.get(f"{channel.pointer}/messages{token(name)}")
            if found is None:
                raise refused("the channel has no such message", at)
            chosen.append(found)
        return tuple(chosen)

    def _old_channel(
        self, key: str, spec: dict[str, Any], pointer: str, servers: Mapping[str, Server]
    ) -> tuple[Channel, list[Operation]]:
        read = []
        messages: dict[str, Message] = {}
        for word, action in _OLD_ACTIONS.items():
            if word in spec:
                found, place = object_at(self._root, spec[word], f"{pointer}/{word}")
                merged = with_traits(self._root, found, place, own_wins=False)
                own = tuple(self._old_messages(merged.value.get("message"), f"{place}/message"))
                messages |= {one.pointer: one for one in own}
                read.append((action, place, merged, own))
        names, everywhere = self._where(spec, pointer, servers)
        channel = Channel(
            key, pointer, key, self._parameters(spec, pointer), names, everywhere, messages,
            bindings_of(self._root, spec, pointer), spec,
        )  # fmt: skip
        return channel, [
            Operation(
                text_in(merged.value, "operationId") or "", place, action, channel, own, None,
                self._security(merged.value, merged.origins, place), bindings_of(self._root, merged.value, place),
                merged.value,
            )
            for action, place, merged, own in read
        ]  # fmt: skip

    def _old_messages(self, declared: Any, pointer: str) -> Iterator[Message]:
        """Give the messages of an operation of 2.x: one, or those of its `oneOf`."""
        if declared is None:
            return
        spec, place = object_at(self._root, declared, pointer)
        several = spec.get("oneOf")
        if not isinstance(several, list):
            yield self._messages.message("", declared, pointer)
            return
        for index, one in enumerate(several):
            yield self._messages.message("", one, f"{place}/oneOf/{index}")


def _text(spec: Mapping[str, Any], key: str, pointer: str) -> str:
    value = spec.get(key)
    if not isinstance(value, str):
        raise refused(f"`{key}` is missing or no text", pointer)
    return value


def _texts(value: Any, pointer: str) -> tuple[str, ...]:
    return tuple(str(one) for one in listing(value, pointer))


def _member(declared: Any, *sections: str) -> str:
    """Give the name that a reference means in one of the sections; raises at the second of them."""
    section, at, *others = sections
    ref = declared.get("$ref") if isinstance(declared, dict) else None
    pointer = follow({}, declared, "")[1] if isinstance(ref, str) and ref.startswith("#/") else ""
    for one in (section, *others):
        head, slash, name = pointer.rpartition("/")
        if slash and head == one:
            return unescaped(name)
    raise refused(f"this must refer to a member of #{section[:120]}", at)


def _channel_of(declared: Any, channels: Mapping[str, Channel], pointer: str) -> Channel:
    name = _member(declared, "/channels", pointer)
    if name not in channels:
        raise refused("the root has no such channel", pointer)
    return channels[name]
