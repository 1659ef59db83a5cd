"""What the goals about values, arrays and objects may ask of the prover that runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from registry.compat.equality import Sameness
from registry.compat.facts import Case, Known
from registry.compat.schema_view import Node, Reads
from registry.compat.text_rules import TextRules


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a proof stopped: the path in the value, the keyword, and the place of the outer schema.

    `cases` holds what was assumed at each step of the path, the value itself first: which alternative of the
    inner schema could not be shown to fit.
    """

    path: tuple[str, ...]
    keyword: str
    goal: Node
    cases: tuple[frozenset[Node], ...] = ()


class Proving(Protocol):
    """The prover, as its goals see it (`registry.compat.prover.Prover`)."""

    declared_only: bool
    writer: Reads | None  # the document whose values are judged
    text: TextRules
    sameness: Sameness

    def holds(self, known: Known, goal: Node) -> bool:
        """Prove one goal about the same value."""

    def within(self, step: str, known: Known, goal: Node) -> bool:
        """Prove a goal about a part of the value."""

    def within_any(self, step: str, known: Known, goals: tuple[Node, ...]) -> bool:
        """Prove one of several goals about a part of the value; says nothing of why none was."""

    def some(self, choices: tuple[Node, ...], holds: Callable[[Node], bool]) -> bool:
        """Try alternatives; where none holds, the one that got furthest into the value says where."""

    def apart(self, case: Case, other: Node) -> bool:
        """Whether no value of the case is a value of `other`."""

    def torn(self, case: Case) -> bool:
        """Whether a case asks for what it must not be: then there is no such value."""

    def cases(self, known: Known) -> list[Case]:
        """Split what is known at its alternatives, once."""

    def impossible(self, known: Known, depth: int = 3) -> bool:
        """Whether no value at all is left."""

    def fails(self, keyword: str, goal: Node, step: str | None = None) -> bool:
        """Note the first place where the proof stopped; always False."""
