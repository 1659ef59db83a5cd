"""Two OpenAPI documents side by side: references of every kind followed, schemas ready to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, Severity, shown
from kernel.contract.positions import token
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.errors import ReferenceRefused
from kernel.schema.dialects import dialect_of
from registry.compat.containment import Answer, Comparer
from registry.compat.openapi_touched import Touched, text_of
from registry.compat.rules import BY_ID
from registry.compat.schema_change import Change, Direction, finding, ignored, judged
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node, Traffic, Unreadable
from registry.compat.wire import Wire
from registry.compat.xml_names import same_xml

Message = Literal["request", "response"]
_MOST_HOPS = 32


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a document at its pointer, references followed; `value` is a mapping."""

    value: Mapping[str, Any]
    pointer: str


class Api:
    """One of the two documents."""

    def __init__(self, root: Any, tag: str, touched: Touched) -> None:
        self.root = root
        self._steady = touched.steady
        self.tag = tag
        self.dialect = dialect_of(root)
        noted = b'"readOnly":true' in (text := text_of(root)) or b'"writeOnly":true' in text
        self.noted = noted and not str(root.get("openapi")).startswith("3.0")
        self._sides: dict[tuple[Traffic, bool], Side] = {}

    def side(self, message: Message, *, notes_bind: bool = False) -> Side:
        """Give the reader of schemas for one direction of traffic."""
        key = (message, notes_bind)
        if key not in self._sides:
            self._sides[key] = Side(
                self.root,
                self.dialect,
                tag=self.tag,
                traffic=message,
                notes_bind=notes_bind,
                steady=self._steady,
            )
        return self._sides[key]

    def part(self, value: Any, pointer: str) -> Part:
        """Follow the references of a non-schema object; raises `Unreadable` where there is none."""
        for _ in range(_MOST_HOPS):
            if not isinstance(value, dict):
                raise Unreadable(f"an object was expected at #{pointer}")
            if not isinstance(value.get("$ref"), str):
                return Part(value, pointer)
            try:
                pointer = local_pointer(value["$ref"], pointer)
                value = resolve_pointer(self.root, pointer)
            except ReferenceRefused as error:
                raise Unreadable(error.message) from None
        raise Unreadable(f"references lead in a circle at #{pointer}")

    def path_item(self, template: str) -> Part:
        """Give a path item; what stands beside its `$ref` adds to what is referenced, as for the proxy."""
        declared, pointer = self.root["paths"][template], "/paths" + token(template)
        found = self.part(declared, pointer)
        beside = {key: value for key, value in declared.items() if key != "$ref"}
        return found if found.pointer == pointer else Part({**found.value, **beside}, found.pointer)

    def below(self, part: Part, key: str) -> Part:
        """Give a child object, an empty one where the key is absent."""
        return self.part(part.value.get(key, {}), part.pointer + token(key))

    def members(self, part: Part, key: str, *, extensible: bool = False) -> dict[str, Part]:
        """Give the members of a child map; only `extensible` ones hold extensions (paths, responses).

        Elsewhere a name like `X-Request-Id` is the name of something.
        """
        child = self.below(part, key)
        return {
            name: self.part(value, child.pointer + token(name))
            for name, value in child.value.items()
            if not (extensible and name.startswith("x-"))
        }


@dataclass(slots=True)
class Scope:
    """An operation in both documents; `called`: we call the other party (callback, webhook)."""

    label: str
    key: tuple[str, str]  # method, path as the new document writes it
    called: bool = False

    def direction(self, message: Message) -> Direction:
        """Say whether we accept or emit a message: requests are accepted unless we are the caller."""
        return "accepts" if (message == "request") is not self.called else "emits"


@dataclass(frozen=True, slots=True)
class Position:
    """Where schemas stand in both documents: `area` groups them for the second opinion.

    `wire` is for values that travel as text; `xml`: the words of `xml` count.
    """

    scope: Scope
    message: Message
    area: str
    label: str
    ends: tuple[Part, Part]
    wire: Wire | None = None
    xml: bool = False


@dataclass(slots=True)
class Journal:
    """What was found so far; one finding for a place that many operations share."""

    comparer: Comparer
    old: Api
    new: Api
    touched: Touched
    findings: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    others: dict[tuple[Any, ...], set[str]] = field(default_factory=dict)
    answers: dict[tuple[tuple[str, str], str], list[tuple[Answer, Node]]] = field(default_factory=dict)
    troubled: set[tuple[str, str]] = field(default_factory=set)  # operations with more than safe findings
    dropped: set[tuple[str, str]] = field(default_factory=set)  # operations that lost a declared property
    _judged: dict[tuple[Any, ...], tuple[Answer, tuple[Finding, ...]]] = field(default_factory=dict)

    def note(
        self,
        rule_id: str,
        scope: Scope | None,
        what: str,
        *,
        at: tuple[str | None, str | None],
        before: Any = None,
        after: Any = None,
    ) -> None:
        """Add a finding of a rule; `at` holds both pointers, None where that document has nothing."""
        rule = BY_ID[rule_id]
        old, new = at
        found = Finding(
            rule.id,
            rule.severity,
            new if new is not None else old or "",
            what,
            why=rule.why,
            remedy=rule.remedy,
            base_pointer=old,
            before=before,
            after=after,
        )
        self.add(found, scope)

    def add(self, found: Finding, scope: Scope | None) -> None:
        """Keep a finding once, and count the operations that share it."""
        key = (found.rule, found.pointer, found.base_pointer, found.direction, canonical_bytes(found.after))
        self.findings.setdefault(key, found)
        if scope is not None:
            self.others.setdefault(key, set()).add(scope.label)
            if found.severity is not Severity.SAFE:
                self.troubled.add(scope.key)

    def unclassified(self, scope: Scope | None, key: str, old: Part | None, new: Part | None) -> None:
        """Note a difference that no rule knows."""
        before = old.value.get(key) if old else None
        after = new.value.get(key) if new else None
        label = f"{scope.label}: " if scope else ""
        self.note(
            "change-unclassified",
            scope,
            f"{label}`{key}` differs",
            at=(
                old.pointer + token(key) if old and key in old.value else None,
                new.pointer + token(key) if new and key in new.value else None,
            ),
            before=shown(before),
            after=shown(after),
        )

    def schemas(self, position: Position) -> None:
        """Compare the `schema` of two objects (absent: anything goes) by meaning."""
        scope = position.scope
        if position.xml and not same_xml(*self._nodes(position)):
            self.unclassified(scope, "schema", *position.ends)
            return
        nodes = self._nodes(position)
        key = (*nodes, scope.direction(position.message), position.wire is None)
        if key not in self._judged:
            self._judged[key] = self._judge(position, *nodes)
        answer, findings = self._judged[key]
        self.answers.setdefault((scope.key, position.area), []).append((answer, nodes[1]))
        for found in findings:
            self.add(replace(found, what=found.what.replace("{where}", position.label)), scope)
            if found.rule == "property-ignored":
                self.dropped.add(scope.key)

    def _nodes(self, position: Position, *, notes_bind: bool = False) -> tuple[Node, Node]:
        old, new = (
            self._node(api, position.message, end, notes_bind=notes_bind)
            for api, end in zip((self.old, self.new), position.ends, strict=True)
        )
        return old, new

    def _node(self, api: Api, message: Message, place: Part, *, notes_bind: bool = False) -> Node:
        side = api.side(message, notes_bind=notes_bind)
        pointer = f"{place.pointer}/schema"
        if "schema" not in place.value:
            return side.node(pointer, raw=True, dialect=api.dialect)
        return side.node(pointer, place.value["schema"], api.dialect)

    def _judge(self, position: Position, old: Node, new: Node) -> tuple[Answer, tuple[Finding, ...]]:
        bound = self._nodes(position, notes_bind=True) if self.old.noted or self.new.noted else None
        if self.comparer.same(old, new) and (bound is None or self.comparer.same(*bound)):
            return Answer.YES, ()
        direction = position.scope.direction(position.message)
        change = Change(old, new, direction, "{where}", position.wire, bound)
        found = judged(self.comparer, change)
        if found.answer is not Answer.YES:
            return found.answer, (finding(change, found),)
        rule = BY_ID["schema-changed-compatibly"]
        safe = Finding(
            rule.id, rule.severity, new.pointer, "{where} changed, and nobody is broken",
            why=rule.why, base_pointer=old.pointer, direction=direction, engine=found.engine,
        )  # fmt: skip
        lost = ignored(change) if direction == "accepts" else ()
        return Answer.YES, (safe, *lost)

    def result(self) -> Iterator[Finding]:
        """Give the findings, each saying how many operations share it."""
        for key, found in self.findings.items():
            labels = self.others.get(key, set())
            more = f" (and in {len(labels) - 1} more operations)" if len(labels) > 1 else ""
            yield replace(found, what=found.what + more) if more else found


def rest_equal(old: Part, new: Part, known: frozenset[str]) -> Iterator[str]:
    """Give the keys outside `known` (and extensions) whose values differ."""
    for key in dict.fromkeys((*old.value, *new.value)):
        if key in known or key.startswith("x-"):
            continue
        if (key in old.value) != (key in new.value) or canonical_bytes(old.value[key]) != canonical_bytes(
            new.value[key]
        ):
            yield key
