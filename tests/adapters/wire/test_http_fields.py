"""Field lines: none breaks out of its place, and a length is digits and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Call
from adapters.errors import UpstreamBroken
from adapters.wire.http import HttpClient, Origin
from adapters.wire.http_fields import decimal, encode, is_safe


@pytest.mark.parametrize("octet", [b"\r", b"\n", b"\0"])
@pytest.mark.parametrize("line", [b"%b", b"x-a: %b", b"x-a: b%bc", b"x-%b: b"])
def test_a_line_end_is_safe_nowhere(octet: bytes, line: bytes) -> None:
    assert not is_safe([b"a: b", line % octet, b"c: d"])
    assert not is_safe([line % octet])


def test_everything_else_is_safe() -> None:
    assert is_safe([])
    assert is_safe([b"", b"x: " + bytes(set(range(256)) - {0, 10, 13})])


def test_lines_are_written_with_their_ends_but_for_those_left_out() -> None:
    fields = [(b"a", b"b"), (b"host", b"c"), (b"d", b"")]
    assert encode(fields, frozenset({b"host"})) == b"a: b\r\nd: \r\n"
    assert encode([(b"host", b"c")], frozenset({b"host"})) == b""
    with pytest.raises(ValueError, match="line end"):
        encode([(b"a", b"b"), (b"c", b"\r\nd: e")], frozenset())


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (b"0", 0),
        (b"860", 860),
        (b"0860", 860),
        (b"9" * 18, 10**18 - 1),
        (b"9" * 19, -1),
        (b"", -1),
        (b"+1", -1),
        (b"-1", -1),
        (b"1_0", -1),
        (b" 1", -1),
        (b"1 ", -1),
        (b"0x1", -1),
        (b"\xb2", -1),
    ],
)
def test_a_length_is_digits(value: bytes, number: int) -> None:
    assert decimal(value) == number


@given(st.binary(max_size=4))
def test_a_length_is_what_python_reads_of_digits(value: bytes) -> None:
    assert decimal(value) == (int(value) if value.isdigit() else -1)


@given(st.binary(max_size=6))
def test_no_target_breaks_the_request_line(rest: bytes) -> None:
    client = HttpClient("a", Origin("127.0.0.1", 9))
    for target in (rest, b"/" + rest):
        call = Call(b"GET", target, [], b"", 1.0)
        if target[:1] == b"/" and all(0x20 < octet < 0x7F for octet in target):
            assert client._head(call) == b"GET %b HTTP/1.1\r\nhost: 127.0.0.1:9\r\n\r\n" % target
        else:
            with pytest.raises(UpstreamBroken):
                client._head(call)
