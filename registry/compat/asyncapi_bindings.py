"""Judges what bindings say of the protocol: a row for each key that the bindings' specifications know.

Each row names a kind, and a kind has its rules: where messages are found, how they are written, how things
are declared at the broker, what is promised, what is limited. A key or a protocol without a row is undecided.
Sources: the AsyncAPI bindings repository, one page a protocol (amqp 0.4.0, kafka 0.5.0, mqtt 0.2.0, http 0.3.0,
ws 0.1.0, jms 0.0.1, ibmmq 0.2.0, solace 0.4.0, sns and sqs 0.3.0, googlepubsub 0.2.0, pulsar 0.1.0, nats 0.1.0,
anypointmq 0.1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.positions import token
from kernel.operation.asyncapi_model import Action
from registry.compat.asyncapi_binding_rows import ROWS, Row
from registry.compat.asyncapi_sides import MADE, NOTHING, EventJournal, direction_of, turned
from registry.compat.schema_change import Direction
from registry.compat.wire import Wire

_AS_TEXT: Final = frozenset({"http", "https", "ws", "wss"})  # where queries and headers are text
_SCHEMAS: Final = frozenset({"chosen", "carried"})
_SECONDS: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?s")
_IGNORED: Final = frozenset({"bindingVersion", "description"})
_GONE: Final[Any] = object()
_ALIASES: Final = {"mqtt5": "mqtt", "secure-mqtt": "mqtt", "mqtts": "mqtt", "amqps": "amqp", "wss": "ws", "https": "http",
                   "kafka-secure": "kafka", "ibmmq-secure": "ibmmq"}  # fmt: skip


class _Call(Wire):
    """The reading of a query or of headers as text, of which there may be none at all."""

    def sendable(self, value: Any) -> bool:
        """Say that a call without any is a call too."""
        del value
        return True


_CALL: Final = _Call()


@dataclass(frozen=True, slots=True)
class Bound:
    """Where bindings stand: of a server, a channel, an operation or a message; `way` is None for the first two.

    `address` is what several protocols take for the name of the topic or queue where none is given.
    """

    level: str
    label: str
    pointers: tuple[str, str]
    way: Action | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of one protocol's binding, with what both documents say of it (`_GONE`: nothing)."""

    bound: Bound
    protocol: str
    path: str
    row: Row | None
    before: Any
    after: Any

    @property
    def steps(self) -> str:
        """Where the key stands below the object that is bound, as a JSON pointer."""
        nested = [self.path] if self.row and self.row[0] in _SCHEMAS else self.path.split("/")
        return "/bindings" + token(self.protocol) + "".join(token(step) for step in nested if step)


def compare_bindings(
    journal: EventJournal, bound: Bound, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    """Judge every key of every protocol that either document binds to."""
    for protocol in dict.fromkeys((*old, *new)):
        ends = old.get(protocol), new.get(protocol)
        same = canonical_bytes(ends[0]) == canonical_bytes(ends[1]) and not _refers(ends[0])
        if same or protocol.startswith("x-"):
            continue
        rows = ROWS.get((_ALIASES.get(protocol, protocol), bound.level), {})
        before, after = (dict(_leaves(end, rows)) for end in ends)
        for path in dict.fromkeys((*before, *after)):
            row = rows.get(path)
            values = [end.get(path, _default(row, bound)) for end in (before, after)]
            _judge(journal, _Key(bound, protocol, path, row, *values))


def _leaves(value: Any, rows: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each key that has a row, and what stands outside of all rows."""
    if path in rows or not isinstance(value, dict):
        if path or value is not None:
            yield path, value
        return
    for key, item in value.items():
        if not (key in _IGNORED or key.startswith("x-")):
            yield from _leaves(item, rows, f"{path}/{key}" if path else key)


def _refers(value: Any) -> bool:
    """Whether equal words may mean different things, since a reference stands among them."""
    if isinstance(value, dict):
        return "$ref" in value or any(_refers(item) for item in value.values())
    return isinstance(value, list) and any(_refers(item) for item in value)


def _default(row: Row | None, bound: Bound) -> Any:
    if row is None or row[1] is None:
        return _GONE
    return (bound.address if bound.address is not None else _GONE) if row[1] == "$address" else row[1]


def _judge(journal: EventJournal, key: _Key) -> None:
    kind = key.row[0] if key.row else "unknown"
    if kind in _SCHEMAS:
        _schemas(journal, key, kind)
    elif not _same(key.before, key.after):
        way = key.bound.way
        _note(journal, key, _RULES[kind](key.before, key.after, direction_of(way) if way else None))


def _same(before: Any, after: Any) -> bool:
    if before is _GONE or after is _GONE:
        return before is after
    return canonical_bytes(before) == canonical_bytes(after)


def _note(journal: EventJournal, key: _Key, rule: str) -> None:
    ends = key.before, key.after
    at = [
        None if end is _GONE else pointer + key.steps
        for end, pointer in zip(ends, key.bound.pointers, strict=True)
    ]
    values = [None if end is _GONE else end for end in ends]
    name = key.path.replace("/", ".") or key.protocol
    journal.note(
        rule, key.bound.label, f"`{name}` of the {key.protocol} binding {turned(*values)}",
        at=(at[0], at[1]), way=key.bound.way, before=values[0], after=values[1],
    )  # fmt: skip


def _schemas(journal: EventJournal, key: _Key, kind: str) -> None:
    """Judge a schema: of what the other party chooses when it calls, or of what travels with the message."""
    ends, way = (key.before, key.after), key.bound.way
    if not all(end is _GONE or isinstance(end, dict | bool) for end in ends):
        _note(journal, key, "binding-undecided")
        return
    directions: tuple[Direction, ...] = (direction_of(way),) if way else ("accepts",)
    if kind == "chosen" and way == "send":
        directions = ("accepts", "emits")  # who calls is not written: we do, or the subscriber does
    named = key.protocol in _AS_TEXT or key.path == "headers"
    wire = _CALL if key.protocol in _AS_TEXT else None
    for direction in directions:
        nodes = [
            api.node(*_schema(end, pointer + key.steps, named=named, writes=writes))
            for api, pointer, end, writes in zip(
                (journal.old, journal.new), key.bound.pointers, ends,
                (direction == "accepts", direction == "emits"), strict=True,
            )
        ]  # fmt: skip
        label = f"{key.bound.label}: {key.path} of the {key.protocol} binding"
        journal.judge_schema(label, (nodes[0], nodes[1]), direction, wire)


def _schema(end: Any, pointer: str, *, named: bool, writes: bool) -> tuple[str, Any]:
    """Give a schema; who was told of no headers and no query sends none, and who reads passes over them."""
    if end is not _GONE:
        return pointer, end
    return (f"{pointer}{MADE}-none", NOTHING) if named and writes else (f"{pointer}{MADE}-any", True)


def _place(before: Any, after: Any, direction: Direction | None) -> str:
    del direction
    return "binding-undecided" if _GONE in (before, after) else "binding-place-changed"


def _form(before: Any, after: Any, direction: Direction | None) -> str:
    del direction
    return "binding-undecided" if _GONE in (before, after) else "binding-form-changed"


def _declared(before: Any, after: Any, direction: Direction | None) -> str:
    del direction
    return "binding-undecided" if _GONE in (before, after) else "binding-declaration-changed"


def _promise(before: Any, after: Any, direction: Direction | None) -> str:
    """More is promised, or less; a first acknowledgement (qos 0 to 1) may deliver twice."""
    if after is _GONE:
        return "binding-promise-lowered"
    if before is _GONE:
        return "binding-promise-raised"
    was, now = _amount(before), _amount(after)
    if was is None or now is None:
        return "binding-undecided"
    del direction
    less = now >= 0 and (was < 0 or now < was)  # Kafka: -1 is without an end
    return "binding-promise-lowered" if less else "binding-promise-raised"


def _amount(value: Any) -> float | None:
    """Read a number, or a duration in seconds as protobuf writes it ("86400s")."""
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        return float(value[:-1])
    return value if isinstance(value, int | float) else None


def _quality(before: Any, after: Any, direction: Direction | None) -> str:
    """MQTT's quality of service (3.1.1 §4.3): at most once, at least once, exactly once."""
    if (before, after) == (0, 1) and direction != "accepts":
        return "binding-behaviour-changed"  # what came once at most may come twice
    return _promise(before, after, direction)


def _retained(before: Any, after: Any, direction: Direction | None) -> str:
    """MQTT's retained message: who comes late gets it no more, or gets an old one at once."""
    del direction
    return "binding-promise-lowered" if (before, after) == (True, False) else "binding-behaviour-changed"


def _limit(before: Any, after: Any, direction: Direction | None) -> str:
    """Judge the size that a message may have: who sends to us may send what it could, and we send no more."""
    if not (isinstance(before, int | float) and isinstance(after, int | float)):
        return "binding-undecided"
    lowered = after < before
    if direction is None:  # of a channel: both ways are concerned
        return "binding-limit-lowered" if lowered else "binding-behaviour-changed"
    if direction == "accepts":
        return "binding-limit-lowered" if lowered else "binding-promise-raised"
    return "binding-promise-raised" if lowered else "binding-behaviour-changed"


def _behaviour(before: Any, after: Any, direction: Direction | None) -> str:
    del before, after, direction
    return "binding-behaviour-changed"


def _own(before: Any, after: Any, direction: Direction | None) -> str:
    del before, after, direction
    return "binding-own-changed"


def _unknown(before: Any, after: Any, direction: Direction | None) -> str:
    del before, after, direction
    return "binding-undecided"


_RULES: Final = {
    "place": _place, "form": _form, "declared": _declared, "promise": _promise, "quality": _quality, "retained": _retained,
    "limit": _limit, "behaviour": _behaviour, "own": _own, "open": _unknown, "unknown": _unknown,
}  # fmt: skip
