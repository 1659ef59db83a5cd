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
from kernel.operation.shapes import dereference

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})  # RFC 9110 §9.2.1
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_LINKS = ("operationId", "operationRef")


def pruned(root: Any, chosen: Iterable[Operation]) -> Any:
    """Give the document with only these operations, and without links to any other: what is not there is not called."""
    kept = {(one.template, one.method.decode()): one for one in chosen}
    made = copy.deepcopy(root)
    pointers = {one.pointer for one in kept.values()}
    for path, declared in list(made.get("paths", {}).items()):
        if not isinstance(declared, dict):
            continue
        # A path item that stands elsewhere may be used by several paths: each gets its own.
        item = {
            **copy.deepcopy(dereference(made, declared)),
            **{key: declared[key] for key in declared if key != "$ref"},
        }
        for method in _METHODS:
            if method in item and (path, method.upper()) not in kept:
                del item[method]
        others = item.get("additionalOperations")
        if isinstance(others, dict):
            item["additionalOperations"] = {
                key: value for key, value in others.items() if (path, key) in kept
            }
        made["paths"][path] = item
        pointers |= {f"/paths{token(path)}/{method.lower()}" for template, method in kept if template == path}
    for key in ("webhooks", "servers"):
        made.pop(key, None)
    if isinstance(made.get("components"), dict):
        made["components"].pop("pathItems", None)
    _drop_links(made, {one.id for one in kept.values()}, pointers)
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
