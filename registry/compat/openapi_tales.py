"""Builds, for each rule, the call or answer that shows its break: one function for each kind of break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from kernel.operation.media_types import MediaType
from registry.compat import openapi_samples as samples
from registry.compat.openapi_case import Case, Tale, value_tale
from registry.compat.openapi_drafts import Body, Call
from registry.compat.openapi_samples import Ends
from registry.compat.writing import Unwritable

MOST_STYLED = 40  # values that are written in two styles


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
    call = case.call(case.found.spot)
    tales = [
        Tale(
            call.having(case.key, old.value, value),
            old_takes=True,
            plain=call.having(case.key, new.value, value),
        )
        for value in _compound(Ends(case.journal, "request", (old, new)))
    ]
    refused = [
        tale for tale in tales if isinstance(tale.draft, Call) and case.takes_newly(tale.draft) is False
    ]
    if not refused:
        raise Unwritable("every text of the old style is taken by the new one, if for another value")
    return refused[0]


def _compound(ends: Ends) -> Iterator[Any]:
    """Give values in which a style shows: objects, and lists of more than one."""
    checks = [ends.journal.comparer.accepts(node) for node in ends.nodes()]
    for value in islice(ends.values(), MOST_STYLED):
        longer = value * 2 if isinstance(value, list) else value
        if isinstance(longer, list | dict) and all(check is None or check(longer) for check in checks):
            yield longer


def _emptied(case: Case) -> Tale:
    call = case.call()
    spot = case.found.spot
    spec = {"name": spot.name, "in": spot.where, "schema": {"type": "string"}}
    return Tale(call.having((spot.where, spot.name), spec, ""), old_takes=True, plain=call)


def _without_body(case: Case) -> Tale:
    call = case.call()
    return Tale(replace(call, body=None), old_takes=True, plain=call)


def _with_body(case: Case) -> Tale:
    call = case.call()
    old, _ = samples.request_bodies(case.journal, case.found.scope)
    body = samples.plain_body(case.journal, "request", (old, None))
    return Tale(replace(call, body=body), old_takes=True, plain=replace(call, body=None))


def _in_media_type(case: Case) -> Tale:
    """Send a type that only the old version takes: for a range, one that the new version names nowhere."""
    call = case.call()
    old, _ = samples.request_bodies(case.journal, case.found.scope)
    body = samples.plain_body(case.journal, "request", (old, None), only=case.found.spot.media)
    types = [MediaType(essence) for essence in _TYPES] if body.media.is_range else [body.media]
    for media in types:
        draft = replace(call, body=Body(media, body.value))
        if body.media.covers(media) and _is_refused(case, draft):
            return Tale(draft, old_takes=True, plain=call)
    raise Unwritable("the new version takes every type that is tried")


def _is_refused(case: Case, draft: Call) -> bool:
    try:
        return case.takes_newly(draft) is False
    except Unwritable:
        return False


# What is tried where a range is declared: the types that are met most, then one that nobody declares.
_TYPES = ("application/json", "application/vnd.example+json", "text/plain")


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


def _sent_without(case: Case) -> Tale:
    """Send what we call without a part that was always there: the new version does, the old one never did."""
    call = case.call()
    lacking = call.lacking(case.key) if case.found.spot.kind == "parameter" else replace(call, body=None)
    return Tale(lacking, old_takes=False, plain=call)


def _sent_in_media_type(case: Case) -> Tale:
    call = case.call()
    _, new = samples.request_bodies(case.journal, case.found.scope)
    body = samples.plain_body(case.journal, "request", (None, new), only=case.found.spot.media)
    return Tale(replace(call, body=body), old_takes=False, plain=call)


def _reply_gone(case: Case) -> Tale:
    return _answer_in_media_type(case) if case.found.spot.media else _answer_gone(case)


def _reply_without(case: Case) -> Tale:
    answer = case.answer()
    spot = case.found.spot
    lacking = answer.lacking(spot.name) if spot.kind == "header" else replace(answer, body=None)
    return Tale(lacking, old_takes=True, plain=answer)


def _with_unknown_field(case: Case) -> Tale:
    call = case.call()
    name = "x-undeclared"
    spec = {"name": name, "in": case.found.spot.where, "schema": {"type": "string"}}
    return Tale(call.having((case.found.spot.where, name), spec, "a"), old_takes=True, plain=call)


def _unfit(case: Case) -> Tale:
    """Send content that fits no schema where the old version passed everything on unread."""
    call = case.call()
    media = samples.media_of(case.found.spot.media)
    for value in _MISFITS:
        draft = replace(call, body=Body(media, value))
        if _is_refused(case, draft):
            return Tale(draft, old_takes=True, plain=call)
    raise Unwritable("nothing is found that the new version refuses")


_MISFITS: tuple[Any, ...] = ({}, [], "text", 0, None, {"x": None})


MAKERS: Mapping[str, Callable[[Case], Tale]] = {
    "value-no-longer-accepted": value_tale,
    "value-newly-emitted": value_tale,
    "operation-removed": _plain,
    "parameter-required": _without_parameter,
    "parameter-removed": _with_parameter,
    "parameter-style-changed": _styled,
    "parameter-empty-refused": _emptied,
    "request-body-required": _without_body,
    "request-body-removed": _with_body,
    "request-media-type-removed": _in_media_type,
    "security-tightened": _admitted_before,
    "limit-lowered": _long,
    "idempotency-key-required": _keyless,
    "unknown-fields-refused": _with_unknown_field,
    "accepted-content-now-checked": _unfit,
    "sent-part-dropped": _sent_without,
    "sent-media-type-added": _sent_in_media_type,
    "reply-no-longer-taken": _reply_gone,
    "reply-part-required": _reply_without,
    "response-removed": _answer_gone,
    "response-media-type-removed": _answer_in_media_type,
    "response-body-removed": _bodiless,
    "response-header-removed": _headless,
    "response-header-optional": _headless,
}
