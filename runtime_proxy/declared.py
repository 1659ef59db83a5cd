"""What an operation's text declares, where the pipeline needs to know before it forwards a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.contract.references import resolve_pointer
from kernel.errors import InterlockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.operation.operation import Operation

_MOST_HOPS: Final = 16  # of references to references

# Request headers that make a provider answer with a status of HTTP's own, and that status.
_CONDITIONS: Final = (
    ("206", frozenset({b"range", b"if-range"})),
    ("304", frozenset({b"if-none-match", b"if-modified-since"})),
)


def undeclared_conditions(root: Any, operation: Operation) -> frozenset[bytes]:
    """Name the request headers that could only bring an answer which the contract does not declare.

    A Range or a validator is an option of the caller, not a duty of the provider (RFC 9110 sections 13
    and 14): left out, the provider answers 200 as declared. If-Match is never left out, for it protects.
    """
    statuses = set(_members(_node(root, operation.pointer).get("responses")))
    dropped: frozenset[bytes] = frozenset()
    for status, headers in _CONDITIONS:
        if not statuses & {status, f"{status[0]}XX", "default"}:
            dropped |= headers
    return dropped


def declares_header(root: Any, operation: Operation, name: str) -> bool:
    """Whether the operation, or its path item, declares a request header of this name (lower case)."""
    item = operation.pointer.rpartition("/")[0]
    for owner in (_node(root, operation.pointer), _node(root, item)):
        for parameter in _parameters(root, owner):
            if parameter.get("in") == "header" and str(parameter.get("name", "")).lower() == name:
                return True
    return False


def _parameters(root: Any, owner: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = owner.get("parameters")
    for entry in listed if isinstance(listed, list) else ():
        node = entry
        for _ in range(_MOST_HOPS):
            ref = node.get("$ref") if isinstance(node, dict) else None
            if not isinstance(ref, str):
                break
            node = _node(root, ref.removeprefix("#"))
        if isinstance(node, dict):
            yield node


def _node(root: Any, pointer: str) -> dict[str, Any]:
    try:
        node = resolve_pointer(root, pointer)
    except InterlockError:
        return {}
    return node if isinstance(node, dict) else {}


def _members(node: Any) -> list[str]:
    return (
        [str(name).upper() if str(name) != "default" else "default" for name in node]
        if isinstance(node, dict)
        else []
    )
