"""Judges the change of one schema in one direction, and says where and why as a finding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from kernel.contract.finding import Finding, shown
from kernel.contract.positions import token
from registry.compat.containment import Answer, Comparer, Containment, agrees
from registry.compat.rules import BY_ID
from registry.compat.schema_view import Node, Unreadable
from registry.compat.wire import Wire

Direction = Literal["accepts", "emits"]
Nodes = frozenset[Node]
_NOTES_DECIDE = "it depends on readOnly or writeOnly, which are only notes in this dialect"
MOST_REFERENCES = 32  # that are followed one after another
MOST_DECLARED = 5_000  # schemas that are looked through for declared properties


@dataclass(frozen=True, slots=True)
class Change:
    """One schema in both versions; `where` begins the sentence ("The request body", "Parameter x")."""

    old: Node
    new: Node
    direction: Direction
    where: str
    wire: Wire | None = None
    # The same pair where readOnly and writeOnly bind: both readings must agree (OpenAPI 3.1).
    bound: tuple[Node, Node] | None = None


def judged(comparer: Comparer, change: Change) -> Containment:
    """Answer whether nobody is broken: YES, NO with a witness, or UNKNOWN."""
    inner, outer = _ordered(change, change.old, change.new)
    found = comparer.contains(inner, outer, wire=change.wire)
    if change.bound is None or found.answer is Answer.UNKNOWN:
        return found
    inner, outer = _ordered(change, *change.bound)
    if found.answer is Answer.NO:
        confirmed = agrees(inner, outer, found.witness)
    else:
        confirmed = comparer.contains(inner, outer, wire=change.wire).answer is Answer.YES
    return found if confirmed else Containment(Answer.UNKNOWN, gap=found.gap, reason=_NOTES_DECIDE)


def _ordered(change: Change, old: Node, new: Node) -> tuple[Node, Node]:
    """Order the two: we accept at least what we did, and emit at most what we did."""
    return (old, new) if change.direction == "accepts" else (new, old)


def finding(change: Change, found: Containment) -> Finding:
    """Write a NO or an UNKNOWN as a finding, at the keyword where the proof stopped."""
    accepts = change.direction == "accepts"
    if found.answer is Answer.NO:
        rule = BY_ID["value-no-longer-accepted" if accepts else "value-newly-emitted"]
    else:
        rule = BY_ID[found.rule]
    path = found.gap.path if found.gap else ()
    keyword = found.gap.keyword if found.gap else ""
    goal = found.gap.goal if found.gap else None
    around = (
        path[:-1] if keyword == "required" else path
    )  # the object asks, not the property that it asks for
    assumed = found.gap.cases if found.gap else ()
    ends = [_holding(_end(side, goal, around, assumed), keyword) for side in (change.old, change.new)]
    before, after = (_shown(end, keyword) for end in ends)
    at = "/".join(path)
    what = f"{change.where}{f' at {at!r}' if at else ''}: `{keyword or 'schema'}` changed"
    if keyword == "false":  # a part that one side forbids altogether, as where objects are closed
        what = what.replace(
            "`false` changed", "may not stand there any more" if accepts else "may stand there now"
        )
    if found.answer is Answer.NO:
        what += (
            ", and a value that was taken is refused" if accepts else ", and a value that never came may come"
        )
    return Finding.of(
        rule,
        _pointer(ends[1], keyword),
        what,
        why=rule.why if found.answer is Answer.NO else f"{rule.why} ({found.reason})",
        base_pointer=_pointer(ends[0], keyword),
        before=before,
        after=after,
        witness=found.witness,
        has_witness=found.answer is Answer.NO,
        direction=change.direction,
        engine=found.engine,
    )


def ignored(change: Change) -> tuple[Finding, ...]:
    """Give the properties that the old schema declares for what we accept, and the new one does not."""
    try:
        kept = set(_declared(change.new))
        gone = [path for path in dict.fromkeys(_declared(change.old)) if path not in kept]
    except Unreadable:
        return ()
    rule = BY_ID["property-ignored"]
    return tuple(
        Finding.of(
            rule,
            follow(change.new, path[:-1]).pointer,
            f"{change.where}: property {'/'.join(path)!r} is no longer declared",
            base_pointer=follow(change.old, path).pointer,
            direction=change.direction,
        )
        for path in gone
        if path[:-1] not in gone
    )


def _declared(start: Node) -> Iterator[tuple[str, ...]]:
    """Give the path of every property that a schema declares; a recursive part is not entered again."""
    todo: list[tuple[Node, tuple[str, ...], frozenset[Node]]] = [(start, (), frozenset())]
    for _ in range(MOST_DECLARED):
        if not todo:
            return
        node, path, around = todo.pop()
        if node in around:
            continue
        around |= {node}
        view = node.view
        for name, below in view.properties.items():
            if below.view.always is not False:  # what may not be there is not declared
                yield (*path, name)
            todo.append((below, (*path, name), around))
        todo += [(below, (*path, "*"), around) for below in (view.items, view.additional) if below]
        inside = ((view.ref,) if view.ref else ()) + view.all_of + view.any_of + view.one_of
        todo += [(other, path, around) for other in (*inside, *(view.condition or ())) if other]
    raise Unreadable("too many properties to compare them by name")


def _end(start: Node, goal: Node | None, path: tuple[str, ...], assumed: tuple[Nodes, ...]) -> Node:
    """Give the schema of one document at which the proof stopped."""
    return goal if goal is not None and goal.side is start.side else follow(start, path, assumed)


def _holding(node: Node, keyword: str) -> Node:
    """Follow references to the schema that holds a keyword; the node itself where none does."""
    found = node
    for _ in range(MOST_REFERENCES):
        if isinstance(found.raw, dict) and keyword in found.raw:
            return found
        try:
            target = found.view.ref
        except Unreadable:
            break
        if target is None:
            break
        found = target
    return node


def _pointer(node: Node, keyword: str) -> str:
    node, keyword = _as_written(node, keyword)
    if isinstance(node.raw, dict) and keyword in node.raw:
        return node.pointer + token(keyword)
    return node.pointer


def _as_written(node: Node, keyword: str) -> tuple[Node, str]:
    """Give the place in the text, where a proof stopped at what keywords mean together."""
    place, made, _ = node.pointer.partition("/~chosen")
    return (node.side.at(place), "discriminator") if made else (node, keyword)


def _shown(node: Node, keyword: str) -> Any:
    """Give the keyword's value as a finding repeats it."""
    node, keyword = _as_written(node, keyword)
    value = node.raw.get(keyword) if isinstance(node.raw, dict) else node.raw
    return shown(value)


def follow(node: Node, path: tuple[str, ...], assumed: tuple[Nodes, ...] = ()) -> Node:
    """Walk a schema along a path in the value, as far as it is declared.

    `assumed` names the alternatives that hold at each step, the value itself first; else the first one counts.
    """
    for depth, step in enumerate(path):
        try:
            below = _below(node, step, 8, assumed[depth] if depth < len(assumed) else frozenset())
        except Unreadable:
            return node
        if below is None:
            return node
        node = below
    return node


def _below(node: Node, step: str, rounds: int, assumed: Nodes) -> Node | None:
    view = node.view
    if step in view.properties:
        return view.properties[step]
    if step.isdecimal() and int(step) < len(view.prefix):
        return view.prefix[int(step)]
    if step == "*" and (view.items or view.additional):
        return view.items or view.additional
    if rounds == 0:
        return None
    choices = sorted(view.any_of + view.one_of, key=lambda other: other not in assumed)
    for other in (*((view.ref,) if view.ref else ()), *view.all_of, *choices):
        found = _below(other, step, rounds - 1, assumed)
        if found is not None:
            return found
    return None
