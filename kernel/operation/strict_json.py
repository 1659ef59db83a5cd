"""Read JSON from the wire the one way that every reader must agree on, or not at all.

Refused: duplicate keys, NaN and Infinity, lone surrogates, a byte order mark, invalid UTF-8, bytes
after the value, nesting beyond `MAX_DEPTH`, and numbers that overflow a double, integers among them
(308 digits are more than any reader keeps). Bishop Fox compared 49 parsers: each of these is read
differently by some two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jiter
import orjson

from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.schema.validator import CompiledSchema, SchemaViolation

MAX_DEPTH: Final = 200  # of arrays and objects; jiter's own bound, asserted in the tests

# Seen with every digit, dot and sign as 0 and `E` as `e`: a number with an exponent, or of more than 15
# digits, needs care: it may overflow, and a double may not hold it. Any other number is told apart from
# its neighbours by its double, so that bounds and multiples are judged as they would be on decimals.
# False alarms (hex digits, long identifiers) only cost a second reading.
_DIGITS: Final = bytes.maketrans(b"123456789.+-E", b"000000000000e")
_EXPONENT: Final = b"0e0"
_LONG: Final = b"0" * 16
_HUGE: Final = b"0" * 300  # digits from which on a number without exponent may overflow, and some to spare


def read_json(data: bytes, *, exact: bool = False) -> Any:
    """Decode one JSON text; raises `Undecodable` with keyword `json`, never with a piece of the text.

    With `exact`, numbers that a double could round come as `Decimal`, as they were written.
    """
    digits = data.translate(_DIGITS)
    # `find`, not `in`: on bytes, `in` first tries its argument as a number, and fails slowly.
    long = digits.find(_LONG) >= 0
    overflows = digits.find(_EXPONENT) >= 0 or (long and digits.find(_HUGE) >= 0)
    try:
        value = jiter.from_json(
            data,
            allow_inf_nan=False,
            catch_duplicate_keys=True,
            cache_mode="keys",  # values may be health data and must not linger
            float_mode="decimal" if exact and (long or overflows) else "float",
        )
        if overflows:
            orjson.loads(data)  # refuses a number that is infinite as a double
    except ValueError:
        raise Undecodable("json") from None
    return value


def violations_in(data: bytes, validator: CompiledSchema | None) -> tuple[SchemaViolation, ...]:
    """Hold one JSON text to a schema (None: any value); () where it conforms. Raises `Undecodable` as `read_json` does.

    Text that is plainly written is skimmed (ADR 37); any other is read, and judged by the engine.
    """
    if validator is None:
        read_json(data)
        return ()
    if validator.conforms(data):
        return ()
    value = read_json(data, exact=validator.exact)
    if not validator.accepts(value):
        return validator.violations(value)
    validator.missed()
    return ()
