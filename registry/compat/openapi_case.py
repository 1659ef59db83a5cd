"""One finding to be shown as an exchange, and the exchange that carries its witness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kernel.contract.finding import Finding
from registry.compat import openapi_samples as samples
from registry.compat.openapi_drafts import Answer, Body, Call
from registry.compat.openapi_journal import Found, Journal
from registry.compat.openapi_places import Spot
from registry.compat.openapi_samples import Ends
from registry.compat.runtime import Runtime
from registry.compat.writing import Unwritable

Draft = Call | Answer


@dataclass(frozen=True, slots=True)
class Tale:
    """A draft, whether the old version takes it (else the new one), and a draft that both may take."""

    draft: Draft
    old_takes: bool
    plain: Draft | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One finding with what is needed to show it."""

    journal: Journal
    finding: Finding
    found: Found
    new: Runtime

    def takes_newly(self, call: Call) -> bool | None:
        """Whether the new version takes a call."""
        return self.new.takes(self.found.scope.ends[1], call.sent(), called=self.found.scope.called)

    @property
    def key(self) -> tuple[str, str]:
        """The parameter that the finding speaks of."""
        return self.found.spot.where, self.found.spot.name

    def call(self, leave: Spot | None = None) -> Call:
        """Give the plain call of the operation; `leave`: without this part."""
        return samples.plain_call(self.journal, self.found.scope, leave=leave)

    def answer(self, leave: Spot | None = None) -> Answer:
        """Give the plain answer of the status; `leave`: without this part."""
        spot = self.found.spot
        return samples.plain_answer(self.journal, self.found.scope, spot.status, leave=leave)


def value_tale(case: Case) -> Tale:
    """Put the witness where the schema stands, beside the nearest value that both versions take."""
    accepts = case.finding.direction == "accepts"
    near = _nearest(case, accepts=accepts)
    spot = case.found.spot
    plain: Draft = case.answer(spot) if spot.status else case.call(spot)
    draft = _holding(case, plain, case.finding.witness, old=accepts)
    return Tale(draft, accepts, None if near is None else _holding(case, plain, near[0], old=accepts))


def _holding(case: Case, draft: Draft, value: Any, *, old: bool) -> Draft:
    """Give a draft with a value at the place that the finding speaks of, as one version writes it."""
    spot = case.found.spot
    if isinstance(draft, Answer) and spot.kind == "header":
        pair = samples.responses(case.journal, case.found.scope, spot.status)
        spec = _written_by(samples.headers(case.journal, pair)[spot.name], old=old)
        return draft.having(spot.name, spec, value)
    if isinstance(draft, Call) and spot.kind == "parameter":
        ends = [found.get(case.key) for found in samples.parameters(case.journal, case.found.scope)]
        return draft.having(case.key, _written_by((ends[0], ends[1]), old=old), value)
    return replace(draft, body=Body(samples.media_of(spot.media), value))


def _written_by(ends: samples.Pair, *, old: bool) -> Mapping[str, Any]:
    part = ends[0] if old else ends[1]
    part = part or ends[0] or ends[1]
    if part is None:
        raise Unwritable("the parameter is in neither version")
    return part.value


def _nearest(case: Case, *, accepts: bool) -> tuple[Any] | None:
    if case.finding.has_nearest:
        return (case.finding.nearest,)
    if case.found.ends is None:
        return None
    message = "response" if case.found.spot.status else "request"
    nodes = Ends(case.journal, message, case.found.ends).nodes()  # type: ignore[arg-type]  # one of the two words
    inner, outer = nodes if accepts else nodes[::-1]
    found = case.journal.comparer.nearest(outer, case.finding.witness, inner)
    return None if found is None else (found.value,)
