"""Read the members of an untrusted document: of the right type, or refused at their place."""

from __future__ import annotations

from typing import Any

from kernel.errors import ContractInvalid, Place


def mapping(value: Any, pointer: str) -> dict[str, Any]:
    """Give an object, an empty one where nothing is said; raises `ContractInvalid` for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise refused("an object must stand here", pointer)
    return value


def listing(value: Any, pointer: str) -> list[Any]:
    """Give an array, an empty one where nothing is said; raises `ContractInvalid` for anything else."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise refused("an array must stand here", pointer)
    return value


def refused(message: str, pointer: str) -> ContractInvalid:
    """Make the error for what is no valid OpenAPI, or is declared and cannot be decoded."""
    return ContractInvalid(
        message,
        hint="correct the document; docs/reference/operations.md says what can be served",
        place=Place(pointer=pointer),
    )
