"""Formats that are asserted, in every dialect; a format that is not listed here is a note.

The names are those of JSON Schema and of the OpenAPI Format Registry.

Text formats are the engine's own, checked against their RFCs in the tests. Formats about numbers and
base64 are lowered to keywords, so that they are judged exactly as bounds and patterns are.
"""

from __future__ import annotations

from typing import Any

ASSERTED = frozenset(
    {
        "date-time",  # RFC 3339 §5.6, with an offset; leap seconds where one may fall
        "date",
        "time",
        "duration",  # RFC 3339 appendix A
        "uuid",  # RFC 4122
        "uri",  # RFC 3986
        "uri-reference",
        "uri-template",  # RFC 6570
        "iri",  # RFC 3987
        "iri-reference",
        "email",  # RFC 5321 §4.1.2
        "idn-email",
        "hostname",  # RFC 1123 §2.1
        "idn-hostname",
        "ipv4",  # RFC 2673 §3.2, without leading zeros
        "ipv6",  # RFC 4291 §2.2, without a zone
        "json-pointer",  # RFC 6901
        "relative-json-pointer",
        "regex",  # ECMA-262
    }
)

_BASE64 = "^(?:[A-Za-z0-9+\\x2f]{4})*(?:[A-Za-z0-9+\\x2f]{2}\\x3d\\x3d|[A-Za-z0-9+\\x2f]{3}\\x3d)?$"
# In their shortest double form, as readers of numbers write them.
_FLOAT_MAX = 3.4028234663852886e38  # (2 - 2^-23) * 2^127
_DOUBLE_MAX = 1.7976931348623157e308


def _bounded(low: Any, high: Any, **more: Any) -> dict[str, Any]:
    return {"minimum": low, "maximum": high, **more}


# Each constrains only the type that the format is for: bounds say nothing of text, nor patterns of numbers.
LOWERED: dict[str, dict[str, Any]] = {
    "int8": _bounded(-(2**7), 2**7 - 1, multipleOf=1),
    "int16": _bounded(-(2**15), 2**15 - 1, multipleOf=1),
    "uint8": _bounded(0, 2**8 - 1, multipleOf=1),
    "uint16": _bounded(0, 2**16 - 1, multipleOf=1),
    "uint32": _bounded(0, 2**32 - 1, multipleOf=1),
    "uint64": _bounded(0, 2**64 - 1, multipleOf=1),
    "double-int": _bounded(-(2**53) + 1, 2**53 - 1, multipleOf=1),
    "int32": _bounded(-(2**31), 2**31 - 1, multipleOf=1),
    "int64": _bounded(-(2**63), 2**63 - 1, multipleOf=1),
    "float": _bounded(-_FLOAT_MAX, _FLOAT_MAX),
    "double": _bounded(-_DOUBLE_MAX, _DOUBLE_MAX),
    "base64url": {"pattern": "^[A-Za-z0-9_\\x2d]*$"},  # RFC 4648 §5, without padding
    "byte": {"pattern": _BASE64},  # RFC 4648 §4, padded, on one line (OpenAPI 3.0 §4.4)
}
# The engine counts `+` and `/` as digits of dates and times, so their shape is asked for beside them.
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?(?:[Zz]|[+\\x2d][0-9]{2}:[0-9]{2})"
SHAPED: dict[str, dict[str, Any]] = {
    "date": {"pattern": f"^{_DATE}$"},
    "time": {"pattern": f"^{_TIME}$"},
    "date-time": {"pattern": f"^{_DATE}[Tt]{_TIME}$"},
}
# `float` and `double` speak of rounded numbers, text formats of none
EXACT = frozenset(name for name, rule in LOWERED.items() if "multipleOf" in rule)
