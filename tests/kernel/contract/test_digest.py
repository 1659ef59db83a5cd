"""Canonical bytes: one form for equal JSON values, RFC 8785's where a double holds every number."""

import json
import math
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from kernel.contract.digest import MAX_DEPTH, canonical_bytes, digest, digest_of_bytes
from kernel.contract.document import parse
from kernel.contract.errors import DocumentEncoding, LimitPassed, NotJson, NumberRefused

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
doubles = st.floats(allow_nan=False, allow_infinity=False)
safe_integers = st.integers(-(2**53) + 1, 2**53 - 1)
decimals = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**27), 10**27),  # within the 28 digits that scaleb keeps by default
    st.integers(-420, 420) | st.integers(-30, 30),
)


def values(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
        max_leaves=25,
    )


@given(values(st.none() | st.booleans() | safe_integers | doubles | text))
def test_agrees_with_rfc8785_where_doubles_hold_the_numbers(value):
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values(st.none() | st.booleans() | st.integers() | doubles | decimals | text))
def test_reading_canonical_bytes_and_writing_them_again_changes_nothing(value):
    once = canonical_bytes(value)
    again = canonical_bytes(parse(once, name="document.json").root)
    assert again == once


@given(decimals, st.integers(0, 30))
def test_one_number_has_one_form_however_it_is_written(number, zeros):
    spellings = [f"{number:f}" if abs(number.adjusted()) < 60 else str(number), f"{number:E}"]
    mantissa, _, exponent = f"{number:E}".partition("E")
    padded = mantissa + ("" if "." in mantissa else ".0") + "0" * zeros
    spellings.append(f"{padded}e{int(exponent):+04d}")
    forms = {canonical_bytes(parse(spelling.encode(), name="n.json").root) for spelling in spellings}
    assert forms == {canonical_bytes(number)}
    assert Decimal(forms.pop().decode()) == number


@given(decimals, decimals)
def test_different_numbers_have_different_forms(one, other):
    assume(one != other)
    assert canonical_bytes(one) != canonical_bytes(other)


@pytest.mark.parametrize(
    ("spelling", "form"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e999999", "0"),
        ("1.0", "1"),
        ("10e-1", "1"),
        ("1E2", "100"),
        ("0.1", "0.1"),
        ("4.50", "4.5"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("123456789012345678901.5", "123456789012345678901.5"),
        ("1000000000000000000000", "1e+21"),
        ("123456789012345678901", "123456789012345678901"),
        ("123456789012345678901.0", "123456789012345678901"),
        ("1234567890123456789012", "1.234567890123456789012e+21"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740993.0", "9007199254740993"),
        ("1152921504606846976", "1152921504606846976"),
        ("0.1000000000000000000001", "0.1000000000000000000001"),
        ("1e400", "1e+400"),
        ("1e-400", "1e-400"),
        ("-1.5e-7", "-1.5e-7"),
        ("0.000001", "0.000001"),
        ("5e-324", "5e-324"),
        ("4.9e-324", "4.9e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ],
)
def test_numbers(spelling, form):
    assert canonical_bytes(parse(spelling.encode(), name="n.json").root).decode() == form


def test_a_double_is_written_as_ecmascript_writes_it():
    assert canonical_bytes(2.0**60) == b"1152921504606847000"
    assert canonical_bytes(2**60) == b"1152921504606846976"


def test_keys_sort_by_utf16_code_units():
    # U+1F600 begins with the code unit D83D and so precedes U+FB33, though its code point is larger.
    assert canonical_bytes({"\ufb33": 1, "\U0001f600": 2, "\r": 3, "1": 4, "\xf6": 5}) == (
        '{"\\r":3,"1":4,"\xf6":5,"\U0001f600":2,"\ufb33":1}'.encode()
    )


def test_escapes_are_those_of_rfc8785():
    assert (
        canonical_bytes('\x00\b\t\n\f\r\x1f"\\/\x7f\u2028é')
        == '"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\x7f\u2028é"'.encode()
    )


def test_order_and_spaces_do_not_matter_and_values_do():
    one = json.loads('{"ward": "B2", "beds": [1, 2]}')
    other = json.loads('{ "beds" : [1.0, 2], "ward":"B2" }')
    assert digest(one) == digest(other)
    assert digest(one) != digest({"ward": "B2", "beds": [2, 1]})
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest(one) == digest_of_bytes(canonical_bytes(one))


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["a", "\ud83d"]])
def test_lone_surrogates_are_refused(value):
    with pytest.raises(DocumentEncoding) as caught:
        canonical_bytes(value)
    assert caught.value.code == "document-encoding"


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")]
)
def test_no_number_is_refused(value):
    with pytest.raises(NumberRefused):
        canonical_bytes([value])


@pytest.mark.parametrize("digits", [1001, 5000])
def test_oversized_integers_are_refused(digits):
    with pytest.raises(NumberRefused):
        canonical_bytes(-(10 ** (digits - 1)))
    with pytest.raises(NumberRefused):
        canonical_bytes(10**digits)


@pytest.mark.parametrize("value", [Decimal("1e10000"), Decimal("1e-10000"), Decimal("1." + "3" * 1000)])
def test_oversized_numbers_are_refused(value):
    with pytest.raises(NumberRefused):
        canonical_bytes(value)


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {1: 2, "a": 3}, {None: 1}, {1, 2}, object()])
def test_other_values_are_refused(value):
    with pytest.raises(NotJson):
        canonical_bytes(value)


def test_nesting_is_bounded():
    value: list = []
    for _ in range(MAX_DEPTH):
        value = [value]
    with pytest.raises(LimitPassed):
        canonical_bytes(value)
    assert canonical_bytes(value[0]).startswith(b"[[[")
