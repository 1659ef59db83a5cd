"""Compares the answers of an operation: statuses, their bodies, headers and links."""

from __future__ import annotations

from registry.compat.openapi_contents import compare_content
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import deprecation, explode_shows
from registry.compat.openapi_places import Position, Scope, Spot
from registry.compat.openapi_sides import Api, Part, rest_equal
from registry.compat.wire import Wire

_NOTES = frozenset({"description", "summary", "example", "examples"})


def compare_responses(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    """Judge every status of both versions, against the range or `default` that covers it elsewhere."""
    before, after = answers_of(journal.old, old), answers_of(journal.new, new)
    for status in dict.fromkeys((*before, *after)):
        here, there = covering(status, before), covering(status, after)
        label = f"{scope.label}: the {status.lower()} response"
        if here is not None and there is not None:
            _response(journal, scope, status, label, (here, there))
        elif here is not None and status[1:] == "XX" and any(name[0] == status[0] for name in after):
            journal.note(
                "response-no-longer-sent", scope, f"{label} became narrower", at=(here.pointer, None)
            )
        elif here is not None:
            only = status == "DEFAULT" and _meant_success(before, after)
            _removed(journal, scope, status, label, here, promised=only)
        elif there is not None:
            journal.note("response-added", scope, f"{label} was added", at=(None, there.pointer))


def answers_of(api: Api, operation: Part) -> dict[str, Part]:
    """Give the Response Objects of an operation by status, ranges and `default` in upper case."""
    listed = api.members(operation, "responses", extensible=True)
    return {name.upper(): part for name, part in listed.items()}


def covering(status: str, among: dict[str, Part]) -> Part | None:
    """Find the exact status, else its range, else `default` (OpenAPI §Responses Object)."""
    for name in (status, f"{status[:1]}XX", "DEFAULT"):
        if name in among and (name != "DEFAULT" or status != "DEFAULT" or name == status):
            return among[name]
    return None


def _meant_success(before: dict[str, Part], after: dict[str, Part]) -> bool:
    """Whether `default` was the only answer that could tell of success, and none is left that can."""
    return not any(name.startswith("2") for name in (*before, *after))


def _removed(
    journal: Journal, scope: Scope, status: str, label: str, old: Part, *, promised: bool = False
) -> None:
    what = f"{label} was removed"
    if scope.called or promised or status.startswith("2"):
        spot = Spot("answer", status="2XX" if promised else status)
        journal.note("response-removed", scope, what, at=(old.pointer, None), spot=spot)
    elif status[:1] in {"1", "3"}:
        journal.note("change-unclassified", scope, what, at=(old.pointer, None))
    else:
        journal.note("response-no-longer-sent", scope, what, at=(old.pointer, None))


def _response(journal: Journal, scope: Scope, status: str, label: str, ends: tuple[Part, Part]) -> None:
    old, new = ends
    for key in rest_equal(old, new, _NOTES | {"content", "headers", "links"}):
        journal.unclassified(scope, key, old, new)
    _headers(journal, scope, status, label, ends)
    _links(journal, scope, label, ends)
    at, spot = (old.pointer, new.pointer), Spot("answer", status=status)
    bodies = [bool(journal.old.members(old, "content")), bool(journal.new.members(new, "content"))]
    if bodies[0] and not bodies[1]:
        journal.note("response-body-removed", scope, f"{label} has no body any more", at=at, spot=spot)
    elif bodies[1] and not bodies[0]:
        journal.note("response-body-added", scope, f"{label} has a body now", at=at, spot=spot)
    else:
        area = f"response {status.lower()}"
        compare_content(journal, Position(scope, "response", area, label, ends, spot=spot))


def _headers(journal: Journal, scope: Scope, status: str, label: str, ends: tuple[Part, Part]) -> None:
    before, after = (
        {
            name.lower(): part
            for name, part in api.members(end, "headers").items()
            if name.lower() != "content-type"
        }
        for api, end in zip((journal.old, journal.new), ends, strict=True)
    )
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        what = f"{label}: header {name}"
        if here is not None and there is not None:
            _header(journal, scope, Spot("header", name=name, status=status), what, (here, there))
        elif here is not None:
            promised = here.value.get("required") is True
            rule = "response-header-removed" if promised else "response-header-no-longer-sent"
            spot = Spot("header", name=name, status=status)
            journal.note(rule, scope, f"{what} was removed", at=(here.pointer, None), spot=spot)
        elif there is not None:
            asked = scope.called and there.value.get("required") is True
            rule = "response-header-required" if asked else "response-header-added"
            spot = Spot("header", name=name, status=status)
            journal.note(rule, scope, f"{what} was added", at=(None, there.pointer), spot=spot)


def _header(journal: Journal, scope: Scope, spot: Spot, what: str, ends: tuple[Part, Part]) -> None:
    old, new = ends
    area = f"header {spot.name} {spot.status.lower()}"
    deprecation(journal, scope, what, old, new)
    before, after = (end.value.get("required") is True for end in ends)
    if before is not after:
        rule = "response-header-required" if after else "response-header-optional"
        said = "is now always sent" if after else "may be missing now"
        at = (old.pointer, new.pointer)
        journal.note(rule, scope, f"{what} {said}", at=at, before=before, after=after, spot=spot)
    defaults = {"style": "simple", "explode": False}
    plain = [Part({**defaults, **end.value}, end.pointer) for end in ends]
    judged = {"required", "deprecated", "schema", "content"}
    if not explode_shows(journal, scope, ends, "response", "simple"):
        judged.add("explode")  # which says nothing of a single value or a list
    for key in rest_equal(plain[0], plain[1], _NOTES | judged):
        journal.unclassified(scope, key, plain[0], plain[1])
    if ("content" in old.value) != ("content" in new.value):
        journal.unclassified(scope, "content", old, new)
    elif "content" in old.value:
        compare_content(journal, Position(scope, "response", area, what, ends, spot=spot))
    else:
        journal.schemas(Position(scope, "response", area, what, ends, Wire("header"), spot=spot))


def _links(journal: Journal, scope: Scope, label: str, ends: tuple[Part, Part]) -> None:
    before, after = journal.old.members(ends[0], "links"), journal.new.members(ends[1], "links")
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        at = (here.pointer if here else None, there.pointer if there else None)
        if here is None or there is None:
            change = "added" if here is None else "removed"
            journal.note(f"link-{change}", scope, f"{label}: link {name!r} was {change}", at=at)
        elif any(rest_equal(here, there, _NOTES)):
            journal.note("link-changed", scope, f"{label}: link {name!r} leads elsewhere", at=at)
