"""Compares what belongs to an address: where and how it is found, and what travels each way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from kernel.contract.exchange import MessageExchange
from kernel.operation.asyncapi_model import Action, Channel
from registry.compat.asyncapi_bindings import Bound, compare_bindings
from registry.compat.asyncapi_messages import Messages
from registry.compat.asyncapi_operations import compare_pairs, policies, shape_of, units
from registry.compat.asyncapi_parameters import compare_parameters, sampled
from registry.compat.asyncapi_places import Place
from registry.compat.asyncapi_servers import Renamed
from registry.compat.asyncapi_sides import EventApi, EventJournal, Holder, rest, turned
from registry.compat.asyncapi_whole import Scene, Unit, Whole

_KNOWN: Final = frozenset({
    "address", "messages", "parameters", "servers", "bindings", "title", "summary", "description", "tags",
    "externalDocs", "publish", "subscribe", "deprecated",
})  # fmt: skip
# Where who listens names the address himself.
_CALLED: Final = frozenset({"ws", "wss", "http", "https", "sse"})
_DONE: Final = {"receive": "received", "send": "sent"}
_WAYS: Final[tuple[Action, ...]] = ("receive", "send")


def compare_place(journal: EventJournal, whole: Whole, place: Place, renamed: Renamed) -> None:
    """Judge one address: whether it is there, where and how it is found, and what travels each way."""
    if not place.old:
        for channel in place.new:
            journal.note("channel-added", f"channel {place.label}", "it is new", at=(None, channel.pointer))
        return
    if not place.new:
        _removed(journal, whole, place)
        return
    old, new = place.old[0], place.new[0]
    _address(journal, whole, place)
    spread = bool(_units(journal.new, place.new, "send")) and not _called(journal, place)
    carry = partial(_carried, journal, whole, place.old)
    address = compare_parameters(journal, whole, (old, new), carry, spread=spread)
    for before, after in _paired(place):
        _channel(journal, place, before, after)
    _servers(journal, place, renamed)
    _ways(journal, whole, place, address)


def _removed(journal: EventJournal, whole: Whole, place: Place) -> None:
    for channel in place.old:
        journal.note(
            "channel-removed", f"channel {place.label}", "it was removed", at=(channel.pointer, None),
            exchange=_carried(journal, whole, (channel,), sampled(whole, journal.old, channel)),
        )  # fmt: skip


def _carried(
    journal: EventJournal, whole: Whole, channels: tuple[Channel, ...], address: str | None
) -> MessageExchange | None:
    """Write a message of the old version at an address, where it has one there."""
    for way in _WAYS:
        for unit in _units(journal.old, channels, way):
            return whole.written(journal.old, Scene("", way, address), unit)
    return None


def _address(journal: EventJournal, whole: Whole, place: Place) -> None:
    old, new = place.old[0], place.new[0]
    if shape_of(old) == shape_of(new):
        return
    known = old.address is not None and new.address is not None
    exchange = _carried(journal, whole, place.old, sampled(whole, journal.old, old))
    journal.note(
        "channel-address-changed" if known else "channel-address-undecided", f"channel {place.label}",
        f"its address {turned(old.address, new.address)}", at=(f"{old.pointer}/address", f"{new.pointer}/address"),
        before=old.address, after=new.address, exchange=exchange if known else None,
    )  # fmt: skip


def _paired(place: Place) -> Iterator[tuple[Channel, Channel]]:
    """Pair the channels that share an address: by key, else in their order."""
    left = list(place.new)
    for old in place.old:
        if left:
            new = next((one for one in left if one.key == old.key), left[0])
            left.remove(new)
            yield old, new


def _channel(journal: EventJournal, place: Place, old: Channel, new: Channel) -> None:
    label, at = f"channel {place.label}", (old.pointer, new.pointer)
    if old.key not in {new.key, old.address} and new.address != new.key:
        journal.note("event-renamed", label, f"its key is {new.key!r} now, and was {old.key!r}", at=at)
    compare_bindings(journal, Bound("channel", label, at, None, new.address), old.bindings, new.bindings)
    ends = Holder(old.declared, at[0]), Holder(new.declared, at[1])
    rest(journal, label, *ends, _KNOWN | policies(journal, label, None, *ends))


def _servers(journal: EventJournal, place: Place, renamed: Renamed) -> None:
    """Judge on which servers the address is; servers that are gone themselves are judged by themselves."""
    before = dict.fromkeys(renamed[name] for one in place.old for name in one.servers if name in renamed)
    after = dict.fromkeys(name for one in place.new for name in one.servers)
    label, at = f"channel {place.label}", (place.old[0].pointer, place.new[0].pointer)
    for name in before:
        if name not in after:
            journal.note("channel-server-removed", label, f"it is not on server {name!r} any more", at=at)
    known = set(renamed.values())
    for name in after:
        if name not in before and name in known:
            journal.note("channel-server-added", label, f"it is on server {name!r} too", at=at)


def _ways(journal: EventJournal, whole: Whole, place: Place, address: str | None) -> None:
    told = [
        channel.key in _told(api)
        for api, channels in ((journal.old, place.old), (journal.new, place.new))
        for channel in channels[:1]
    ]
    sides = {way: (_units(journal.old, place.old, way), _units(journal.new, place.new, way)) for way in _WAYS}
    label, at = f"channel {place.label}", (place.old[0].pointer, place.new[0].pointer)
    # A document that lists operations lists all of them: a channel that lost its own is used no more.
    gone = told == [True, False] and bool(journal.new.read.operations)
    if told[0] != told[1] and not gone and any(any(side) for side in sides.values()):
        what = "only one of the documents says who sends here"
        journal.note("channel-use-undecided", label, what, at=at)
    for way, (old, new) in sides.items():
        scene = Scene(f"{way} {place.label}", way, address)
        if gone and old:
            _stopped(journal, whole, scene, old)
        elif gone:
            continue
        elif old and new:
            compare_pairs(journal, whole, scene, Messages(journal, whole, scene, old, new).compare())
        elif old and told[0] == told[1]:
            _stopped(journal, whole, scene, old)
        elif new and told[0] == told[1]:
            pointers = dict.fromkeys(one.operation.pointer for one in new if one.operation)
            for pointer in pointers or (at[1],):
                what = f"messages are {_DONE[way]} here now"
                journal.note("channel-operation-added", scene.label, what, at=(None, pointer), way=way)


def _stopped(journal: EventJournal, whole: Whole, scene: Scene, old: list[Unit]) -> None:
    """Note that nothing travels this way any more, with a message that did."""
    first: dict[str, Unit] = {}
    for unit in old:
        first.setdefault(unit.operation.pointer if unit.operation else unit.message.pointer, unit)
    for pointer, unit in first.items():
        journal.note(
            "channel-operation-removed", scene.label, f"nothing is {_DONE[scene.way]} here any more",
            at=(pointer, None), way=scene.way,
            exchange=whole.written(journal.old, scene, unit),
        )  # fmt: skip


def _units(api: EventApi, channels: Iterable[Channel], way: Action) -> list[Unit]:
    """Give what travels one way at channels; where no operation says who sends, each message may go both."""
    keys = {channel.key: channel for channel in channels}
    found = [
        unit
        for one in api.read.operations
        if one.channel.key in keys and one.action == way
        for unit in units(one.messages, one, one.pointer, api)
    ]
    told = _told(api)
    for key, channel in keys.items():
        if key not in told:
            found += [Unit(message, None) for message in channel.messages.values()]
    return found


def _told(api: EventApi) -> set[str]:
    """Name the channels of which an operation or its reply says who sends there."""
    operations = api.read.operations
    return {one.channel.key for one in operations} | {
        one.reply.channel.key for one in operations if one.reply is not None
    }


def _called(journal: EventJournal, place: Place) -> bool:
    """Whether who listens names the address himself, as callers of HTTP do: a new one is none of his."""
    servers = [journal.new.read.servers[name].protocol.lower() for one in place.new for name in one.servers]
    return bool(servers) and set(servers) <= _CALLED
