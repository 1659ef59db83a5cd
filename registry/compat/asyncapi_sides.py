"""Two AsyncAPI documents side by side: schemas ready to be compared, findings kept once with true pointers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kernel.contract.digest import canonical_bytes
from kernel.contract.exchange import MessageExchange
from kernel.contract.finding import Finding, shown
from kernel.contract.positions import token, tokens_of
from kernel.operation.asyncapi_model import Action, Message, MessageSchema
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.operation.shapes import follow
from kernel.schema.dialects import Dialect
from registry.compat.containment import Answer, Comparer
from registry.compat.rules import BY_ID
from registry.compat.schema_breaks import breaks
from registry.compat.schema_change import Change, Direction, ignored, judged
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node
from registry.compat.wire import Wire

Part = Literal["payload", "headers"]
Pointers = tuple[str | None, str | None]  # into the old and the new document; None: nothing stands there
_MOST_TOLD = 60  # letters of a value that a sentence repeats
MADE = "/~made"  # a step that no document has (`~` is always written ~0): what follows was put together by us
NOTHING: Mapping[str, Any] = {"type": "object", "maxProperties": 0}


def turned(before: Any, after: Any) -> str:
    """Say in words what something was and is: "is 1 now, and was 2"."""
    if before is None:
        return f"is {_told(after)} now"
    return (
        f"was {_told(before)}, and is not said now"
        if after is None
        else f"is {_told(after)} now, and was {_told(before)}"
    )


def _told(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else canonical_bytes(value).decode()
    return text if len(text) <= _MOST_TOLD else "another"


def direction_of(way: Action) -> Direction:
    """Say whether the application accepts or emits what travels this way."""
    return "accepts" if way == "receive" else "emits"


class EventApi:
    """One of the two documents, read."""

    def __init__(self, root: Any, tag: str) -> None:
        self.root = root
        self.tag = tag
        self.read = read_asyncapi(root)
        self._sides: dict[Dialect, Side] = {}

    def node(self, pointer: str, raw: Any, dialect: Dialect = Dialect.DRAFT_07) -> Node:
        """Give a schema as the runtime reads it: in the message's dialect, and 3.0's readOnly as in requests."""
        if dialect not in self._sides:
            traffic: Literal["request"] | None = "request" if dialect is Dialect.OPENAPI_30 else None
            self._sides[dialect] = Side(self.root, dialect, tag=self.tag, traffic=traffic)
        return self._sides[dialect].node(pointer, raw, dialect)

    def schema(self, message: Message, part: Part, *, writes: bool) -> Node | None:
        """Give the schema of a payload or of headers, None for a format that is no JSON Schema.

        Who writes a message of which no headers are declared sends none; who reads it takes any. A payload
        of which nothing is said may be anything on both sides.
        """
        found: MessageSchema | None = message.payload if part == "payload" else message.headers
        if found is None:
            raw: Any = NOTHING if writes and part == "headers" else True
            name = "none" if raw is NOTHING else "any"
            return self.node(f"{message.pointer}{MADE}-{name}/{part}", raw)
        if found.dialect is None:
            return None
        pointer = f"{message.pointer}{MADE}/{part}" if found.merged else found.pointer
        if part == "headers":
            return self.node(*self._object(pointer, found.schema), found.dialect)
        return self.node(pointer, found.schema, found.dialect)

    def _object(self, pointer: str, schema: Any) -> tuple[str, Any]:
        """Give the schema of headers, which are an object even where it does not say so (3.0 §Message Object)."""
        reached, place = follow(self.root, schema, pointer)
        if not isinstance(reached, dict) or "type" in reached or (reached is not schema and len(schema) > 1):
            return pointer, schema
        return f"{place}{MADE}-object", {"type": "object", **reached}


def settled(root: Any, pointer: str) -> str:
    """Give where a pointer really leads: references followed, made steps left out, as deep as something stands."""
    node, place = root, ""
    for step in tokens_of(pointer):
        if step.startswith(MADE[1:]):
            continue
        node, place = follow(root, node, place)
        if isinstance(node, dict) and step in node:
            node = node[step]
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return place
        place += token(step)
    reached, home = follow(root, node, place)
    return home if reached else place


@dataclass(slots=True)
class EventJournal:
    """What was found so far; one finding for a place that many operations share."""

    comparer: Comparer
    old: EventApi
    new: EventApi
    findings: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    shared: dict[tuple[Any, ...], set[str]] = field(default_factory=dict)
    _judged: dict[tuple[Any, ...], tuple[Answer, tuple[Finding, ...]]] = field(default_factory=dict)

    def note(
        self,
        rule_id: str,
        label: str,
        what: str,
        *,
        at: Pointers,
        way: Action | None = None,
        before: Any = None,
        after: Any = None,
        exchange: MessageExchange | None = None,
        witness: tuple[Any, ...] = (),
    ) -> None:
        """Add a finding of a rule at a place called `label`; `at` holds both pointers, `witness` one value or none."""
        rule = BY_ID[rule_id]
        old, new = at
        found = Finding.of(
            rule,
            new if new is not None else old or "",
            f"{label}: {what}",
            base_pointer=old,
            before=shown(before),
            after=shown(after),
            direction=direction_of(way) if way else None,
            exchange=exchange,
            witness=witness[0] if witness else None,
            has_witness=bool(witness),
        )
        self.add(found, label, in_old=new is None)

    def add(self, found: Finding, label: str, *, in_old: bool = False) -> None:
        """Keep a finding once with pointers that lead somewhere, and count the places that share it."""
        root = self.old.root if in_old else self.new.root
        base = found.base_pointer
        found = replace(
            found,
            pointer=settled(root, found.pointer),
            base_pointer=None if base is None else settled(self.old.root, base),
        )
        key = (found.rule, found.pointer, found.base_pointer, found.direction, canonical_bytes(found.after))
        self.findings.setdefault(key, found)
        self.shared.setdefault(key, set()).add(label)

    def unclassified(self, label: str, key: str, old: Holder, new: Holder) -> None:
        """Note a difference that no rule knows."""
        self.note(
            "change-unclassified", label, f"`{key}` differs",
            at=(
                old.pointer + token(key) if key in old.value else None,
                new.pointer + token(key) if key in new.value else None,
            ),
            before=old.value.get(key), after=new.value.get(key),
        )  # fmt: skip

    def schemas(self, change: Change) -> tuple[Answer, tuple[Finding, ...]]:
        """Judge one schema in one direction; findings say `{where}` for the place."""
        key = (change.old, change.new, change.direction, change.wire is None)
        if key not in self._judged:
            self._judged[key] = self._judge(change)
        return self._judged[key]

    def _judge(self, change: Change) -> tuple[Answer, tuple[Finding, ...]]:
        if self.comparer.same(change.old, change.new):
            return Answer.YES, ()
        found = judged(self.comparer, change)
        if found.answer is not Answer.YES:
            return found.answer, breaks(self.comparer, change, found)
        rule = BY_ID["schema-changed-compatibly"]
        safe = Finding.of(
            rule,
            change.new.pointer,
            "{where} changed, and nobody is broken",
            base_pointer=change.old.pointer,
            direction=change.direction,
            engine=found.engine,
        )
        return Answer.YES, (safe, *(ignored(change) if change.direction == "accepts" else ()))

    def judge_schema(
        self, label: str, pair: tuple[Node, Node], direction: Direction, wire: Wire | None = None
    ) -> tuple[Answer, tuple[Finding, ...]]:
        """Judge a schema and keep what was found under its label; gives the answer and the findings."""
        answer, findings = self.schemas(Change(*pair, direction, "{where}", wire))
        named = tuple(replace(one, what=one.what.replace("{where}", label)) for one in findings)
        for one in named:
            self.add(one, label)
        return answer, named

    def result(self) -> Iterator[Finding]:
        """Give the findings, each saying how many places share it."""
        for key, found in self.findings.items():
            others = len(self.shared[key]) - 1
            yield replace(found, what=f"{found.what} (and in {others} more places)") if others else found


@dataclass(frozen=True, slots=True)
class Holder:
    """An object as it was declared, traits merged, with its pointer."""

    value: Mapping[str, Any]
    pointer: str


def rest(journal: EventJournal, label: str, old: Holder, new: Holder, known: frozenset[str]) -> None:
    """Note every member outside `known` (and extensions of others) that differs: no rule knows what it means."""
    for key in dict.fromkeys((*old.value, *new.value)):
        if key in known or (key.startswith("x-") and not key.startswith("x-interlock-")):
            continue
        before, after = old.value.get(key), new.value.get(key)
        if (key in old.value) != (key in new.value) or canonical_bytes(before) != canonical_bytes(after):
            journal.unclassified(label, key, old, new)
