"""JSON numbers as exact decimal values: read from text without loss, written in one normal form.

A number *is* the decimal value that its text denotes; `1`, `1.0` and `10e-1` are one number. In memory
an integer is an `int`, a number whose shortest double form denotes the same value is a `float` (0.1 is;
0.1000000000000000000001 is not), and any other is a `Decimal`, so that no digit is lost.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation, Overflow, Subnormal

from kernel.contract.errors import NumberRefused

MAX_DIGITS = 1000  # significant digits, and the exponent's magnitude is bounded alike
MAX_EXPONENT = 9999
TOO_LARGE = 10**MAX_DIGITS
_SAFE = 2**53
_PLAIN_INTEGER = 10**21  # ECMA-262 Number::toString writes integers below it without an exponent
_CONTEXT = Context(
    prec=MAX_DIGITS + 10,
    Emax=10 * MAX_EXPONENT,
    Emin=-10 * MAX_EXPONENT,
    traps=[InvalidOperation, Overflow, Subnormal],
)
_HINT = f"numbers may have {MAX_DIGITS} digits and exponents up to {MAX_EXPONENT}"


def number_of(text: str) -> int | float | Decimal:
    """Read a JSON number with a fraction or an exponent; raises `NumberRefused` for oversized ones."""
    try:
        value = _CONTEXT.create_decimal(text) if len(text) <= MAX_DIGITS * 2 else None
    except ArithmeticError:
        value = None
    if value is None or not value.is_finite():
        raise NumberRefused("a number is too long or too large", hint=_HINT)
    return narrowed(value)


def integer_of(text: str, base: int = 10) -> int:
    """Read an integer; raises `NumberRefused` for one of more than `MAX_DIGITS` digits."""
    # int() itself refuses 4300 decimal digits; a power of two as base has no such bound, nor its cost.
    return bounded(int(text, base) if base != 10 or len(text) <= MAX_DIGITS + 1 else TOO_LARGE)  # noqa: PLR2004


def bounded(value: int) -> int:
    """Give the integer back; raises `NumberRefused` for one of more than `MAX_DIGITS` digits."""
    if -TOO_LARGE < value < TOO_LARGE:
        return value
    raise NumberRefused("an integer is too long", hint=_HINT)


def narrowed(value: Decimal) -> int | float | Decimal:
    """Give the narrowest type that keeps the value; raises `NumberRefused` for oversized ones."""
    if not value.is_finite():
        raise NumberRefused("NaN and infinities are no JSON numbers", hint=_HINT)
    if value.is_zero():
        return 0.0  # a zero has no size, whatever exponent it was written with
    if abs(value.adjusted()) > MAX_EXPONENT or len(value.as_tuple().digits) > MAX_DIGITS:
        raise NumberRefused("a number is too long or too large", hint=_HINT)
    nearest = float(value)
    # An overflowed or underflowed double differs from the value, so it falls through by itself.
    if Decimal(repr(nearest)) == value:
        return nearest
    if value.adjusted() < MAX_DIGITS and value == value.to_integral_value(context=_CONTEXT):
        return int(value)
    return value


def canonical_number(value: float | Decimal) -> str:
    """Write a number as ECMA-262 `Number::toString` lays it out (RFC 8785 §3.2.2.3), with all its digits.

    The text depends on the decimal value alone: where a double denotes the value, it is the text that
    RFC 8785 demands; else the same layout carries the exact digits. Raises `NumberRefused` for NaN,
    infinities and oversized numbers.
    """
    if isinstance(value, int):
        if -_PLAIN_INTEGER < value < _PLAIN_INTEGER:
            return str(value)
        return _laid_out(value < 0, str(abs(bounded(value))), 0)
    if isinstance(value, float):
        if -_SAFE < value < _SAFE and value.is_integer():
            return str(int(value))
        text = repr(value)
        if "e" not in text and "n" not in text and not text.endswith(".0"):
            return text
        value = Decimal(text)  # the shortest digits that read back as this double
    if not value.is_finite():
        raise NumberRefused("NaN and infinities are no JSON numbers", hint=_HINT)
    sign, figures, exponent = value.as_tuple()
    if len(figures) > MAX_DIGITS or (value and abs(value.adjusted()) > MAX_EXPONENT):
        raise NumberRefused("a number is too long or too large", hint=_HINT)
    assert isinstance(exponent, int)  # only NaN and infinities have a letter there
    return _laid_out(bool(sign), "".join(map(str, figures)), exponent)


def _laid_out(negative: bool, digits: str, exponent: int) -> str:  # noqa: FBT001 - the sign is a datum here
    """Lay out `digits` times 10^`exponent` by ECMA-262 §6.1.6.1.20, whose k, n and s are named as there."""
    s = digits.lstrip("0")
    n = len(s) + exponent  # the value is 0.s times 10^n
    s = s.rstrip("0")
    k = len(s)
    if not s:
        return "0"
    if k <= n <= 21:  # noqa: PLR2004 - the bounds 21 and -6 are ECMA-262's
        body = s + "0" * (n - k)
    elif 0 < n <= 21:  # noqa: PLR2004
        body = f"{s[:n]}.{s[n:]}"
    elif -6 < n <= 0:  # noqa: PLR2004
        body = "0." + "0" * -n + s
    else:
        mantissa = s if k == 1 else f"{s[0]}.{s[1:]}"
        body = f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"
    return f"-{body}" if negative else body
