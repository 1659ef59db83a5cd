"""Which operations of a contract a run may call, and the document that holds only these."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ci.conformance_plan import Plan
from ci.errors import ConformanceUnusable
from kernel.contract.positions import token
from kernel.operation.compile import CompiledContract
from kernel.operation.operation import Operation

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})  # RFC 9110 §9.2.1
_LINKS = ("operationId", "operationRef")


def pruned(root: Any, chosen: Iterable[Operation]) -> Any:
    """Give the document with only these operations, and without links to any other: what is not there is not called."""
    kept = {one.pointer for one in chosen}
    ids = {one.id for one in chosen}
    made = copy.deepcopy(root)
    for path, item in list(made.get("paths", {}).items()):
        for method in [
            key for key, value in item.items() if isinstance(value, dict) and "responses" in value
        ]:
            if f"/paths{token(path)}/{method}" not in kept:
                del item[method]
    made.pop("webhooks", None)
    _drop_links(made, ids, kept)
    return made


def _drop_links(node: Any, ids: set[str], pointers: set[str]) -> None:
    """Drop links whose operation is not there any more, wherever Link Objects stand."""
    if isinstance(node, list):
        for one in node:
            _drop_links(one, ids, pointers)
        return
    if not isinstance(node, dict):
        return
    links = node.get("links")
    if isinstance(links, dict):
        for name, link in list(links.items()):
            if (
                isinstance(link, dict)
                and any(key in link for key in _LINKS)
                and not _leads(link, ids, pointers)
            ):
                del links[name]
    for value in node.values():
        _drop_links(value, ids, pointers)


def _leads(link: Mapping[str, Any], ids: set[str], pointers: set[str]) -> bool:
    if "operationId" in link:
        return link["operationId"] in ids
    return str(link.get("operationRef", "")).partition("#")[2] in pointers


def choose(
    contract: CompiledContract, plan: Plan, *, local: bool
) -> tuple[list[Operation], list[str], list[str]]:
    """Give what may be called, the ids of what is left out, and warnings about that."""
    names = {name for one in contract.operations for name in _names(one)}
    unknown = sorted(plan.exclude - names)
    if unknown:
        raise ConformanceUnusable(
            f"--exclude {unknown[0][:100]}: the contract has no such operation",
            hint="name an operationId, or METHOD /path",
        )
    chosen: list[Operation] = []
    left_out: list[Operation] = []
    writes = 0
    for one in contract.operations:
        method = one.method.decode()
        wanted = (not plan.methods or method in plan.methods) and not plan.exclude & set(_names(one))
        if wanted and not local and not plan.allow_writes and method not in SAFE_METHODS:
            writes += 1
            wanted = False
        (chosen if wanted else left_out).append(one)
    warnings = []
    if writes:
        warnings.append(
            f"{writes} operations that may change something are left out: {plan.url.partition('?')[0]} is not this "
            "machine; --allow-writes calls them too, with made-up data"
        )
    if not chosen:
        raise ConformanceUnusable(
            "no operation is left to call", hint="look at --methods and --exclude; " + "; ".join(warnings)
        )
    return chosen, [one.id for one in left_out], warnings


def _names(operation: Operation) -> Iterator[str]:
    yield operation.id
    yield f"{operation.method.decode()} {operation.template}"
