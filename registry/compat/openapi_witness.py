"""Shows a break as a whole request or answer, confirmed by the operations that the proxy would run.

For each finding that breaks somebody, a call (or answer) is built that one version takes and the other
refuses, beside the nearest one that both take. What cannot be built is left out; where the two compiled
operations decide alike about a value that the schemas tell apart, the finding is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kernel.contract.finding import Finding, Severity
from registry.compat.openapi_case import Case, Draft, Tale
from registry.compat.openapi_drafts import Answer
from registry.compat.openapi_journal import Found, Journal
from registry.compat.openapi_tales import MAKERS
from registry.compat.rules import BY_ID
from registry.compat.runtime import Runtime
from registry.compat.schema_view import Unreadable
from registry.compat.writing import Unwritable

MOST_SHOWN = 200  # findings of one comparison that are shown as exchanges
_TALES = frozenset({Severity.BREAKING, Severity.RISKY})
_VALUES = frozenset({"value-no-longer-accepted", "value-newly-emitted"})


class Shower:
    """Shows the findings of one comparison."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        known = journal.comparer.validators
        self._old, self._new = Runtime(journal.old.root, known), Runtime(journal.new.root, known)

    def shown(self) -> Iterator[tuple[Any, Finding]]:
        """Yield key and finding for those that gained an exchange, or lost their certainty."""
        left = MOST_SHOWN
        for key, finding in self._journal.findings.items():
            found = self._journal.spots.get(key)
            make = MAKERS.get(finding.rule)
            if found is None or make is None or finding.severity not in _TALES or left == 0:
                continue
            left -= 1
            try:
                made = self._with_exchange(
                    finding, found, make(Case(self._journal, finding, found, self._new))
                )
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
            return finding.under(BY_ID["witness-not-confirmed"], witness=None, has_witness=False)
        return finding

    def _decide(self, found: Found, draft: Draft) -> tuple[bool | None, bool | None]:
        """Ask both versions whether they take a draft."""
        old, new = found.scope.ends
        if isinstance(draft, Answer):
            answered = draft.answered()
            return self._old.allows(old, answered), self._new.allows(new, answered)
        sent, called = draft.sent(), found.scope.called
        return self._old.takes(old, sent, called=called), self._new.takes(new, sent, called=called)
