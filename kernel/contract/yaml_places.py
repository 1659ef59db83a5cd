"""Where the nodes of a YAML text stand, aliases and merge keys included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from kernel.contract.positions import Positions
from kernel.contract.yaml_text import MERGE

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Shared(Exception):
    """Signal: the text has aliases or merge keys, so that its order is not that of the tree."""


def yaml_positions(text: str) -> Positions:
    """Index a text that `parse_yaml` has accepted."""
    try:
        return _in_order(text)
    except _Shared:
        return _through_a_tree(text)


def _in_order(text: str) -> Positions:
    positions = Positions(text)
    mappings: list[bool] = []  # for each open container: whether it is a mapping
    key: int | None = None
    for event in yaml.parse(text, Loader=yaml.CLoader):
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            positions.leave()
            mappings.pop()
            key = None
        elif isinstance(event, yaml.NodeEvent):
            assert event.start_mark is not None  # the parser always sets it
            here = positions.offset_at(event.start_mark.line, event.start_mark.column)
            if mappings and mappings[-1] and key is None:
                if _is_merge(event):
                    raise _Shared
                key = here
                continue
            if isinstance(event, yaml.AliasEvent):
                raise _Shared
            at, key = (here if key is None else key), None
            if isinstance(event, yaml.ScalarEvent):
                positions.leaf(at)
            else:
                positions.enter(at)
                mappings.append(isinstance(event, yaml.MappingStartEvent))
    return positions


@dataclass(slots=True)
class _Spot:
    """One node: its offset (of its key, where it has one), and what stands in it."""

    at: int
    inner: dict[str, _Spot] | list[_Spot] | None = None


def _through_a_tree(text: str) -> Positions:
    positions = Positions(text)
    events = (event for event in yaml.parse(text, Loader=yaml.CLoader) if isinstance(event, _NODES))
    _emit(_node(next(events), events, {}, positions), positions)
    return positions


_NODES = (yaml.NodeEvent, yaml.MappingEndEvent, yaml.SequenceEndEvent)


def _node(event: Any, events: Iterator[Any], anchors: dict[str, _Spot], positions: Positions) -> _Spot:
    """Read one node with all that stands in it (not deeper than `parse_yaml` admits)."""
    here = _Spot(positions.offset_at(event.start_mark.line, event.start_mark.column))
    if isinstance(event, yaml.AliasEvent):
        here.inner = anchors[str(event.anchor)].inner
        return here
    if event.anchor is not None:
        anchors[event.anchor] = here
    if isinstance(event, yaml.SequenceStartEvent):
        here.inner = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            here.inner.append(_node(event, events, anchors, positions))
    elif isinstance(event, yaml.MappingStartEvent):
        here.inner = members = {}
        merged: list[_Spot] = []
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            at = positions.offset_at(event.start_mark.line, event.start_mark.column)
            value = _node(next(events), events, anchors, positions)
            if _is_merge(event):
                merged += value.inner if isinstance(value.inner, list) else [value]
            else:
                members[event.value] = _Spot(at, value.inner)
        for source in merged:
            for key, spot in source.inner.items() if isinstance(source.inner, dict) else ():
                members.setdefault(key, spot)
    return here


def _emit(spot: _Spot, positions: Positions) -> None:
    if spot.inner is None:
        positions.leaf(spot.at)
        return
    positions.enter(spot.at)
    for inner in spot.inner.values() if isinstance(spot.inner, dict) else spot.inner:
        _emit(inner, positions)
    positions.leave()


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == MERGE and bool(event.implicit[0])
