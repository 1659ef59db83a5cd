"""`x-interlock-cache`: whether answers of an operation may be kept and given again (RFC 9111)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kernel.operation.members import mapping, refused

EXTENSION: Final = "x-interlock-cache"
SENSITIVITY: Final = "x-interlock-sensitivity"
HEALTH: Final = "health"
_LONGEST: Final = 31_536_000  # seconds: a year
_SENSITIVITIES: Final = ("none", "pseudonymous", "personal", HEALTH)  # as in meta.yaml


@dataclass(frozen=True, slots=True)
class Caching:
    """What the contract allows; the provider's Cache-Control decides within it.

    `max_age` bounds freshness in seconds, whatever the provider says (None: it does not). `authorization`: answers to
    calls that show Authorization may be kept too, each for that very value alone.
    """

    max_age: int | None = None
    authorization: bool = False


def compile_caching(
    spec: dict[str, Any], root: dict[str, Any], method: bytes, pointer: str
) -> Caching | None:
    """Read the extension of an operation, `true` being its short form; None: nothing is kept.

    Raises `ContractInvalid` with a pointer for what is not understood, and where what may be kept is marked as health
    data (`x-interlock-sensitivity` of the operation, else of the document).
    """
    declared = spec.get(EXTENSION)
    sensitivity = _sensitivity(spec, pointer) or _sensitivity(root, "")
    if declared is None or declared is False:
        return None
    place = f"{pointer}/{EXTENSION}"
    if method != b"GET":
        raise refused(f"answers to {method.decode()} are not kept, those to GET may be", place)
    if sensitivity == HEALTH:
        raise refused("health data are never kept: one of the two marks is wrong", place)
    given = {} if declared is True else mapping(declared, place)
    for name in given:
        if name not in {"max-age", "authorization"}:
            raise refused(f"{name[:40]!r} is none of max-age, authorization", f"{place}/{name[:40]}")
    longest, shown = given.get("max-age"), given.get("authorization", False)
    if longest is not None and (type(longest) is not int or not 1 <= longest <= _LONGEST):
        raise refused(f"max-age is a number of seconds from 1 to {_LONGEST}", f"{place}/max-age")
    if type(shown) is not bool:
        raise refused("authorization is true or false", f"{place}/authorization")
    return Caching(longest, shown)


def _sensitivity(node: dict[str, Any], pointer: str) -> str | None:
    value = node.get(SENSITIVITY)
    if value is not None and value not in _SENSITIVITIES:
        raise refused(f"it is one of {', '.join(_SENSITIVITIES)}", f"{pointer}/{SENSITIVITY}")
    return value
