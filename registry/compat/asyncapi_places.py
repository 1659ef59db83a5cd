"""Matches the channels of two documents by their addresses: a place is where parties meet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kernel.contract.digest import canonical_bytes
from kernel.operation.asyncapi_model import Channel
from registry.compat.asyncapi_operations import shape_of
from registry.compat.asyncapi_sides import EventApi
from registry.compat.asyncapi_whole import PLACEHOLDER


@dataclass(frozen=True, slots=True)
class Place:
    """An address with its channels in both documents; several of one document may share an address."""

    old: tuple[Channel, ...]
    new: tuple[Channel, ...]

    @property
    def label(self) -> str:
        """What the address is called: as the newer document writes it."""
        channel = (*self.new, *self.old)[0]
        return channel.address if channel.address is not None else f"(channel {channel.key})"


def places(old: EventApi, new: EventApi) -> list[Place]:
    """Match channels: by address, then, where an address changed, by their key or that of an operation."""
    groups: dict[str, tuple[list[Channel], list[Channel]]] = {}
    for index, api in enumerate((old, new)):
        for channel in _met(api):
            shape = shape_of(channel)
            key = f"={shape}" if shape is not None else f"~{channel.key}"
            groups.setdefault(key, ([], []))[index].append(channel)
    found = [place for left, right in groups.values() for place in _split(old, new, left, right)]
    whole = [place for place in found if place.old and place.new]
    gone = [place for place in found if not place.new]
    come = [place for place in found if not place.old]
    return [*whole, *_moved(old, new, gone, come)]


def _split(old: EventApi, new: EventApi, left: list[Channel], right: list[Channel]) -> Iterator[Place]:
    """Part the channels of one address: together only those that are found in the same way.

    The same address on another exchange, or on other servers, is another place.
    """
    if len(left) <= 1 and len(right) <= 1:
        yield Place(tuple(left), tuple(right))
        return
    alike: dict[bytes, tuple[list[Channel], list[Channel]]] = {}
    for index, (api, channels) in enumerate(((old, left), (new, right))):
        for channel in channels:
            alike.setdefault(_found(api, channel), ([], []))[index].append(channel)
    yield from (Place(tuple(ours), tuple(theirs)) for ours, theirs in alike.values() if ours and theirs)
    gone = [channel for ours, theirs in alike.values() if not theirs for channel in ours]
    come = [channel for ours, theirs in alike.values() if not ours for channel in theirs]
    for channel in gone:
        other = next((one for one in come if one.key == channel.key), come[0] if come else None)
        if other is not None:
            come.remove(other)
        yield Place((channel,), (other,) if other else ())
    yield from (Place((), (channel,)) for channel in come)


def _found(api: EventApi, channel: Channel) -> bytes:
    """Say how a channel is found: its bindings, what one connects to, and what its parameters may be."""
    servers = [api.read.servers[name] for name in channel.servers]
    names = PLACEHOLDER.findall(channel.address or "")
    held = [channel.parameters[name].schema if name in channel.parameters else None for name in names]
    where = sorted([one.protocol, one.host, one.pathname] for one in servers)
    return canonical_bytes([dict(channel.bindings), where, held])


def _met(api: EventApi) -> Iterator[Channel]:
    """Give the channels, but for those that only replies use and whose address is not known before."""
    used = {operation.channel.key for operation in api.read.operations}
    replies = {one.reply.channel.key for one in api.read.operations if one.reply is not None}
    for channel in api.read.channels.values():
        if channel.address is not None or channel.key in used or channel.key not in replies:
            yield channel


def _moved(old: EventApi, new: EventApi, gone: list[Place], come: list[Place]) -> Iterator[Place]:
    left = list(come)
    for place in gone:
        names = _names(old, place.old)
        found = max(left, key=lambda one: len(names & _names(new, one.new)), default=None)
        if found is not None and not names & _names(new, found.new):
            found = None
        if found is not None:
            left.remove(found)
        yield Place(place.old, found.new if found else ())
    yield from left


def _names(api: EventApi, channels: Iterable[Channel]) -> set[tuple[str, str]]:
    """Give what a channel may be known by when its address changed."""
    keys = {channel.key for channel in channels}
    named = {("operation", one.key) for one in api.read.operations if one.channel.key in keys and one.key}
    unknown = {("address", "unknown") for channel in channels if channel.address is None}
    return named | unknown | {("channel", key) for key in keys}
