"""Judges one message against another, and one against several: each that may be written must be read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, shown
from kernel.operation.asyncapi_model import Action, MessageSchema
from registry.compat.asyncapi_formats import same_text
from registry.compat.asyncapi_sides import MADE, EventApi, EventJournal, Part, direction_of
from registry.compat.asyncapi_whole import Unit, media_of
from registry.compat.containment import Answer
from registry.compat.rules import BY_ID
from registry.compat.schema_change import Change
from registry.compat.schema_view import Node, Unreadable

_PARTS: Final[tuple[Part, ...]] = ("payload", "headers")
LIKE: Final = 0.5  # the share of property names in common that makes two messages alike
_MOST_VIEWS: Final = 64
_MOST_JOINED: Final = 16  # messages that one may have been split into


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether each message of one declaration is one of another; findings by the part they are about."""

    answer: Answer
    findings: tuple[tuple[Part, Finding], ...] = ()


@dataclass(frozen=True, slots=True)
class Judging:
    """The two documents in one way: `inner` messages are those that are written, `outer` those that are read."""

    journal: EventJournal
    way: Action

    @property
    def accepts(self) -> bool:
        """Whether the application receives here: then the old messages are those that are written."""
        return self.way == "receive"

    def api(self, *, inner: bool) -> EventApi:
        """Give the document of the messages that are written, or of those that are read."""
        return self.journal.old if inner is self.accepts else self.journal.new

    def judge(self, unit: Unit, other: Unit) -> Judgement:
        """Judge whether each message of one declaration is one of the other, part by part."""
        old, new = (unit, other) if self.accepts else (other, unit)
        answers = [Answer.NO] if media_of(old.message) != media_of(new.message) else []
        found: list[tuple[Part, Finding]] = []
        for part in _PARTS:
            if getattr(old.message, part) is None and getattr(new.message, part) is None:
                continue
            before = self.journal.old.schema(old.message, part, writes=self.accepts)
            after = self.journal.new.schema(new.message, part, writes=not self.accepts)
            if before is None or after is None:
                answer, findings = self._foreign(old, new, part)
            else:
                answer, findings = self.journal.schemas(
                    Change(before, after, direction_of(self.way), "{where}")
                )
            answers.append(answer)
            found += [(part, one) for one in findings]
        worst = next((one for one in (Answer.NO, Answer.UNKNOWN) if one in answers), Answer.YES)
        return Judgement(worst, tuple(found))

    def _foreign(self, old: Unit, new: Unit, part: Part) -> tuple[Answer, tuple[Finding, ...]]:
        """Judge a format that nothing here can compare: the same text is the same schema."""
        ends = [getattr(unit.message, part) for unit in (old, new)]
        if all(isinstance(end, MessageSchema) for end in ends) and same_text(*ends):
            return Answer.YES, ()
        rule = BY_ID["payload-format-undecided"]
        places = [
            end.pointer if end else unit.message.pointer for end, unit in zip(ends, (old, new), strict=True)
        ]
        # A waiver accepts this very text, and none that is written later.
        said = [shown({"format": end.format, "schema": end.schema}) if end else None for end in ends]
        found = Finding.of(
            rule,
            places[1],
            "{where} differs in a format that is not compared by meaning",
            base_pointer=places[0],
            before=said[0],
            after=said[1],
            direction=direction_of(self.way),
        )
        return Answer.UNKNOWN, (found,)

    def together(self, unit: Unit, outer: Sequence[Unit]) -> tuple[list[int], tuple[Finding, ...]]:
        """Find messages that together read what one was: it was split, or several were joined into it.

        Gives their places in `outer`, none where they do not, and what is to be told of it.
        """
        mine = self.schema(unit, "payload", inner=True)
        heads = self.schema(unit, "headers", inner=True)
        if mine is None or heads is None or len(outer) > _MOST_JOINED:
            return [], ()
        chosen: dict[int, Node] = {}
        for index, other in enumerate(outer):
            payload, headers = (self.schema(other, part, inner=False) for part in _PARTS)
            if payload is None or headers is None or payload.dialect is not mine.dialect:
                continue
            if media_of(other.message) == media_of(unit.message) and self._within(heads, headers):
                chosen[index] = payload
        if len(chosen) < 2:  # noqa: PLR2004 - one alone was tried before
            return [], ()
        names = frozenset().union(*(_properties(node) for node in chosen.values()))
        if _likeness(_properties(mine), names) < LIKE:
            return [], ()
        joined = self._any_of(list(chosen.values()))
        ends = (mine, joined) if self.accepts else (joined, mine)
        answer, findings = self.journal.schemas(Change(*ends, direction_of(self.way), "{where}"))
        return (list(chosen), findings) if answer is Answer.YES else ([], ())

    def schema(self, unit: Unit, part: Part, *, inner: bool) -> Node | None:
        """Give the schema of a written or a read message, None for a format that is no JSON Schema."""
        return self.api(inner=inner).schema(unit.message, part, writes=inner)

    def _within(self, inner: Node, outer: Node) -> bool:
        return self.journal.comparer.contains(inner, outer).answer is Answer.YES

    def _any_of(self, nodes: list[Node]) -> Node:
        """Make the schema that takes what any of several does."""
        names = hashlib.sha256(canonical_bytes([node.pointer for node in nodes])).hexdigest()[:12]
        raw = {"anyOf": [node.raw for node in nodes]}
        dialect = nodes[0].dialect
        assert dialect is not None
        return self.api(inner=False).node(f"{nodes[0].pointer}{MADE}-{names}", raw, dialect)

    def likeness(self, unit: Unit, other: Unit) -> float:
        """Give the share of their properties that a written and a read message have in common, 0 to 1."""
        ends = self.schema(unit, "payload", inner=True), self.schema(other, "payload", inner=False)
        return _likeness(*(_properties(node) for node in ends))

    def equal(self, unit: Unit, other: Unit, *, bare: bool) -> bool:
        """Whether two payloads say the same; `bare`: two that have no properties are equal enough."""
        written, read = self.schema(unit, "payload", inner=True), self.schema(other, "payload", inner=False)
        if written is None or read is None:
            mine, others = unit.message.payload, other.message.payload
            return mine is not None and others is not None and same_text(mine, others)
        if bare and not (_properties(written) or _properties(read)):
            return True
        return self.journal.comparer.same(written, read)


def _likeness(mine: frozenset[str], others: frozenset[str]) -> float:
    return len(mine & others) / len(mine | others) if mine | others else 0.0


def _properties(node: Node | None) -> frozenset[str]:
    """Give the names that a payload declares at its top."""
    found: set[str] = set()
    todo = [node] if node else []
    try:
        for _ in range(_MOST_VIEWS):
            if not todo:
                break
            view = todo.pop().view
            found |= set(view.properties)
            todo += [*view.all_of, *view.any_of, *view.one_of, *([view.ref] if view.ref else [])]
    except Unreadable:
        return frozenset()
    return frozenset(found)
