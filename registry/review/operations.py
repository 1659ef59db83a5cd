"""The operations of a contract document by the names that people give them, and what a finding concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.contract.finding import Finding

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def named_operations(root: Any) -> dict[str, str]:
    """Give name → JSON pointer of every operation: operationId and `METHOD /path` (OpenAPI), key (AsyncAPI 3)."""
    found: dict[str, str] = {}
    for path, item in _members(root, "paths"):
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, Mapping):
                pointer = f"/paths{token(str(path))}/{method}"
                found[f"{method.upper()} {path}"] = pointer
                if isinstance(operation.get("operationId"), str):
                    found[operation["operationId"]] = pointer
    for name, _ in _members(root, "operations"):
        found[name] = f"/operations{token(name)}"
    return found


def count_operations(root: Any) -> int:
    """Count the operations of an OpenAPI document below `paths`."""
    return len(
        set(named_operations({"paths": root.get("paths")} if isinstance(root, Mapping) else {}).values())
    )


def concerns(finding: Finding, pointers: Iterable[str]) -> bool:
    """Whether a finding may touch one of these operations: all but what stands in another operation does."""
    pointer = finding.base_pointer or finding.pointer
    parts = pointer.split("/")
    if len(parts) < 4 or parts[1] != "paths" or parts[3] not in METHODS:  # noqa: PLR2004 - /paths/PATH/METHOD
        return True  # shared parts, servers, security, whole path items: who uses them is not asked here
    place = "/".join(parts[:4])
    return place in set(pointers)


def _members(root: Any, name: str) -> list[tuple[str, Mapping[str, Any]]]:
    table = root.get(name) if isinstance(root, Mapping) else None
    if not isinstance(table, Mapping):
        return []
    return [(str(key), value) for key, value in table.items() if isinstance(value, Mapping)]
