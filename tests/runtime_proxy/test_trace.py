"""Trace context: a valid caller's trace goes on with a new span, anything else begins a new trace."""

import os
import re
import uuid

import pytest

from runtime_proxy.trace import continue_trace, new_request_id

TRACE, PARENT = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"


def test_a_trace_goes_on_under_a_new_span() -> None:
    trace_id, line, continued = continue_trace(b"00-" + TRACE + b"-" + PARENT + b"-01")
    assert continued
    assert trace_id == TRACE.decode()
    found = re.fullmatch(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-01", line)
    assert found is not None
    assert found[1] == TRACE
    assert found[2] not in {PARENT, b"0" * 16}


def test_a_later_version_is_read_as_version_00() -> None:
    _, line, continued = continue_trace(b"01-" + TRACE + b"-" + PARENT + b"-00-more")
    assert continued
    assert line.startswith(b"00-" + TRACE)
    assert line.endswith(b"-00")


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"nonsense",
        b"00-" + b"0" * 32 + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + b"0" * 16 + b"-01",
        b"ff-" + TRACE + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + PARENT + b"-01-more",
        b"00-" + TRACE.upper() + b"-" + PARENT + b"-01",
        b"00-" + TRACE + b"-" + PARENT,
        b"01-" + TRACE + b"-" + PARENT + b"-01-" + b"x" * 300,
    ],
)
def test_anything_else_begins_a_new_trace(header) -> None:
    trace_id, line, continued = continue_trace(header)
    assert not continued
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
    assert trace_id.encode() != TRACE
    assert line.startswith(b"00-" + trace_id.encode())
    assert line.endswith(b"-00"), "whether to sample is not decided here"


def test_request_ids_are_uuids_of_version_7_in_order_of_time() -> None:
    ids = [new_request_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
    assert [one[:13] for one in ids] == sorted(one[:13] for one in ids)


def test_a_forked_worker_does_not_repeat_its_parents_ids() -> None:
    new_request_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, "\n".join(new_request_id()[14:] for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = set(os.read(reading, 10_000).decode().split("\n"))
    ours = {new_request_id()[14:] for _ in range(50)}
    os.close(reading)
    os.close(writing)
    assert len(theirs) == len(ours) == 50
    assert not theirs & ours
