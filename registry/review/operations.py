"""The operations of a contract by the names that people give them, and what a finding concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.operation.compile import compile_contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.contract.finding import Finding
    from registry.review.model import Kind

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def named_operations(root: Any, kind: Kind) -> dict[str, str]:
    """Give name → place of every operation: operationId and `METHOD /path` (OpenAPI), key (AsyncAPI 3).

    `root` is self-contained. The place is `/paths/PATH/METHOD`, also where a path item stands elsewhere.
    """
    if kind == "openapi":
        found: dict[str, str] = {}
        for one in compile_contract(root).operations:
            method = one.method.decode()
            place = f"/paths{token(one.template)}/{method.lower()}"
            found[one.id] = found[f"{method} {one.template}"] = place
        return found
    operations = root.get("operations") if isinstance(root, Mapping) else None
    return {str(name): f"/operations{token(name)}" for name in operations or {}}


def count_operations(root: Any) -> int:
    """Count the operations of a self-contained OpenAPI document that can be called."""
    return len(compile_contract(root).operations)


def concerns(finding: Finding, places: Iterable[str]) -> bool:
    """Whether a finding may touch one of these operations: all but what stands in another operation does."""
    pointer = finding.base_pointer or finding.pointer
    parts = pointer.split("/")
    if len(parts) < 4 or parts[1] != "paths" or parts[3] not in METHODS:  # noqa: PLR2004 - /paths/PATH/METHOD
        return True  # shared parts, servers, security, whole path items: who uses them is not asked here
    return "/".join(parts[:4]) in set(places)
