"""JSON has one reading or none: what 49 parsers disagree about is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.operation.strict_json import MAX_DEPTH, read_json
from kernel.operation.violation import Undecodable


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1,}',
        b"[1,]",
        b"[1 2]",
        b"1 2",
        b"{'a':1}",
        b"{a:1}",
        b"// note\n1",
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'[{"x":{"a":1,"b":2,"a":1}}]',
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"[1e400]",
        b"1E400",
        b"-1e+309",
        b"1e0000400",
        b"1" * 310,
        b"1" * 310 + b".5",
        b"1" * 5000,
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\xaf"',
        b"\xef\xbb\xbf1",
        "1".encode("utf-16"),
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"0x10",
        b'"\t"',
        b'"\n"',
        b'"\\x41"',
        b"\x0b1",
        b"\xc2\xa01",
        b"True",
        b"null\x00",
        b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    ],
)
def test_what_parsers_disagree_about_is_refused_without_a_word_of_it(text: bytes) -> None:
    for exact in (False, True):
        with pytest.raises(Undecodable) as caught:
            read_json(text, exact=exact)
        assert (caught.value.keyword, caught.value.pointer, str(caught.value)) == ("json", "", "json")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b" [1, -0.5, true, null] \n", [1, -0.5, True, None]),
        (b'{"a":{"a":1},"b":{"a":2}}', {"a": {"a": 1}, "b": {"a": 2}}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"1e308", 1e308),
        (b'"3e4000 is text"', "3e4000 is text"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
    ],
)
def test_the_rest_is_read(text: bytes, value: object) -> None:
    read = read_json(text)
    if value is not None:
        assert read == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1.0000000000000000000001", Decimal("1.0000000000000000000001")),
        (b"1e-400", Decimal("1e-400")),
        (b"0.1", 0.1),
        (b"4.5", 4.5),
        (b"12", 12),
    ],
)
def test_numbers_that_a_double_would_round_stay_exact_on_demand(text: bytes, value: object) -> None:
    read = read_json(text, exact=True)
    assert (read, type(read)) == (value, type(value))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_what_json_dumps_writes_is_read_back(value: object) -> None:
    text = json.dumps(value).encode()
    assert read_json(text) == value
    if isinstance(value, float):
        assert float(read_json(text, exact=True)) == value


@given(st.integers(0, 10**15 - 1), st.integers(0, 15), st.integers(0, 10**15 - 1), st.integers(0, 15))
def test_short_decimals_keep_their_order_as_doubles(left: int, shift: int, right: int, other: int) -> None:
    """Why numbers of up to 15 digits need no Decimal: their doubles compare as they do."""
    first, second = Decimal(left).scaleb(-shift), Decimal(right).scaleb(-other)
    assert (first < second) == (float(first) < float(second))
    assert (first == second) == (float(first) == float(second))
