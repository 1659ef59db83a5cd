"""Shows a break as a whole request or answer, confirmed by the operations that the proxy would run.

For each finding that breaks somebody, a call (or answer) is built that one version takes and the other
refuses, beside the nearest one that both take. What cannot be built is left out; where the two compiled
operations decide alike about a value that the schemas tell apart, the finding is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kernel.contract.finding import Finding, Severity
from registry.compat import openapi_samples as samples
from registry.compat.nearest import nearest
from registry.compat.openapi_drafts import Answer, Body, Call
from registry.compat.openapi_journal import Found, Journal
from registry.compat.openapi_samples import Ends
from registry.compat.rules import BY_ID
from registry.compat.runtime import Runtime
from registry.compat.schema_view import Unreadable
from registry.compat.writing import Unwritable

MOST_SHOWN = 200  # findings of one comparison that are shown as exchanges
_TALES = frozenset({Severity.BREAKING, Severity.RISKY})
_VALUES = frozenset({"value-no-longer-accepted", "value-newly-emitted"})

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

    @property
    def key(self) -> tuple[str, str]:
        """The parameter that the finding speaks of."""
        return self.found.spot.where, self.found.spot.name

    def call(self) -> Call:
        """Give the plain call of the operation."""
        return samples.plain_call(self.journal, self.found.scope)

    def answer(self) -> Answer:
        """Give the plain answer of the status."""
        return samples.plain_answer(self.journal, self.found.scope, self.found.spot.status)


class Shower:
    """Shows the findings of one comparison."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._old, self._new = Runtime(journal.old.root), Runtime(journal.new.root)

    def shown(self) -> Iterator[tuple[Any, Finding]]:
        """Yield key and finding for those that gained an exchange, or lost their certainty."""
        left = MOST_SHOWN
        for key, finding in self._journal.findings.items():
            found = self._journal.spots.get(key)
            make = _MAKERS.get(finding.rule)
            if found is None or make is None or finding.severity not in _TALES or left == 0:
                continue
            left -= 1
            try:
                made = self._with_exchange(finding, found, make(Case(self._journal, finding, found)))
            except (Unwritable, Unreadable, RecursionError):
                continue
            if made is not finding:
                yield key, made

    def _with_exchange(self, finding: Finding, found: Found, tale: Tale) -> Finding:
        before, after = self._decide(found, tale.draft)
        takes, refuses = (before, after) if tale.old_takes else (after, before)
        if takes and refuses is False:
            made = replace(finding, exchange=tale.draft.exchange())
            if tale.plain is not None and self._decide(found, tale.plain) == (True, True):
                made = replace(made, nearest_exchange=tale.plain.exchange())
            return made
        if finding.rule in _VALUES and takes and refuses:
            self._journal.doubt(found)
            rule = BY_ID["witness-not-confirmed"]
            return replace(
                finding, rule=rule.id, severity=rule.severity, why=rule.why, remedy=rule.remedy,
                witness=None, has_witness=False,
            )  # fmt: skip
        return finding

    def _decide(self, found: Found, draft: Draft) -> tuple[bool | None, bool | None]:
        """Ask both versions whether they take a draft."""
        old, new = found.scope.ends
        if isinstance(draft, Answer):
            answered = draft.answered()
            return self._old.allows(old, answered), self._new.allows(new, answered)
        sent, called = draft.sent(), found.scope.called
        return self._old.takes(old, sent, called=called), self._new.takes(new, sent, called=called)


def _value(case: Case) -> Tale:
    """Put the witness where the schema stands, beside the nearest value that both versions take."""
    accepts = case.finding.direction == "accepts"
    near = _nearest(case, accepts=accepts)
    spot = case.found.spot
    plain: Draft = case.answer() if spot.status else case.call()
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
    found = nearest(outer, case.finding.witness, case.journal.comparer.accepts(inner))
    return None if found is None else (found.value,)


def _plain(case: Case) -> Tale:
    return Tale(case.call(), old_takes=True)


def _keyless(case: Case) -> Tale:
    """Call without an Idempotency-Key, beside the same with one."""
    call = case.call()
    return Tale(call, old_takes=True, plain=replace(call, headers=(("idempotency-key", "0a1b2c3d"),)))


def _without_parameter(case: Case) -> Tale:
    call = case.call()
    return Tale(call.lacking(case.key), old_takes=True, plain=call)


def _with_parameter(case: Case) -> Tale:
    old, _ = samples.parameters(case.journal, case.found.scope)
    call = case.call()
    spec, value = samples.parameter_value(case.journal, (old.get(case.key), None))
    return Tale(call.having(case.key, spec, value), old_takes=True, plain=call)


def _styled(case: Case) -> Tale:
    """Write a value in the old style, which the new version reads otherwise."""
    old, new = (found.get(case.key) for found in samples.parameters(case.journal, case.found.scope))
    if old is None or new is None:
        raise Unwritable("the parameter is in one version only")
    call = case.call()
    spec, value = samples.parameter_value(case.journal, (old, new))
    return Tale(
        call.having(case.key, spec, value), old_takes=True, plain=call.having(case.key, new.value, value)
    )


def _without_body(case: Case) -> Tale:
    call = case.call()
    return Tale(replace(call, body=None), old_takes=True, plain=call)


def _with_body(case: Case) -> Tale:
    call = case.call()
    old, _ = samples.request_bodies(case.journal, case.found.scope)
    body = samples.plain_body(case.journal, "request", (old, None))
    return Tale(replace(call, body=body), old_takes=True, plain=replace(call, body=None))


def _in_media_type(case: Case) -> Tale:
    call = case.call()
    old, _ = samples.request_bodies(case.journal, case.found.scope)
    body = samples.plain_body(case.journal, "request", (old, None), only=case.found.spot.media)
    return Tale(replace(call, body=body), old_takes=True, plain=call)


def _admitted_before(case: Case) -> Tale:
    call = case.call()
    lost = samples.schemes(case.journal, case.found.scope, lost=True)
    asked = samples.schemes(case.journal, case.found.scope, of_new=True)
    return Tale(replace(call, schemes=lost), old_takes=True, plain=replace(call, schemes=asked))


def _long(case: Case) -> Tale:
    """Announce a body of one byte more than the new limit; the head alone is shown."""
    limit = case.finding.after
    if not isinstance(limit, int):
        raise Unwritable("there is no limit")
    call = replace(case.call(), body=None)
    return Tale(replace(call, length=limit + 1), old_takes=True, plain=replace(call, length=limit))


def _answer_gone(case: Case) -> Tale:
    return Tale(case.answer(), old_takes=True)


def _answer_in_media_type(case: Case) -> Tale:
    answer = case.answer()
    pair = samples.responses(case.journal, case.found.scope, case.found.spot.status)
    body = samples.plain_body(case.journal, "response", (pair[0], None), only=case.found.spot.media)
    return Tale(replace(answer, body=body), old_takes=True, plain=answer)


def _bodiless(case: Case) -> Tale:
    answer = case.answer()
    return Tale(replace(answer, body=None), old_takes=False, plain=answer)


def _headless(case: Case) -> Tale:
    answer = case.answer()
    return Tale(answer.lacking(case.found.spot.name), old_takes=False, plain=answer)


_MAKERS: Mapping[str, Callable[[Case], Tale]] = {
    "value-no-longer-accepted": _value,
    "value-newly-emitted": _value,
    "operation-removed": _plain,
    "parameter-required": _without_parameter,
    "parameter-removed": _with_parameter,
    "parameter-style-changed": _styled,
    "request-body-required": _without_body,
    "request-body-removed": _with_body,
    "request-media-type-removed": _in_media_type,
    "security-tightened": _admitted_before,
    "limit-lowered": _long,
    "idempotency-key-required": _keyless,
    "response-removed": _answer_gone,
    "response-media-type-removed": _answer_in_media_type,
    "response-body-removed": _bodiless,
    "response-header-removed": _headless,
    "response-header-optional": _headless,
}
