"""Compares maps of media types: each form that may come must be taken, and mean what it meant.

Ranges, suffixes and parameters are matched as the proxy matches them (kernel/operation/media_types.py): a body
belongs to the closest range that covers its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.errors import InterlockError
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.reading import UNCHECKED
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_places import Position
from registry.compat.openapi_sides import Part, rest_equal
from registry.compat.wire import Wire

_NOTES = frozenset({"description", "summary", "example", "examples"})
_JSON = MediaType("application/json")
_TEXTUAL = frozenset({"text", "form", "multipart", "xml"})
_OPAQUE = frozenset({"text", "binary"})
WIRE = Wire()


def compare_content(journal: Journal, position: Position) -> None:
    """Judge the media types of two objects with `content`."""
    old = journal.old.members(position.ends[0], "content")
    new = journal.new.members(position.ends[1], "content")
    accepts = position.scope.direction(position.message) == "accepts"
    inner, outer = (old, new) if accepts else (new, old)
    seen: set[tuple[str, str]] = set()
    for name in dict.fromkeys((*inner, *outer)):
        may_come, taken = closest(name, inner), closest(name, outer)
        if may_come is not None and taken is not None:
            if (may_come, taken) not in seen:
                seen.add((may_come, taken))
                pair = (inner[may_come], outer[taken])
                _pair(journal, position, name, pair if accepts else (pair[1], pair[0]))
        elif may_come is not None:
            _alone(journal, position, name, inner[name], removed=accepts)
        elif not any(_covers(name, other) for other in inner):
            _alone(journal, position, name, outer[name], removed=not accepts)
        else:
            _narrowed(journal, position, name, outer[name], accepts=accepts)


def closest(name: str, among: Mapping[str, Any]) -> str | None:
    """Find the declared range that a type (or a whole range) belongs to."""
    covering = [other for other in among if _covers(other, name)]
    ranked = [(read(other), other) for other in covering]
    return min(ranked, key=lambda pair: pair[0].rank if pair[0] else (0, 0))[1] if ranked else None


def read(name: str) -> MediaType | None:
    """Read a key of a `content` object; None where it is no media type."""
    try:
        return parse_range(name, "")
    except InterlockError:
        return None


def _covers(declared: str, actual: str) -> bool:
    ranges = read(declared), read(actual)
    if ranges[0] is None or ranges[1] is None:
        return declared == actual
    return ranges[0].covers(ranges[1])


def _alone(journal: Journal, position: Position, name: str, part: Part, *, removed: bool) -> None:
    """Judge a media type that only one version has."""
    what = f"{position.label}: {name} was {'removed' if removed else 'added'}"
    places = (part.pointer if removed else None, None if removed else part.pointer)
    rule = f"{position.message}-media-type-{'removed' if removed else 'added'}"
    if "*" in name and position.message == "response" and not removed and not position.scope.called:
        rule = "change-unclassified"  # now anything may come
    journal.note(rule, position.scope, what, at=places, spot=replace(position.spot, media=name))


def _narrowed(journal: Journal, position: Position, name: str, part: Part, *, accepts: bool) -> None:
    """Note that a range gave way to types within it (or, where we accept, that types widened to a range)."""
    what = f"{position.label}: {name} {'is taken as a whole' if accepts else 'became narrower'}"
    places = (None, part.pointer) if accepts else (part.pointer, None)
    journal.note("media-type-range-changed", position.scope, what, at=places)


def _pair(journal: Journal, position: Position, name: str, ends: tuple[Part, Part]) -> None:
    spot = replace(position.spot, media=name)
    ends = _as_bytes(name, ends)
    position = replace(position, label=f"{position.label} ({name})", ends=ends, spot=spot)
    _checking(journal, position)
    for other in rest_equal(*ends, _NOTES | {"schema", "itemSchema", "encoding"}):
        journal.unclassified(position.scope, other, *ends)
    kind = read(name)
    if kind is None or kind.kind in {"form", "multipart"}:
        _encodings(journal, position)  # OpenAPI §Media Type Object: it applies to no other type
    if _told_in_two_ways(journal, position):
        return
    # Only these carry values as text; what others carry (CBOR, JSON lines) has types, as in JSON.
    as_text = kind is None or (kind.kind in _TEXTUAL and not kind.covers(_JSON))
    is_xml = kind is not None and kind.kind == "xml"
    journal.schemas(
        replace(position, wire=Wire(mixed=any(map(_names_types, ends))) if as_text else None, xml=is_xml)
    )
    if "itemSchema" in ends[0].value or "itemSchema" in ends[1].value:
        journal.schemas(replace(position, key="itemSchema", label=f"{position.label}, each item"))


def _as_bytes(name: str, ends: tuple[Part, Part]) -> tuple[Part, Part]:
    """Give both ends one way to say *bytes*: 3.0's `format: binary`, 3.1's schema without a type (§Binary Data)."""
    kind = read(name)
    schemas = [end.value.get("schema", {}) for end in ends]
    binary = [isinstance(one, dict) and one.get("format") == "binary" for one in schemas]
    if kind is None or kind.kind not in _OPAQUE or kind.is_range or not any(binary):
        return ends
    made = []
    for end, schema in zip(ends, schemas, strict=True):
        plain = {} if schema is True else schema
        untyped = (
            isinstance(plain, dict) and not {"type", "$ref"} & plain.keys() and "itemSchema" not in end.value
        )
        made.append(
            Part({**end.value, "schema": {**plain, "type": "string"}}, end.pointer) if untyped else end
        )
    return made[0], made[1]


def _told_in_two_ways(journal: Journal, position: Position) -> bool:
    """Note that one version describes a sequence by `schema` and the other by `itemSchema` (3.2).

    Each says of the whole what the other says of its items, so that neither can be judged alone.
    """
    ends = position.ends
    mixed = all(any(key in end.value for end in ends) for key in ("schema", "itemSchema"))
    lone = [key for key in ("schema", "itemSchema") if (key in ends[0].value) != (key in ends[1].value)]
    for key in lone if mixed else ():
        journal.unclassified(position.scope, key, *ends)
    return mixed and bool(lone)


def _checking(journal: Journal, position: Position) -> None:
    """Judge `x-interlock-unchecked`: whether content is looked into at all."""
    before, after = (end.value.get(UNCHECKED) is True for end in position.ends)
    if before is after:
        return
    way = "accepted" if position.scope.direction(position.message) == "accepts" else "emitted"
    rule = f"{way}-content-{'no-longer' if after else 'now'}-checked"
    what = f"{position.label} is {'no longer' if after else 'now'} checked"
    at = (position.ends[0].pointer, position.ends[1].pointer)
    journal.note(rule, position.scope, what, at=at, before=before, after=after, spot=position.spot)


def _encodings(journal: Journal, position: Position) -> None:
    """Judge Encoding Objects with their defaults filled in: writing a default out changes nothing."""
    old, new = (dict(_encoding(end)) for end in position.ends)
    for name in dict.fromkeys((*old, *new)):
        if canonical_bytes(old.get(name)) != canonical_bytes(new.get(name)):
            what = f"{position.label}: the encoding of {name!r} changed"
            at = tuple(
                end.pointer + ("/encoding" if "encoding" in end.value else "") for end in position.ends
            )
            before, after = old.get(name), new.get(name)
            rule = _part_types(position, before, after) or "encoding-changed"
            journal.note(
                rule, position.scope, what, at=(at[0], at[1]), before=before, after=after,
                spot=position.spot,
            )  # fmt: skip


def _part_types(position: Position, before: Any, after: Any) -> str | None:
    """Judge the content types that a part may have; None where more differs, or one version names none."""
    kind = read(position.spot.media)
    ends = [dict(end) if isinstance(end, dict) else {} for end in (before, after)]
    types = [end.pop("contentType", None) for end in ends]
    if kind is None or kind.kind != "multipart" or ends[0] != ends[1]:
        return None
    if not all(isinstance(named, str) for named in types):
        return None
    old, new = ([one.strip() for one in str(named).split(",")] for named in types)
    inner, outer = (old, new) if position.scope.direction(position.message) == "accepts" else (new, old)
    kept = all(any(_covers(other, one) for other in outer) for one in inner)
    return "part-type-kept" if kept else "part-type-refused"


def _names_types(end: Part) -> bool:
    """Whether a form says of a field that it is written in a form of its own, such as JSON."""
    declared = end.value.get("encoding")
    specs = declared.values() if isinstance(declared, dict) else ()
    return any(isinstance(spec, dict) and "contentType" in spec for spec in specs)


def _encoding(end: Part) -> Iterator[tuple[str, Any]]:
    """Give each property's encoding without what only repeats a default (OpenAPI §Encoding Object)."""
    declared = end.value.get("encoding")
    for name, spec in declared.items() if isinstance(declared, dict) else ():
        if not isinstance(spec, dict):
            yield name, spec
            continue
        kept = {key: value for key, value in spec.items() if not key.startswith("x-") and key not in _NOTES}
        if kept.get("style") == "form":
            del kept["style"]
        if kept.get("explode") is (kept.get("style", "form") == "form"):
            del kept["explode"]
        if kept.get("allowReserved") is False:
            del kept["allowReserved"]
        if kept or spec.keys() & {"style", "explode", "allowReserved"}:
            yield name, kept or {"style": "form"}
