"""Proves that every value of one schema is a value of another: structural, coinductive, three-valued.

`Prover.includes(inner, outer)` answers True only with a proof. False means *not proven here*; whether it
is false is for a witness to show. Each keyword of the outer schema is a goal that must follow from what
is known of the inner value, case by case (`facts.cases`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kernel.contract.digest import canonical_bytes
from registry.compat import prove_applied, prove_containers, prove_values, prove_void
from registry.compat.constants import Constants
from registry.compat.equality import Sameness
from registry.compat.evaluate import evaluate
from registry.compat.facts import Case, Known, cases, place
from registry.compat.proof_keys import Key, Keys, Opened
from registry.compat.proving import Gap
from registry.compat.schema_view import OBJECT, Node, Reads, View
from registry.compat.text_rules import TextRules

MOST_STEPS = 60_000
MOST_REFUTED = 400  # steps for one refutation, of which a proof may need many
MOST_DEPTH = 90
MOST_BARRED = 16  # schemas that must not hold, each of which is asked whether it would


class OutOfBudget(Exception):
    """The proof grew beyond its bounds."""


class Prover:
    """One comparison. With `declared_only` a writer is held to write only what its schema declares.

    That is the reading of API contracts: where neither side closes its objects, a property that only
    the reader declares is not sent by the writer. Bare schemas are compared without it. One prover serves
    one document as the writer: what is proven of it is remembered.
    """

    def __init__(self, *, declared_only: bool = False, text: TextRules | None = None) -> None:
        self.declared_only = declared_only
        self.writer: Reads | None = None
        self.text = text or TextRules()
        # By the letter: what a schema that does *not* hold says is not for the writer to leave out.
        self._strict = Prover(text=self.text) if declared_only else self
        self.sameness = Sameness()
        self._keys = Keys(self.sameness)
        self.constants = Constants()
        self.gap: Gap | None = None
        self.level = 0  # how many steps into the value
        self._path: list[str] = []
        self._assumed: list[frozenset[Node]] = [frozenset()]  # the case at each step of the path
        self._quiet = 0
        self._steps = 0
        self._depth = 0
        self._proved: dict[Key, None] = {}
        # Where a goal failed before, below its own place; None when nobody was to know.
        self._failed: dict[Key, Gap | None] = {}
        self._split: dict[Known, list[Case]] = {}
        self._contradictory: dict[Known, bool] = {}
        self._void: dict[tuple[Known, int], bool] = {}
        self._open: dict[Key, Opened] = {}

    def includes(self, inner: Node, outer: Node) -> bool:
        """Whether every value of `inner` is proven to be one of `outer`; raises `Unreadable`."""
        if self.writer is not inner.side:
            self.writer = inner.side
            self._proved.clear()  # what was learnt of another writer
            self._failed.clear()
        self.gap = None
        self._steps = 0
        try:
            return self.holds(Known(frozenset({inner})), outer)
        except (OutOfBudget, RecursionError):
            self.gap = Gap(tuple(self._path), "too-large", outer)
            self._reset()
            return False

    def _reset(self) -> None:
        """Leave a proof that grew beyond its bounds."""
        self._open.clear()
        self._path.clear()
        self._assumed = [frozenset()]
        self._depth = self.level = 0

    def holds(self, known: Known, goal: Node) -> bool:
        """Prove one goal from a conjunction, remembering proofs and meeting recursion coinductively."""
        if goal in known.nodes or goal.view.always is True:
            return True
        key = self._keys.of(known, goal)
        if key in self._proved:
            return True
        if self.declared_only and any(self.sameness.same(goal, barred) for barred in known.without):
            # What a writer leaves out may fit a schema that is known not to hold: that proves nothing.
            return self.fails("oneOf", goal)
        if key in self._failed and (self._quiet or self._failed[key] is not None):
            return self._fails_again(self._failed[key])
        pending = self._open.get(key)
        return self._opened(key, known, goal) if pending is None else self._met_again(pending, known, goal)

    def _met_again(self, pending: Opened, known: Known, goal: Node) -> bool:
        """Answer for a goal that is under proof already."""
        if pending.level < self.level:
            pending.used = True  # sound only below the value where the goal was opened: values are finite
            return True
        if (known, goal) in pending.forms:  # the same in other words, by a reference, goes on
            return False
        pending.forms.add((known, goal))
        return self._argued(known, goal)

    def _opened(self, key: Key, known: Known, goal: Node) -> bool:
        """Prove a goal, and remember what came of it."""
        mark, before = len(self._proved), self.gap
        opened = self._open[key] = Opened(self.level, {(known, goal)})
        try:
            proven = self._argued(known, goal)
        finally:
            self._open.pop(key, None)
        if proven:
            self._proved[key] = None
        elif opened.used:
            for late in list(self._proved)[mark:]:
                del self._proved[late]  # they leant on what has just failed
        if not proven:
            self._failed[key] = self._relative(before)
        return proven

    def _argued(self, known: Known, goal: Node) -> bool:
        self._spend()
        self._depth += 1
        try:
            same = any(self.sameness.same(node, goal) for node in known.nodes)
            return same or all(self._holds_in(case, goal) for case in self.cases(known))
        finally:
            self._depth -= 1

    def _holds_in(self, case: Case, goal: Node) -> bool:
        before, around = self.gap, self._assumed[-1]
        self._assumed[-1] = case.nodes
        proven = self._case(case, goal)
        self._assumed[-1] = around
        if proven:
            return True
        if case.without and self.torn(case):
            self.gap = before
            return True
        return False

    def torn(self, case: Case) -> bool:
        """Whether a case asks for what it must not be: then there is no such value."""
        known = case.known
        if known not in self._contradictory:
            self._contradictory[known] = False  # asked again on the way: no
            self._contradictory[known] = any(
                self._strict.refutes(replace(case, without=frozenset()), None, barred)
                for barred in sorted(case.without, key=place)[:MOST_BARRED]
            )
        return self._contradictory[known]

    def impossible(self, known: Known, depth: int = 3) -> bool:
        """Whether no value at all is left."""
        key = (known, depth)
        if key not in self._void:
            self._void[key] = all(prove_void.empty(self, case, depth) for case in self.cases(known))
        return self._void[key]

    def within(self, step: str, known: Known, goal: Node) -> bool:
        """Prove a goal about a part of the value (`step` is its key)."""
        self.level += 1
        self._path.append(step)
        self._assumed.append(frozenset())
        try:
            return self.holds(known, goal)
        finally:
            self._assumed.pop()
            self._path.pop()
            self.level -= 1

    def within_any(self, step: str, known: Known, goals: tuple[Node, ...]) -> bool:
        """Prove one of several goals about a part of the value; says nothing of why none was."""
        self._quiet += 1
        try:
            return any(self.within(step, known, goal) for goal in goals)
        finally:
            self._quiet -= 1

    def fails(self, keyword: str, goal: Node, step: str | None = None) -> bool:
        """Note the first place where the proof stopped; always False."""
        if not self._quiet and self.gap is None:
            path = (*self._path, step) if step is not None else tuple(self._path)
            self.gap = Gap(path, keyword, goal, tuple(self._assumed))
        return False

    def _relative(self, before: Gap | None) -> Gap | None:
        """Give the gap that was just found, as seen from here."""
        if self.gap is None or self.gap is before or self._quiet:
            return None
        here = len(self._path)
        return replace(self.gap, path=self.gap.path[here:], cases=self.gap.cases[here:])

    def _fails_again(self, earlier: Gap | None) -> bool:
        if earlier is not None and not self._quiet and self.gap is None:
            cases = (*self._assumed[: len(self._path)], *earlier.cases)
            self.gap = replace(earlier, path=(*self._path, *earlier.path), cases=cases)
        return False

    def apart(self, case: Case, other: Node) -> bool:
        """Whether no value of the case is a value of `other`."""
        if case.types == {OBJECT} and self.constants.differ(case.nodes, other):
            return True
        barred = sorted(case.without, key=lambda node: (node.pointer != other.pointer, place(node)))
        if any(self.sameness.same(other, node) for node in barred):
            return True
        if self.declared_only and prove_containers.asks_unwritten(self, case, other):
            return True
        if self.impossible(replace(case.known, nodes=case.nodes | {other})):
            return True
        return any(self._strict.refutes(case, other, node) for node in barred[:MOST_BARRED])

    def refutes(self, case: Case, other: Node | None, barred: Node) -> bool:
        """Whether a value of the case (that `other` takes too) would be one of `barred`, which it is not."""
        known = Known(case.nodes | ({other} if other else set()), case.without - {barred}, case.types)
        begun = not self._open
        self._steps = MOST_STEPS - MOST_REFUTED if begun else self._steps
        self._quiet += 1
        try:
            return self.holds(known, barred)
        except (OutOfBudget, RecursionError):
            if not begun:
                raise
            self._reset()
            return False
        finally:
            self._quiet -= 1

    def cases(self, known: Known) -> list[Case]:
        """Split what is known at its alternatives, once."""
        if known not in self._split:
            self._spend()
            self._split[known] = cases(known)
        return self._split[known]

    def _spend(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS or self._depth > MOST_DEPTH:
            raise OutOfBudget

    def _case(self, case: Case, goal: Node) -> bool:
        if goal in case.nodes or prove_void.empty(self, case):
            return True
        view = goal.view
        if view.always is not None:
            return view.always or self.fails("false", goal)
        if case.values is not None and self._all_values(case, goal):
            return True
        if not case.types <= view.types:
            return self.fails("type", goal)
        if view.enum is not None and not self._within_enum(case, view):
            return self.fails("enum", goal)
        proven = (
            prove_values.numbers(self, case, goal)
            and prove_values.strings(self, case, goal)
            and prove_containers.arrays(self, case, goal)
            and prove_containers.objects(self, case, goal)
            and prove_applied.applied(self, case, goal)
        )
        return proven and prove_applied.unread(self, case, goal)

    def _all_values(self, case: Case, goal: Node) -> bool:
        """Decide a finite case value by value."""
        left = [value for value in case.values or () if prove_void.possible(self, case, value)]
        return all(evaluate(goal, value, self.text) is True for value in left)

    def _within_enum(self, case: Case, view: View) -> bool:
        if case.values is None:
            return prove_values.listed(self, case, view)
        left = (value for value in case.values if prove_void.possible(self, case, value))
        return all(canonical_bytes(value) in view.enum_keys for value in left)

    def some(self, choices: tuple[Node, ...], holds: Callable[[Node], bool]) -> bool:
        """Try alternatives; where none holds, the one that got furthest into the value says where."""
        before, furthest = self.gap, None
        # The alternative at the same place is most likely the one.
        taken = {node.pointer for node in self._assumed[-1]}
        for node in sorted(choices, key=lambda node: node.pointer not in taken):
            proven, gap = self._tried(node, holds)
            if proven:
                self.gap = before
                return True
            if gap is not None and len(gap.path) > len(furthest.path if furthest else self._path):
                furthest = gap
        self.gap = before or furthest
        return False

    def _tried(self, node: Node, holds: Callable[[Node], bool]) -> tuple[bool, Gap | None]:
        self.gap = None
        return holds(node), self.gap
