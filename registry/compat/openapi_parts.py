"""Compares the parts of an operation: parameters, bodies, answers, headers. One function for each."""

from __future__ import annotations

from kernel.operation.message import IGNORED_HEADERS
from registry.compat.facts import Known, cases
from registry.compat.openapi_contents import compare_content
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_places import Position, Scope, Spot
from registry.compat.openapi_sides import Api, Message, Part, rest_equal
from registry.compat.schema_view import ARRAY, OBJECT, Unreadable
from registry.compat.wire import Wire

_NOTES = frozenset({"description", "summary", "example", "examples", "externalDocs", "tags", "title"})
_LOOSENING = frozenset({"allowEmptyValue", "allowReserved"})  # false by default
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}

Parameters = dict[tuple[str, str], Part]


def parameters_of(api: Api, item: Part, operation: Part, renamed: dict[str, str]) -> Parameters:
    """Collect the parameters that hold for an operation; path parameters by their place in the template."""
    found: Parameters = {}
    for owner in (item, operation):
        listed = owner.value.get("parameters", [])
        if not isinstance(listed, list):
            raise Unreadable(f"a list was expected at #{owner.pointer}/parameters")
        for index, value in enumerate(listed):
            part = api.part(value, f"{owner.pointer}/parameters/{index}")
            place, name = str(part.value.get("in")), str(part.value.get("name"))
            if place == "header":
                name = name.lower()
                if name in IGNORED_HEADERS:
                    continue
            found[(place, renamed.get(name, name) if place == "path" else name)] = part
    return found


def compare_parameters(journal: Journal, scope: Scope, old: Parameters, new: Parameters) -> None:
    """Judge what was added, removed or changed among the parameters."""
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        label = f"{scope.label}: {key[0]} parameter {(after or before or Part({}, '')).value.get('name')!r}"
        spot, said = Spot("parameter", *key), {"in": key[0], "name": key[1]}
        if before is not None and after is not None:
            _parameter(journal, scope, label, key, (before, after))
        elif after is None and before is not None:
            what, promised = f"{label} was removed", before.value.get("required") is True
            rule = "sent-part-no-longer-sent" if scope.called and not promised else "parameter-removed"
            journal.note(rule, scope, what, at=(before.pointer, None), before=said, spot=spot)
        elif after is not None:
            required = after.value.get("required") is True or key[0] == "path"
            rule = "parameter-required" if required else "parameter-added"
            what = f"{label} was added{', and is required' if required else ''}"
            journal.note(rule, scope, what, at=(None, after.pointer), after=said, spot=spot)


def _parameter(
    journal: Journal, scope: Scope, label: str, key: tuple[str, str], ends: tuple[Part, Part]
) -> None:
    old, new = ends
    spot = Spot("parameter", *key)
    rules = ("parameter-required", "parameter-optional")
    _required(journal, scope, label, ends, rules=rules, spot=spot)
    deprecation(journal, scope, label, old, new)
    known = _NOTES | {"name", "in", "required", "deprecated", "schema", "content", "style", "explode"}
    for other in rest_equal(old, new, known):
        loosened = other in _LOOSENING and not old.value.get(other) and new.value.get(other) is True
        if loosened and not scope.called:
            what = f"{label}: {other} is allowed now"
            journal.note("parameter-loosened", scope, what, at=(old.pointer, f"{new.pointer}/{other}"))
        elif other == "allowEmptyValue" and old.value.get(other) is True and not scope.called:
            _empty(journal, scope, label, ends, spot)
        elif bool(old.value.get(other)) is not bool(new.value.get(other)) or other not in _LOOSENING:
            journal.unclassified(scope, other, old, new)
    if ("content" in old.value) != ("content" in new.value):
        journal.unclassified(scope, "content", old, new)
    elif "content" in old.value:
        compare_content(journal, Position(scope, "request", f"parameter {key[1]}", label, ends, spot=spot))
    else:
        _style(journal, scope, label, ends, spot)
        repeated = all(
            how == ("form", True) and key[0] in {"query", "cookie"} for how in _styles(ends, spot.where)
        )
        wire = Wire(key[0] if key[0] in {"header", "path"} else "", repeated)
        journal.schemas(Position(scope, "request", f"parameter {key[1]}", label, ends, wire, spot=spot))


def _empty(journal: Journal, scope: Scope, label: str, ends: tuple[Part, Part], spot: Spot) -> None:
    """Judge that `allowEmptyValue` is gone: the schema may take the empty text all the same."""
    old, new = ends
    node = journal.new.side("request").node(
        f"{new.pointer}/schema", new.value.get("schema", True), journal.new.dialect
    )
    accepts = journal.comparer.accepts(node)
    if accepts is None or "content" in new.value:
        journal.unclassified(scope, "allowEmptyValue", old, new)
        return
    if not any(map(accepts, Wire().readings(""))):
        what = f"{label}: allowEmptyValue is gone, and its schema refuses an empty value"
        at = (f"{old.pointer}/allowEmptyValue", new.pointer)
        journal.note("parameter-empty-refused", scope, what, at=at, spot=spot)


def _required(
    journal: Journal, scope: Scope, label: str, ends: tuple[Part, Part], *, rules: tuple[str, str], spot: Spot
) -> None:
    before, after = (end.value.get("required") is True or end.value.get("in") == "path" for end in ends)
    if before is after:
        return
    rule, what = (rules[0], "became required") if after else (rules[1], "became optional")
    places = [end.pointer + ("/required" if "required" in end.value else "") for end in ends]
    at = (places[0], places[1])
    journal.note(rule, scope, f"{label} {what}", at=at, before=before, after=after, spot=spot)


def _style(journal: Journal, scope: Scope, label: str, ends: tuple[Part, Part], spot: Spot) -> None:
    styles, explodes = zip(*_styles(ends, spot.where), strict=True)
    same = styles[0] == styles[1] and (
        explodes[0] == explodes[1] or not explode_shows(journal, scope, ends, "request", styles[0])
    )
    if not same:
        what = f"{label}: style {styles[0]}, explode {explodes[0]} became {styles[1]}, {explodes[1]}"
        journal.note(
            "parameter-style-changed",
            scope,
            what,
            at=(ends[0].pointer, ends[1].pointer),
            before=[styles[0], explodes[0]],
            after=[styles[1], explodes[1]],
            spot=spot,
        )


def _styles(ends: tuple[Part, Part], where: str) -> list[tuple[str, bool]]:
    """Give style and explode of both, defaults filled in."""
    styles = [str(end.value.get("style", _STYLES.get(where, "form"))) for end in ends]
    return [
        (style, end.value.get("explode", style in {"form", "cookie"}))
        for end, style in zip(ends, styles, strict=True)
    ]


def explode_shows(
    journal: Journal, scope: Scope, ends: tuple[Part, Part], message: Message, style: str
) -> bool:
    """Whether the sender of a parameter or header has values that `explode` writes in another way.

    Lists in `simple` have one form, and so has all of `deepObject` (OpenAPI 3.1.1 §Style Examples).
    """
    if style == "deepObject":
        return False
    shown = {OBJECT} if style == "simple" else {ARRAY, OBJECT}
    is_old = scope.direction(message) == "accepts"
    api, end = (journal.old, ends[0]) if is_old else (journal.new, ends[1])
    if "schema" not in end.value:
        return True
    node = api.side(message).node(f"{end.pointer}/schema", end.value["schema"], api.dialect)
    return any(case.types & shown for case in cases(Known(frozenset({node}))))


def deprecation(journal: Journal, scope: Scope, label: str, old: Part, new: Part) -> None:
    """Note that a part became deprecated, or is no longer."""
    before, after = (part.value.get("deprecated") is True for part in (old, new))
    if before is not after:
        rule = "deprecated" if after else "no-longer-deprecated"
        journal.note(rule, scope, f"{label}: deprecated is now {after}", at=(old.pointer, new.pointer))


def compare_request_body(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    """Judge the request bodies of an operation in both versions."""
    before, after = "requestBody" in old.value, "requestBody" in new.value
    if not before and not after:
        return
    label = f"{scope.label}: the request body"
    ends = (
        journal.old.below(old, "requestBody") if before else Part({}, f"{old.pointer}/requestBody"),
        journal.new.below(new, "requestBody") if after else Part({}, f"{new.pointer}/requestBody"),
    )
    if before and after:
        rules = ("request-body-required", "request-body-optional")
        _required(journal, scope, label, ends, rules=rules, spot=Spot("body"))
        for other in rest_equal(*ends, _NOTES | {"required", "content"}):
            journal.unclassified(scope, other, *ends)
        compare_content(journal, Position(scope, "request", "request", label, ends, spot=Spot("body")))
    elif before:
        what, promised = f"{label} was removed", ends[0].value.get("required") is True
        rule = "sent-part-no-longer-sent" if scope.called and not promised else "request-body-removed"
        journal.note(rule, scope, what, at=(ends[0].pointer, None), spot=Spot("body"))
    else:
        required = ends[1].value.get("required") is True
        rule = "request-body-required" if required else "request-body-added"
        journal.note(rule, scope, f"{label} was added", at=(None, ends[1].pointer), spot=Spot("body"))
