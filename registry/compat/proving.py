"""What the goals about values, arrays and objects may ask of the prover that runs them."""

from __future__ import annotations

from typing import Protocol

from registry.compat.equality import Sameness
from registry.compat.facts import Known
from registry.compat.schema_view import Node
from registry.compat.text_rules import TextRules


class Proving(Protocol):
    """The prover, as its goals see it (`registry.compat.prover.Prover`)."""

    declared_only: bool
    text: TextRules
    sameness: Sameness

    def holds(self, known: Known, goal: Node) -> bool:
        """Prove one goal about the same value."""

    def within(self, step: str, known: Known, goal: Node) -> bool:
        """Prove a goal about a part of the value."""

    def impossible(self, known: Known, depth: int = 3) -> bool:
        """Whether no value at all is left."""

    def fails(self, keyword: str, goal: Node, step: str | None = None) -> bool:
        """Note the first place where the proof stopped; always False."""
