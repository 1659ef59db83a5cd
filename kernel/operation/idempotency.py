"""`x-interlock-idempotency`: whether an operation takes an Idempotency-Key, and what the key holds for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from kernel.operation.members import mapping, refused

EXTENSION: Final = "x-interlock-idempotency"
_SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"QUERY"})  # RFC 9110 section 9.2.1
_MEMBERS: Final = frozenset({"key", "ttl", "scope", "provider", "not-done"})
_SHORTEST, _LONGEST = 60, 31_536_000  # seconds: a minute to a year
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What the contract says of the Idempotency-Key of one operation (draft-ietf-httpapi-idempotency-key-header).

    `scope` is what a key is unique in, always for one consumer: the operation, or all operations of the
    contract's major. `provider_honours`: the provider keeps keys too, so that sending a call again under
    its key does no harm. `not_done` are statuses of the provider which mean that nothing was done.
    """

    required: bool
    ttl_seconds: int = 86_400
    scope: Literal["operation", "contract"] = "operation"
    provider_honours: bool = False
    not_done: frozenset[int] = frozenset({_TOO_MANY_REQUESTS})


def compile_idempotency(declared: Any, method: bytes, pointer: str) -> Idempotency | None:
    """Read the extension, `required` and `optional` being short forms; None: nothing is declared.

    Raises `ContractInvalid` with a pointer for anything that is not understood: a key that is overlooked
    would let a call be done twice.
    """
    if declared is None:
        return None
    place = f"{pointer}/{EXTENSION}"
    if method in _SAFE:
        raise refused(f"{method.decode()} changes nothing, so its calls need no key", place)
    given = {"key": declared} if isinstance(declared, str) else mapping(declared, place)
    for name in given:
        if name not in _MEMBERS:
            raise refused(f"{name[:40]!r} is none of {', '.join(sorted(_MEMBERS))}", f"{place}/{name}")
    return Idempotency(
        required=_choice(given, "key", ("required", "optional"), "", place) == "required",
        ttl_seconds=_whole(given.get("ttl", 86_400), _SHORTEST, _LONGEST, f"{place}/ttl"),
        scope="contract"
        if _choice(given, "scope", ("operation", "contract"), "operation", place) == "contract"
        else "operation",
        provider_honours=_choice(given, "provider", ("honours", "ignores"), "ignores", place) == "honours",
        not_done=_statuses(given.get("not-done"), f"{place}/not-done"),
    )


def _choice(given: dict[str, Any], name: str, known: tuple[str, str], default: str, place: str) -> str:
    value = given.get(name, default)
    if value not in known:
        raise refused(f"{name} is {known[0]} or {known[1]}", f"{place}/{name}" if name in given else place)
    return str(value)


def _whole(value: Any, least: int, most: int, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise refused(f"a whole number from {least} to {most} must stand here", place)
    return value


def _statuses(value: Any, place: str) -> frozenset[int]:
    if value is None:
        return Idempotency(required=False).not_done
    if not isinstance(value, list):
        raise refused("a list of statuses must stand here", place)
    return frozenset(_whole(one, 400, 599, f"{place}/{index}") for index, one in enumerate(value))
