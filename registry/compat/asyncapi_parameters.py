"""Compares the parameters of an address, by their place in it: names may change, values may not go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kernel.contract.exchange import MessageExchange
from kernel.contract.positions import token
from kernel.operation.asyncapi_model import Channel, Parameter
from registry.compat.asyncapi_sides import MADE, EventApi, EventJournal, Holder, rest, turned
from registry.compat.asyncapi_whole import PLACEHOLDER, Whole, filled
from registry.compat.containment import Answer
from registry.compat.schema_change import Change, finding, judged
from registry.compat.schema_view import Node
from registry.compat.wire import Wire

_KNOWN: Final = frozenset({"description", "schema", "enum", "default", "examples", "location"})
_TEXT: Final = Wire()
Carry = Callable[[str | None], MessageExchange | None]


def compare_parameters(
    journal: EventJournal, whole: Whole, ends: tuple[Channel, Channel], carry: Carry, *, spread: bool
) -> str | None:
    """Judge the parameters by their places in the address; gives an address that both versions have.

    `carry` writes a message at an address. `spread`: the application sends here through a broker, so that
    readers may listen to every value.
    """
    old, new = ends
    names = [PLACEHOLDER.findall(one.address or "") for one in ends]
    if len(names[0]) != len(names[1]):
        return filled(old.address, names[0])
    pairs = [
        (_Placeholder(journal.old, old, before), _Placeholder(journal.new, new, after))
        for before, after in zip(*names, strict=True)
    ]
    nodes = [(here.schema(), there.schema()) for here, there in pairs]
    values = [_sample(journal, whole, pair) or name for pair, name in zip(nodes, names[1], strict=True)]
    for index, (here, there) in enumerate(pairs):
        label = f"channel {new.address}: parameter {there.name!r}"

        def message(value: Any, index: int = index) -> MessageExchange | None:
            return carry(filled(old.address, [*values[:index], str(value), *values[index + 1 :]]))

        _values(journal, label, nodes[index], message, spread=spread)
        _details(journal, label, here, there)
    return filled(new.address, values)


def sampled(whole: Whole, api: EventApi, channel: Channel) -> str | None:
    """Give an address of a channel, its parameters filled in."""
    found = []
    for name in PLACEHOLDER.findall(channel.address or ""):
        values = whole.samples(_Placeholder(api, channel, name).schema())
        found.append(next((one for one in values if isinstance(one, str) and one), name))
    return filled(channel.address, found)


@dataclass(frozen=True, slots=True)
class _Placeholder:
    """One parameter of a channel, which the document need not describe."""

    api: EventApi
    channel: Channel
    name: str

    @property
    def parameter(self) -> Parameter | None:
        return self.channel.parameters.get(self.name)

    def schema(self) -> Node:
        found = self.parameter
        if found is None:
            return self.api.node(
                f"{self.channel.pointer}{MADE}/parameters{token(self.name)}", {"type": "string"}
            )
        inside = "/schema" if "schema" in found.declared else MADE
        return self.api.node(f"{found.pointer}{inside}", found.schema)

    def holder(self) -> Holder:
        found = self.parameter
        return Holder(found.declared, found.pointer) if found else Holder({}, self.channel.pointer)


def _sample(journal: EventJournal, whole: Whole, nodes: Sequence[Node]) -> str | None:
    """Give a value that both versions have, else one of the old."""
    accepts = journal.comparer.accepts(nodes[1])
    samples = [one for one in whole.samples(nodes[0]) if isinstance(one, str) and one]
    return next((one for one in samples if accepts and accepts(one)), samples[0] if samples else None)


def _values(
    journal: EventJournal, label: str, nodes: tuple[Node, Node], message: Callable[[Any], MessageExchange | None],
    *, spread: bool,
) -> None:  # fmt: skip
    """Judge the values: the old ones must stay whichever way messages go, for other parties named them.

    Who listens to the whole channel also meets those that are new.
    """
    answer, findings = journal.schemas(Change(*nodes, "accepts", "{where}", _TEXT))
    for one in findings:
        exchange = message(one.witness) if one.has_witness else None
        journal.add(replace(one, what=one.what.replace("{where}", label), exchange=exchange), label)
    if answer is not Answer.YES or not spread or journal.comparer.same(*nodes):
        return
    change = Change(*nodes, "emits", label, _TEXT)
    found = judged(journal.comparer, change)
    if found.answer is not Answer.YES:
        told = finding(change, found)
        journal.note(
            "address-newly-used", label, "messages are sent to addresses that were not used before",
            at=(told.base_pointer, told.pointer), way="send", before=told.before, after=told.after,
            exchange=message(found.witness) if found.answer is Answer.NO else None,
        )  # fmt: skip


def _details(journal: EventJournal, label: str, old: _Placeholder, new: _Placeholder) -> None:
    ends = old.holder(), new.holder()
    at = (ends[0].pointer, ends[1].pointer)
    before, after = (end.value.get("location") for end in ends)
    if before != after:
        journal.note(
            "parameter-location-changed",
            label,
            f"where its value is found {turned(before, after)}",
            at=at,
            before=before,
            after=after,
        )
    before, after = (end.value.get("default") for end in ends)
    if before is not None and before != after:
        journal.note(
            "parameter-default-changed",
            label,
            f"its default {turned(before, after)}",
            at=at,
            before=before,
            after=after,
        )
    rest(journal, label, *ends, _KNOWN)
