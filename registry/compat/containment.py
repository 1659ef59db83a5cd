"""Does one schema take every value of another? Proven, refuted by a confirmed witness, or unknown.

Yes needs a proof: equality after normalisation, the structural prover, or `covers` of jsonschema-rs's
canonical schemas (where nothing is in sight that it treats as a note). No needs a witness that the
compiled runtime validators of both schemas confirm. All else is unknown, with the place where the proof
stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from kernel.schema.formats import ASSERTED, LOWERED
from registry.compat.candidate_parts import Memory, Steer
from registry.compat.candidates import Candidates
from registry.compat.canonical_engine import covers, differences, engine_version
from registry.compat.equality import Sameness
from registry.compat.evaluate import evaluate
from registry.compat.nearest import Nearest, Surroundings, nearest
from registry.compat.prover import Prover
from registry.compat.proving import Gap
from registry.compat.schema_digests import SchemaDigests
from registry.compat.schema_view import Node, Reads, Unreadable, unresolved
from registry.compat.shrink import shrunk
from registry.compat.text_rules import TextRules
from registry.compat.validators import TOO_DEEP, Validators
from registry.compat.wire import Wire, item_of_any_list, reads_any_text, reads_by_part, reads_each_text

MOST_CANDIDATES = 2_000
_AS_VALIDATED = TextRules(as_validated=True)
_UNRESOLVED = "a reference could not be looked up here, and it may decide"

Accepts = Callable[[Any], bool]


class Answer(StrEnum):
    """Whether the outer schema takes every value of the inner one."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Containment:
    """An answer; NO carries a witness, UNKNOWN the reason and, where there is one, the gap in the proof."""

    answer: Answer
    witness: Any = None
    gap: Gap | None = None
    reason: str = ""
    engine: str = "interlock"
    rule: str = "inclusion-undecided"  # what an unknown is reported as


class Comparer:
    """Compares schemas of two documents; what was proven for one place serves the next.

    `declared_only` is the reading of API contracts (see `Prover`); False takes schemas by the letter.
    """

    def __init__(self, *, declared_only: bool) -> None:
        self.declared_only = declared_only
        self._text = TextRules()
        self._sameness = Sameness()
        self._provers: dict[Reads, Prover] = {}
        self._memory = Memory()
        self._whole: set[Node] = set()  # what leans on nothing that is not known
        self.digests = SchemaDigests()
        self.validators = Validators()
        self._near = Surroundings(self.validators)
        self._nearest: dict[tuple[int, int, int, str], Nearest | None] = {}

    def same(self, first: Node, second: Node) -> bool:
        """Whether both say the same after normalisation; False where that cannot be read."""
        try:
            return self._sameness.same(first, second)
        except Unreadable:
            return False

    def contains(  # noqa: PLR0911 - one return for each way to know
        self, inner: Node, outer: Node, *, wire: Wire | None = None
    ) -> Containment:
        """Answer for two schemas. `wire` stands in for the JSON reading where values travel as text."""
        try:
            if (wire and self._read_as_text(inner, outer, wire)) or self._proven(inner, outer):
                return Containment(Answer.YES)
            gap = self._provers[inner.side].gap
            if covers(inner, outer):
                return Containment(Answer.YES, engine=f"jsonschema-rs {engine_version()}")
            partial = unresolved(inner, self._whole) or unresolved(outer, self._whole)
        except (Unreadable, RecursionError) as error:
            return Containment(Answer.UNKNOWN, reason=getattr(error, "message", TOO_DEEP))
        takes, refuses = self.validators.of(inner), self.validators.of(outer)
        if isinstance(takes, str) or isinstance(refuses, str):
            reason = takes if isinstance(takes, str) else str(refuses)
            return Containment(Answer.UNKNOWN, gap=gap, reason=reason)

        def breaks(value: Any) -> bool:
            if not takes.accepts(value) or (wire is not None and not wire.sendable(value)):
                return False
            readings = list(wire.readings(value)) if wire else [value]
            if any(refuses.accepts(reading) for reading in readings):
                return False
            # What a schema says that could not be looked up must make no difference.
            return not partial or all(self._differs(inner, outer, value, reading) for reading in readings)

        witness = self._witness(inner, outer, breaks, gap)
        if witness is not None:
            return Containment(Answer.NO, witness=witness[0], gap=gap)
        if partial:
            return Containment(Answer.UNKNOWN, gap=gap, reason=_UNRESOLVED, rule="reference-unresolved")
        return Containment(Answer.UNKNOWN, gap=gap, reason=_reason(gap))

    def _read_as_text(self, inner: Node, outer: Node, wire: Wire) -> bool:
        """Prove what holds only because values travel as text."""
        if reads_any_text(inner, outer) or reads_each_text(inner, outer, wire, self._text):
            return True
        if not wire.mixed and reads_by_part(inner, outer, self._proven):
            return True
        item = item_of_any_list(inner, outer, wire)
        return item is not None and (reads_any_text(inner, item) or self._proven(inner, item))

    def _proven(self, inner: Node, outer: Node) -> bool:
        """Ask the prover of the document whose values are judged."""
        if inner.side not in self._provers:
            self._provers[inner.side] = Prover(declared_only=self.declared_only, text=self._text)
        return self._provers[inner.side].includes(inner, outer)

    def _differs(self, inner: Node, outer: Node, value: Any, reading: Any) -> bool:
        return (
            evaluate(inner, value, _AS_VALIDATED) is True and evaluate(outer, reading, _AS_VALIDATED) is False
        )

    def accepts(self, node: Node) -> Accepts | None:
        """Give the runtime validator of a schema, None where it cannot be compiled."""
        found = self.validators.of(node)
        return None if isinstance(found, str) else found.accepts

    def _witness(self, inner: Node, outer: Node, breaks: Accepts, gap: Gap | None) -> tuple[Any] | None:
        """Look for a value that one takes and the other refuses, the plainest first."""
        try:
            # First where the proof stopped, then anywhere: it may stop at what nobody knows.
            for steer in ((Steer(gap.path, gap.cases),) if gap and gap.path else ()) + (Steer(),):
                candidates = Candidates(
                    declared_only=self.declared_only, text=self._text, steer=steer, memory=self._memory
                )
                for value in islice(candidates.values(inner, outer), MOST_CANDIDATES):
                    if breaks(value):
                        return (shrunk(value, breaks),)
            if not self.declared_only:
                for value in differences(inner, outer):
                    if breaks(value):
                        return (shrunk(value, breaks),)
        except (Unreadable, RecursionError):
            return None
        return None

    def nearest(self, node: Node, witness: Any, also: Node | None = None) -> Nearest | None:
        """Give the nearest instance that a schema takes, and `also` too (see `nearest`)."""
        ends = (self.validators.of(node), also and self.validators.of(also))
        # Places of one document with one text share a validator; both are kept, and their identities with them.
        key = (id(node.side), id(ends[0]), id(ends[1]), repr(witness))
        if key not in self._nearest:
            other = self.accepts(also) if also is not None else None
            self._nearest[key] = nearest(node, witness, other, self._near)
        return self._nearest[key]


def agrees(inner: Node, outer: Node, value: Any) -> bool:
    """Whether a witness also stands in another reading of the same two schemas."""
    text = TextRules()
    try:
        return evaluate(inner, value, text) is not False and evaluate(outer, value, text) is False
    except Unreadable:
        return False


def _reason(gap: Gap | None) -> str:
    """Say why neither a proof nor a witness was found."""
    form = gap.goal.view.format if gap is not None and gap.keyword == "format" else None
    if form is not None and form not in ASSERTED and form not in LOWERED:
        return f"the format `{form}` is checked by no validator here, so that nothing is known of it"
    if gap is not None and gap.keyword == "too-large":
        return "the proof grew beyond its bounds, and no witness was found"
    return f"no proof at `{gap.keyword if gap else 'schema'}`, and no witness was found"
