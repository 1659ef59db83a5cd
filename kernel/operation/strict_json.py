"""Read JSON from the wire the one way that every reader must agree on, or not at all.

Refused: duplicate keys, NaN and Infinity, lone surrogates, a byte order mark, invalid UTF-8, bytes
after the value, nesting beyond `MAX_DEPTH`, and numbers that overflow a double, integers among them
(308 digits are more than any reader keeps). Bishop Fox compared 49 parsers: each of these is read
differently by some two of them.
"""

from __future__ import annotations

from typing import Any, Final

import jiter
import orjson

from kernel.operation.violation import Undecodable

MAX_DEPTH: Final = 200  # of arrays and objects; jiter's own bound, asserted in the tests

# An overflow needs three digits of exponent or more than 308 digits in a row: seen with all digits
# made 0, `E` made `e`, and the plus sign left out. False alarms (hex digits of an identifier) only
# cost a second reading.
_DIGITS: Final = bytes.maketrans(b"123456789E", b"000000000e")
_LONG_EXPONENT: Final = b"0e000"
_LONG_NUMBER: Final = b"0" * 300


def read_json(data: bytes, *, exact: bool = False) -> Any:
    """Decode one JSON text; raises `Undecodable` with keyword `json`, never with a piece of the text.

    With `exact`, numbers with a fraction or exponent come as `Decimal`, as they were written.
    """
    try:
        value = jiter.from_json(
            data,
            allow_inf_nan=False,
            catch_duplicate_keys=True,
            cache_mode="keys",  # values may be health data and must not linger
            float_mode="decimal" if exact else "float",
        )
        digits = data.translate(_DIGITS, b"+")
        if _LONG_EXPONENT in digits or _LONG_NUMBER in digits:
            orjson.loads(data)  # refuses a number that is infinite as a double
    except ValueError:
        raise Undecodable("json") from None
    return value
