"""Field lines that come again: kept from the second time on, found by their bytes, forgotten in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.wire.http_fields import fields_of
from adapters.wire.http_framing import AnswerBroken, ReadLimits
from adapters.wire.http_reading import AnswerReader
from adapters.wire.known_fields import LARGEST, LIFE, MOST, FieldMemory, KnownFields

LINES = b"\r\nHost: a\r\nX-API-Key: k\r\nContent-Length: %d\r\nAccept: */*\r\n\r\n"


def read(memory: FieldMemory, block: bytes) -> bool:
    """Read a block as the edge does; True when it was known."""
    known = memory.look(block)
    fields = fields_of(b"GET / HTTP/1.1" + block)
    if known is None:
        memory.learn(fields)
        return False
    assert known.whole(memory.length) == fields
    return True


def test_the_third_time_it_is_known_whatever_its_length() -> None:
    memory = FieldMemory()
    assert [read(memory, LINES % length) for length in (860, 7, 12345, 0)] == [False, False, True, True]


def test_one_other_octet_is_another_block() -> None:
    memory = FieldMemory()
    for _ in range(2):
        read(memory, LINES % 5)
    assert not read(memory, (LINES % 5).replace(b"Key: k", b"Key: K"))
    assert not read(memory, (LINES % 5).replace(b"Length: 5", b"Length:  5"))


@pytest.mark.parametrize("line", [b"CONTENT-LENGTH: 5", b"Content-Length:5 ", b"content-length:\t5"])
def test_a_length_that_is_spelled_otherwise_is_read_anew(line: bytes) -> None:
    memory = FieldMemory()
    block = b"\r\nHost: a\r\n%b\r\n\r\n" % line
    assert [read(memory, block) for _ in range(4)] == [False] * 4


def test_a_length_without_digits_is_not_one_with_digits() -> None:
    memory = FieldMemory()
    for length in (5, 6, 7):
        read(memory, LINES % length)
    assert memory.look(LINES.replace(b"%d", b"")) is None


def known_of(block: bytes) -> KnownFields:
    """Give what is remembered of a block."""
    memory = FieldMemory()
    for _ in range(2):
        read(memory, block)
    known = memory.look(block)
    assert known is not None
    return known


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (LINES % 860 + b"body", (len(LINES % 860), b"860")),
        (LINES % 10**17, (len(LINES % 10**17), b"1" + b"0" * 17)),
        (LINES % 10**18, (0, b"")),  # one digit more than is remembered
        (LINES.replace(b"%d", b""), (0, b"")),
        (LINES.replace(b"%d", b"5 "), (0, b"")),
        (LINES.replace(b"%d", b"-5"), (0, b"")),
        (LINES.replace(b"%d", b"5\r\nContent-Length: 6"), (0, b"")),
        ((LINES % 5).replace(b"*/*", b"*/+"), (0, b"")),
        ((LINES % 5).replace(b"Host: a", b"host: a"), (0, b"")),
        ((LINES % 5)[:-1], (0, b"")),
        (b"", (0, b"")),
    ],
)
def test_the_same_lines_are_found_where_they_stand(data: bytes, found: tuple[int, bytes]) -> None:
    known = known_of(LINES % 7)
    assert known.read(data, 0) == found
    end, length = found
    assert known.read(b"GET /" + data, 5) == (end + 5 if end else 0, length)


def test_lines_without_a_length_are_found_too() -> None:
    block = b"\r\nHost: a\r\n\r\n"
    known = known_of(block)
    assert known.read(block + b"GET /", 0) == (len(block), b"")
    assert known.read(b"\r\nHost: a\r\nX: b\r\n\r\n", 0) == (0, b"")


def test_whoever_still_holds_what_is_forgotten_holds_nothing() -> None:
    memory = FieldMemory()
    for _ in range(2):
        read(memory, LINES % 1)
    known = memory.look(LINES % 1)
    assert known is not None
    known.keep("reason", 7)
    memory.forget()
    assert known.read(LINES % 1, 0) == (0, b"")
    assert known.read(b"", 0) == (0, b"")
    assert (known.fields, known.made) == ([], {})


def test_whoever_changes_the_lines_changes_only_its_own() -> None:
    memory = FieldMemory()
    block = b"\r\nHost: a\r\n\r\n"
    assert [read(memory, block) for _ in range(3)] == [False, False, True]
    known = memory.look(block)
    assert known is not None
    known.whole(b"").append((b"x-planted", b"b"))
    assert known.whole(b"") == [(b"host", b"a")]


def test_what_is_derived_goes_with_the_lines() -> None:
    memory = FieldMemory()
    for _ in range(2):
        read(memory, LINES % 1)
    known = memory.look(LINES % 2)
    assert known is not None
    known.keep("reason", 7)
    again = memory.look(LINES % 3)
    assert again is not None
    assert again.made == {"reason": 7}
    for number in range(100):
        again.keep(number, number)
    assert len(again.made) <= 16


def test_memory_ends() -> None:
    memory = FieldMemory()
    memory.forget_old(1000.0)
    for _ in range(3):
        read(memory, LINES % 1)
    memory.forget_old(1000.0 + LIFE - 0.1)
    assert memory.look(LINES % 1) is not None
    memory.forget_old(1000.0 + LIFE)
    assert memory.look(LINES % 1) is None


def test_memory_is_bounded_in_number_and_size() -> None:
    memory = FieldMemory()
    large = b"\r\nHost: a\r\nX: %b\r\n\r\n" % (b"x" * LARGEST)
    assert [read(memory, large) for _ in range(4)] == [False] * 4
    for number in range(3 * MOST):
        for _ in range(2):
            read(memory, b"\r\nHost: a\r\nX: %d\r\n\r\n" % number)
    assert memory.kept <= MOST


@given(
    st.lists(
        st.sampled_from([b"Host: a", b"Content-Length: 1", b"content-length: 22", b"X: 1", b"x:  y ", b"Content-Length: "]),
        max_size=5,
    )
)  # fmt: skip
def test_what_is_known_is_what_is_read(lines: list[bytes]) -> None:
    memory = FieldMemory()
    block = b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    if sum(line.lower().startswith(b"content-length") for line in lines) > 1:
        return  # llhttp has refused it before anybody looks
    for _ in range(4):
        read(memory, block)  # asserts that both readings agree


@given(
    st.lists(
        st.tuples(st.sampled_from([b"Host", b"X-A", b"x-a", b"ACCEPT"]), st.text("ab \t:", max_size=6)), max_size=5
    )
)  # fmt: skip
def test_fields_are_split_at_the_first_colon_and_bared(lines: list[tuple[bytes, str]]) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"".join(b"%b:%b\r\n" % (name, value.encode()) for name, value in lines)
    expected = [(name.lower(), value.encode().strip(b" \t")) for name, value in lines]
    assert fields_of(head + b"\r\n") == expected


@pytest.mark.parametrize("name", [b"Connection", b"Proxy-Connection"])
def test_an_answer_that_is_known_follows_no_end_of_the_connection(name: bytes) -> None:
    """llhttp reads nothing after `close`, and an answer that it is not shown has the same end before it."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    memory = FieldMemory()
    for _ in range(3):
        reader = AnswerReader(ReadLimits(), memory)
        with pytest.raises(AnswerBroken):
            reader.feed(b"HTTP/1.1 103 Early Hints\r\n%b: close\r\n\r\n" % name + ok)
        for _ in range(2):
            reader = AnswerReader(ReadLimits(), memory)
            answer = reader.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok)
            assert answer is not None
            assert answer.body == b"ok"
    assert memory.kept == 1
