"""Pairs the operations of two OpenAPI documents: by method, and by the shape of their path.

`/orders/{id}` and `/orders/{orderId}` are one path: what stands in the braces never travels. Templates of one
shape within one document share their operations, as they do for a router.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import parameters_of
from registry.compat.openapi_places import Ends, Placed
from registry.compat.openapi_policies import compare_item_policies
from registry.compat.openapi_sides import Api, Part, rest_equal
from registry.compat.openapi_touched import METHODS
from registry.compat.schema_view import Unreadable
from registry.compat.wire import Wire

_BRACES = re.compile(r"\{([^{}]*)\}")
_ITEM_NOTES = frozenset({"summary", "description", "tags", "externalDocs"})
_IN_ITEM = _ITEM_NOTES | {"parameters", "servers", "additionalOperations", *METHODS}


Broken = Callable[[str, Unreadable], None]  # told the pointer of a path that cannot be read


def shape_of(template: str) -> str:
    """Give a template without the names in its braces."""
    return _BRACES.sub("{}", template)


def operation_pairs(journal: Journal, old: Part, new: Part, broken: Broken) -> Iterator[Ends]:
    """Yield (old, new) for every operation that may differ; None where that document has none.

    What differs in a path item beside its operations is noted on the way.
    """
    before, after = (_by_shape(api, root) for api, root in ((journal.old, old), (journal.new, new)))
    for shape in dict.fromkeys((*before, *after)):
        mine, theirs = before.get(shape, []), after.get(shape, [])
        if _untouched(journal, mine, theirs):
            continue
        pointer = f"/paths/{(theirs or mine)[0].replace('~', '~0').replace('/', '~1')}"
        try:
            yield from _pairs_of_shape(journal, (mine, theirs))
        except Unreadable as error:
            broken(pointer, error)


def _by_shape(api: Api, root: Part) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for template in api.below(root, "paths").value:
        if not template.startswith("x-"):
            found.setdefault(shape_of(template), []).append(template)
    return found


def _untouched(journal: Journal, mine: list[str], theirs: list[str]) -> bool:
    ends = [api.root["paths"] for api in (journal.old, journal.new) if mine == theirs]
    return mine == theirs and not any(journal.touched.differs(*(end[name] for end in ends)) for name in mine)


def _pairs_of_shape(journal: Journal, templates: tuple[list[str], list[str]]) -> Iterator[Ends]:
    ends: list[dict[str, Placed]] = []
    items: list[list[Part]] = []
    for api, names in zip((journal.old, journal.new), templates, strict=True):
        read = [(name, api.path_item(name)) for name in names]
        items.append([item for _, item in read])
        ends.append({
            method: Placed(name, item, method, operation)
            for name, item in read
            for method, operation in operations(api, item)
        })  # fmt: skip
    same_around = _around(journal, *items)
    for method in dict.fromkeys((*ends[0], *ends[1])):
        first, second = ends[0].get(method), ends[1].get(method)
        stays = first and second and same_around and first.template == second.template
        if not (stays and not journal.touched.differs(first.operation.value, second.operation.value)):  # type: ignore[union-attr]  # `stays` says that both are there
            yield first, second


def _around(journal: Journal, old: list[Part], new: list[Part]) -> bool:
    """Note what differs in path items beside their operations; whether nothing at all does."""
    if len(old) != 1 or len(new) != 1:
        return False
    for key in rest_equal(old[0], new[0], _IN_ITEM):
        journal.unclassified(None, key, old[0], new[0])
    compare_item_policies(journal, old[0], new[0])
    rest: list[dict[str, Any]] = [
        {key: value for key, value in item.value.items() if key not in METHODS} for item in (old[0], new[0])
    ]
    return not journal.touched.differs(*rest)


def operations(api: Api, item: Part) -> Iterator[tuple[str, Part]]:
    """Yield method and operation of a path item."""
    for method in METHODS:
        if method in item.value:
            yield method.upper(), api.below(item, method)
    yield from api.members(item, "additionalOperations").items()


def taking_over(journal: Journal, gone: Placed) -> str | None:
    """Name an operation of the new document whose template takes the calls of one that is gone.

    Its caller meets another operation then, and no 404. What the template's parameters refuse it does not take.
    """
    for template in journal.new.below(Part(journal.new.root, ""), "paths").value:
        if template.startswith("x-") or (values := _filled(template, gone.template)) is None:
            continue
        item = journal.new.path_item(template)
        operation = dict(operations(journal.new, item)).get(gone.method)
        if operation is None:
            continue
        declared = parameters_of(journal.new, item, operation, {})
        if all(_takes(journal, declared.get(("path", name)), text) for name, text in values):
            return f"{gone.method} {template}"
    return None


def _filled(template: str, path: str) -> list[tuple[str, str]] | None:
    """Give what a path without parameters fills into a template, name by name; None where it does not fit."""
    names = _BRACES.findall(template)
    if not names or _BRACES.search(path):
        return None
    pieces = _BRACES.split(template)[::2]
    found = re.fullmatch("([^/]+)".join(map(re.escape, pieces)), path)
    return list(zip(names, found.groups(), strict=True)) if found else None


def _takes(journal: Journal, parameter: Part | None, text: str) -> bool:
    if parameter is None or "schema" not in parameter.value:
        return True
    accepts = journal.comparer.accepts(journal.node(journal.new, "request", parameter))
    return accepts is None or any(map(accepts, Wire("path").readings(text)))
