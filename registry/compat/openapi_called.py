"""Compares what we call: callbacks and webhooks, where requests are ours and answers are read.

The parts are judged by the functions for the calls that we take; only the polarity of their scope differs
(`Scope.called`), and rules have their counterparts in `registry.compat.rules.CALLED`.
"""

from __future__ import annotations

from collections.abc import Callable

from kernel.contract.positions import token
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import Parameters, parameters_of
from registry.compat.openapi_paths import operations
from registry.compat.openapi_places import Placed, Scope
from registry.compat.openapi_sides import Part

Pair = tuple[Part, Part]
Compare = Callable[[Journal, Scope, Pair, tuple[Parameters, Parameters]], None]  # of two operations


def compare_callbacks(journal: Journal, scope: Scope, ends: Pair, compare: Compare) -> None:
    """Judge the callbacks of an operation; their addresses are expressions, compared by their text."""
    before, after = journal.old.members(ends[0], "callbacks"), journal.new.members(ends[1], "callbacks")
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        label = f"callback {name!r}"
        if here is None or there is None:
            _alone(journal, scope, f"{scope.label}: {label}", (here, there))
            continue
        items = [
            {
                url: api.part(value, end.pointer + token(url))
                for url, value in end.value.items()
                if not url.startswith("x-")
            }
            for api, end in zip((journal.old, journal.new), (here, there), strict=True)
        ]
        for url in dict.fromkeys((*items[0], *items[1])):
            first, second = items[0].get(url), items[1].get(url)
            if first is None or second is None:
                _alone(journal, scope, f"{scope.label}: {label} at {url}", (first, second))
            else:
                inner = Scope(f"{scope.label}: {label}", scope.key, called=True)
                _item(journal, inner, (first, second), compare)


def compare_webhooks(journal: Journal, old: Part, new: Part, compare: Compare) -> None:
    """Judge the webhooks of the documents."""
    before, after = journal.old.members(old, "webhooks"), journal.new.members(new, "webhooks")
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        scope = Scope(f"webhook {name!r}", ("", name), called=True)
        if here is None and there is not None:
            journal.note("webhook-added", scope, f"{scope.label} was added", at=(None, there.pointer))
        elif there is None and here is not None:
            journal.note("webhook-removed", scope, f"{scope.label} was removed", at=(here.pointer, None))
        elif here is not None and there is not None:
            _item(journal, scope, (here, there), compare)


def _alone(journal: Journal, scope: Scope, label: str, ends: tuple[Part | None, Part | None]) -> None:
    """Note what only one version calls."""
    here, there = ends
    place = (here.pointer if here else None, there.pointer if there else None)
    rule, what = ("callback-changed", "added") if here is None else ("callback-removed", "removed")
    journal.note(rule, scope, f"{label} was {what}", at=place)


def _item(journal: Journal, scope: Scope, ends: Pair, compare: Compare) -> None:
    before, after = dict(operations(journal.old, ends[0])), dict(operations(journal.new, ends[1]))
    for method in dict.fromkeys((*before, *after)):
        here, there = before.get(method), after.get(method)
        if here is None or there is None:
            _alone(journal, scope, f"{scope.label}: {method}", (here, there))
            continue
        placed = [Placed("/", item, method, end) for item, end in zip(ends, (here, there), strict=True)]
        inner = Scope(f"{scope.label} {method}", scope.key, called=True, ends=(placed[0], placed[1]))
        parameters = (
            parameters_of(journal.old, ends[0], here, {}),
            parameters_of(journal.new, ends[1], there, {}),
        )
        compare(journal, inner, (here, there), parameters)
