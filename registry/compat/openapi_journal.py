"""What a comparison of two OpenAPI documents has found so far, each thing once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, Severity, shown
from kernel.contract.positions import token
from registry.compat.containment import Answer, Comparer
from registry.compat.openapi_places import Position, Scope, Spot
from registry.compat.openapi_sides import Api, Message, Part
from registry.compat.openapi_touched import Touched
from registry.compat.rules import BY_ID, CALLED
from registry.compat.schema_breaks import breaks
from registry.compat.schema_change import Change, ignored, judged
from registry.compat.schema_view import Node
from registry.compat.xml_names import same_xml


@dataclass(frozen=True, slots=True)
class Found:
    """Where a finding was made: the operation, the part of a call, and the objects that hold the schemas."""

    scope: Scope
    spot: Spot
    ends: tuple[Part, Part] | None = None


@dataclass(slots=True)
class Journal:
    """What was found so far; one finding for a place that many operations share."""

    comparer: Comparer
    old: Api
    new: Api
    touched: Touched
    findings: dict[tuple[Any, ...], Finding] = field(default_factory=dict)
    others: dict[tuple[Any, ...], set[str]] = field(default_factory=dict)
    # By operation and area.
    answers: dict[tuple[str, str], dict[str, list[tuple[Answer, Node]]]] = field(default_factory=dict)
    troubled: set[tuple[str, str]] = field(default_factory=set)  # operations with more than safe findings
    dropped: set[tuple[str, str]] = field(default_factory=set)  # operations that lost a declared property
    # Where each finding was made first, for the exchange that shows it.
    spots: dict[tuple[Any, ...], Found] = field(default_factory=dict)
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
        spot: Spot | None = None,
    ) -> None:
        """Add a finding of a rule; `at` holds both pointers, None where that document has nothing."""
        rule = BY_ID[CALLED.get(rule_id, rule_id) if scope and scope.called else rule_id]
        old, new = at
        found = Finding.of(
            rule, new if new is not None else old or "", what, base_pointer=old, before=before, after=after
        )
        self.add(found, scope, Found(scope, spot) if scope and spot else None)

    def add(self, found: Finding, scope: Scope | None, where: Found | None = None) -> None:
        """Keep a finding once, and count the operations that share it."""
        key = (found.rule, found.pointer, found.base_pointer, found.direction, canonical_bytes(found.after))
        self.findings.setdefault(key, found)
        if where is not None:
            self.spots.setdefault(key, where)
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
        key = (*nodes, scope.direction(position.message), position.wire)
        if key not in self._judged:
            self._judged[key] = self._judge(position, *nodes)
        answer, findings = self._judged[key]
        of_operation = self.answers.setdefault(scope.key, {})
        of_operation.setdefault(position.area, []).append((answer, nodes[1]))
        for found in findings:
            said = found.what.replace("{where}", position.label)
            self.add(replace(found, what=said), scope, Found(scope, position.spot, position.ends))
            if found.rule == "property-ignored":
                self.dropped.add(scope.key)

    def _nodes(self, position: Position, *, notes_bind: bool = False) -> tuple[Node, Node]:
        old, new = (
            self.node(api, position.message, end, position.key, notes_bind=notes_bind)
            for api, end in zip((self.old, self.new), position.ends, strict=True)
        )
        return old, new

    def node(
        self, api: Api, message: Message, place: Part, key: str = "schema", *, notes_bind: bool = False
    ) -> Node:
        """Give the schema of an object (absent: anything goes)."""
        side = api.side(message, notes_bind=notes_bind)
        raw = place.value.get(key, True)
        if place.value.get("in") == "path" and key == "schema":
            raw = _routable(raw)
        return side.node(f"{place.pointer}/{key}", raw, api.dialect)

    def _judge(self, position: Position, old: Node, new: Node) -> tuple[Answer, tuple[Finding, ...]]:
        bound = self._nodes(position, notes_bind=True) if self.old.noted or self.new.noted else None
        if self.comparer.same(old, new) and (bound is None or self.comparer.same(*bound)):
            return Answer.YES, ()
        direction = position.scope.direction(position.message)
        change = Change(old, new, direction, "{where}", position.wire, bound)
        found = judged(self.comparer, change)
        if found.answer is not Answer.YES:
            return found.answer, breaks(self.comparer, change, found)
        rule = BY_ID["schema-changed-compatibly"]
        safe = Finding.of(
            rule,
            new.pointer,
            "{where} changed, and nobody is broken",
            base_pointer=old.pointer,
            direction=direction,
            engine=found.engine,
        )
        lost = ignored(change) if direction == "accepts" else ()
        return Answer.YES, (safe, *lost)

    def doubt(self, found: Found) -> None:
        """Take back that the schemas of a finding are known to break somebody, wherever they stand."""
        if found.ends is None:
            return
        place = f"{found.ends[1].pointer}/schema"
        for listed in (found for areas in self.answers.values() for found in areas.values()):
            for index, (answer, node) in enumerate(listed):
                if answer is Answer.NO and node.pointer == place:
                    listed[index] = (Answer.UNKNOWN, node)

    def result(self) -> Iterator[Finding]:
        """Give the findings, each saying how many operations share it."""
        for key, found in self.findings.items():
            labels = self.others.get(key, set())
            left = len(labels) - 1
            more = f" (and in {left} more operation{'s' if left > 1 else ''})" if left > 0 else ""
            yield replace(found, what=found.what + more) if more else found


def _routable(schema: Any) -> Any:
    """Give a schema for what a path can carry: no router finds an empty segment."""
    if not isinstance(schema, dict) or schema.get("minLength", 0) != 0:
        return schema
    return {"allOf": [schema], "minLength": 1} if "$ref" in schema else {**schema, "minLength": 1}
