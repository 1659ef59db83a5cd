"""Judges our own extensions (`x-interlock-…`): limits, keys, caching, cross-origin access, unknown fields.

What another's extension means is not known, and it is a note; one of ours that no row here knows is
undecided. Policies that a document or a path item sets for its operations are judged where they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.positions import token
from kernel.errors import ContractInvalid
from kernel.operation.caching import EXTENSION as CACHE
from kernel.operation.caching import SENSITIVITY, compile_caching
from kernel.operation.cors import ANY, Cors, compile_cors
from kernel.operation.cors import EXTENSION as CORS
from kernel.operation.idempotency import EXTENSION as IDEMPOTENCY
from kernel.operation.undeclared import LENIENT, PLACES, Unknown, unknown_of
from registry.compat.idempotency import rule_of_idempotency
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_places import Scope, Spot
from registry.compat.openapi_sides import Part

_OURS = "x-interlock-"
_UNKNOWN = frozenset(f"x-interlock-unknown-{place}" for place in PLACES)
# What says nothing to those who call: marks for reviewers, and answers of a mock.
_NOTES = frozenset({SENSITIVITY, "x-interlock-mock"})

Said = tuple[str, str]  # rule, and the end of its sentence
Judge = Callable[[Any, Any], Said | None]  # values before and after; None: no rule knows what it means


def compare_policies(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    """Judge the extensions of one operation."""
    for key in changed_extensions(old.value, new.value, _UNKNOWN | _NOTES):
        _judge(journal, scope, key, (old, new))


def compare_root_policies(journal: Journal, old: Part, new: Part) -> None:
    """Judge the extensions of the documents."""
    for key in changed_extensions(old.value, new.value, _UNKNOWN | _NOTES):
        _judge(journal, None, key, (old, new))


def compare_item_policies(journal: Journal, old: Part, new: Part) -> None:
    """Note extensions of path items that hold for no operation as they stand."""
    for key in changed_extensions(old.value, new.value, _UNKNOWN | _NOTES):
        journal.unclassified(None, key, old, new)


def changed_extensions(
    old: Mapping[str, Any], new: Mapping[str, Any], without: frozenset[str]
) -> Iterator[str]:
    """Give our extensions that differ."""
    for key in dict.fromkeys((*old, *new)):
        if key.startswith(_OURS) and key not in without and _text(old, key) != _text(new, key):
            yield key


def _text(holder: Mapping[str, Any], key: str) -> bytes:
    return canonical_bytes([holder[key]] if key in holder else [])


def _judge(journal: Journal, scope: Scope | None, key: str, ends: tuple[Part, Part]) -> None:
    before, after = (end.value.get(key) for end in ends)
    judge = (_OF_OPERATIONS if scope else _OF_DOCUMENTS).get(key)
    said = None
    if judge is not None and not (scope and scope.called):
        try:
            said = judge(before, after)
        except ContractInvalid:
            said = None
    if said is None:
        journal.unclassified(scope, key, *ends)
        return
    rule, what = said
    at = [end.pointer + token(key) if key in end.value else None for end in ends]
    label = f"{scope.label}: " if scope else ""
    journal.note(rule, scope, label + what, at=(at[0], at[1]), before=before, after=after, spot=Spot())


def _body_limit(before: Any, after: Any) -> Said | None:
    if any(value is not None and type(value) is not int for value in (before, after)):
        return None
    if after is not None and (before is None or after < before):
        return "limit-lowered", f"bodies may now have {after} bytes, {_or_none(before)} before"
    return "limit-raised", f"bodies may now have {_or_none(after)} bytes, {before} before"


def _or_none(limit: int | None) -> str:
    return "as many as the listener takes" if limit is None else str(limit)


def _weight(before: Any, after: Any) -> Said | None:
    old, new = (1 if value is None else value for value in (before, after))
    if type(old) is not int or type(new) is not int:
        return None
    rule = "weight-raised" if new > old else "weight-lowered"
    return rule, f"one call now counts as {new} in limits, as {old} before"


def _idempotency(before: Any, after: Any) -> Said | None:
    rule = rule_of_idempotency(before, after)
    return None if rule is None else (rule, _KEYS[rule])


_KEYS: Mapping[str, str] = {
    "idempotency-key-required": "an Idempotency-Key must be sent now",
    "idempotency-key-dropped": "an Idempotency-Key is no longer honoured",
    "idempotency-key-shorter": "an Idempotency-Key is kept for a shorter time",
    "idempotency-key-taken": "an Idempotency-Key may be sent now",
    "idempotency-key-relaxed": "an Idempotency-Key is asked for less strictly, or kept for longer",
}


def _cache(before: Any, after: Any) -> Said | None:
    """Judge how old an answer may be: a reader who was never given a kept one has to reckon with it now."""
    old, new = (compile_caching({CACHE: value}, {}, b"GET", "") for value in (before, after))
    if new is None:
        return "cache-narrowed", "answers are no longer kept"
    if old is None:
        return "cache-widened", "answers may be kept, and given again"
    older = old.max_age is not None and (new.max_age is None or new.max_age > old.max_age)
    if older or (new.authorization and not old.authorization):
        return "cache-widened", "answers may be kept for longer, or for more callers"
    return "cache-narrowed", "answers are kept for a shorter time, or for fewer callers"


def _cors(before: Any, after: Any) -> Said | None:
    """Judge which pages may call from a browser; without the extension no page of another origin may."""
    old, new = (compile_cors({CORS: value}) or Cors() for value in (before, after))
    lost = [name for name, kept in _admissions(old, new).items() if not kept]
    if lost:
        return "cors-narrowed", f"pages of other origins may do less than before: {', '.join(lost)}"
    return "cors-widened", "pages of other origins may do as much as before, or more"


def _admissions(old: Cors, new: Cors) -> dict[str, bool]:
    """Say of each part whether everything that it admitted is still admitted."""
    everyone = ANY in new.origins
    return {
        "origins": everyone or set(old.origins) <= set(new.origins),
        "credentials": new.credentials or not old.credentials or not old.origins,
        "allow": _lower(old.allow) <= _lower(new.allow),
        "expose": _lower(old.expose) <= _lower(new.expose),
        "private_network": new.private_network or not old.private_network,
    }


def _lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


_OF_OPERATIONS: Mapping[str, Judge] = {
    "x-interlock-max-body": _body_limit,
    "x-interlock-weight": _weight,
    IDEMPOTENCY: _idempotency,
    CACHE: _cache,
}
_OF_DOCUMENTS: Mapping[str, Judge] = {CORS: _cors}


def compare_unknown_fields(journal: Journal, scope: Scope) -> None:
    """Judge the policy for fields that nothing declares, as it holds for one operation of both versions."""
    if scope.called or scope.ends[0] is None or scope.ends[1] is None:
        return
    try:
        old, new = (
            unknown_of(end.operation.value, "")
            .over(unknown_of(end.item.value, ""))
            .over(unknown_of(api.root, ""))
            .over(LENIENT)
            for api, end in ((journal.old, scope.ends[0]), (journal.new, scope.ends[1]))
        )
    except ContractInvalid as error:
        at = (scope.ends[0].operation.pointer, scope.ends[1].operation.pointer)
        journal.note("change-unclassified", scope, f"{scope.label}: {error.message}", at=at)
        return
    for place in PLACES:
        _unknown(journal, scope, place, old, new)


def _unknown(journal: Journal, scope: Scope, place: str, old: Unknown, new: Unknown) -> None:
    before, after = getattr(old, place), getattr(new, place)
    if (before == "strict") is (after == "strict"):
        return
    assert scope.ends[0] is not None
    assert scope.ends[1] is not None
    rule = "unknown-fields-refused" if after == "strict" else "unknown-fields-taken"
    what = f"{scope.label}: {place} fields that nothing declares are {'refused' if after == 'strict' else 'taken'} now"
    at = (scope.ends[0].operation.pointer, scope.ends[1].operation.pointer)
    spot = Spot("call", where=place)
    journal.note(rule, scope, what, at=at, before=before, after=after, spot=spot)
