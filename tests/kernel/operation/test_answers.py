"""Answers are held to statuses, headers and contents that the contract declares."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import brotli
import pytest
import zstandard

from kernel.errors import ContractInvalid
from kernel.operation.codings import decoded
from kernel.operation.limits import OperationLimits
from kernel.operation.violation import Undecodable

JSON = (b"content-type", b"application/json")
COUNT = {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer"}}}
RESPONSES = {
    "200": {
        "description": "found",
        "headers": {
            "X-Total": {"required": True, "schema": {"type": "integer", "minimum": 0}},
            "Content-Type": {"schema": {"const": "ignored"}},
            "X-Tags": {"schema": {"type": "array", "items": {"type": "integer"}}},
        },
        "content": {"application/json": {"schema": COUNT}, "text/csv": {"schema": {"type": "string"}}},
    },
    "204": {"description": "nothing", "content": {"application/json": {"schema": COUNT}}},
    "2XX": {"description": "else", "content": {"application/json": {"schema": {"const": "range"}}}},
    "404": {"description": "says nothing about a body"},
    "410": {"description": "no body", "content": {}},
    "default": {
        "description": "else",
        "content": {"application/problem+json": {"schema": {"const": "default"}}},
    },
}
TOTAL = (b"x-total", b"1")


def judge(
    make: Any,
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    *,
    head: bool = False,
    responses: Any = RESPONSES,
) -> list[tuple[str, str, str]]:
    found = make({"responses": responses}).check_response(status, headers, body, head=head)
    assert "secret" not in repr(found)
    return [(item.location, item.pointer or item.name, item.keyword) for item in found]


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, [JSON, TOTAL], b'{"count":1}', []),
        (200, [JSON, TOTAL, (b"x-tags", b"1"), (b"x-tags", b"2")], b'{"count":1}', []),
        (200, [(b"content-type", b"text/csv"), TOTAL], b"", []),
        (200, [JSON], b'{"count":1}', [("header", "X-Total", "missing")]),
        (200, [JSON, (b"x-total", b"secret")], b'{"count":1}', [("header", "X-Total", "type")]),
        (200, [JSON, (b"x-total", b"-1")], b'{"count":1}', [("header", "X-Total", "minimum")]),
        (200, [JSON, TOTAL, TOTAL], b'{"count":1}', [("header", "X-Total", "repeated")]),
        (200, [JSON, TOTAL], b"", [("body", "", "missing")]),
        (200, [JSON, TOTAL], b"{}", [("body", "/count", "required")]),
        (200, [JSON, TOTAL], b'{"count":"secret"}', [("body", "/count", "type")]),
        (200, [JSON, TOTAL], b"secret", [("body", "", "json")]),
        (200, [TOTAL], b'{"count":1}', [("body", "", "media-type")]),
        (200, [(b"content-type", b"text/html"), TOTAL], b"<p>", [("body", "", "media-type")]),
        (200, [JSON, JSON, TOTAL], b'{"count":1}', [("body", "", "media-type")]),
        (204, [], b"", []),
        (204, [JSON], b'{"count":1}', [("body", "", "unexpected")]),
        (201, [JSON], b'"range"', []),
        (201, [JSON], b'"default"', [("body", "", "const")]),
        (404, [], b"", []),
        (404, [JSON], b"{}", []),
        (404, [(b"content-type", b"text/html")], b"<p>", []),
        (410, [], b"", []),
        (410, [JSON], b"{}", [("body", "", "unexpected")]),
        (500, [(b"content-type", b"application/problem+json")], b'"default"', []),
        (302, [JSON], b"{}", [("body", "", "media-type")]),
    ],
)
def test_answers(
    make: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes, expected: Any
) -> None:
    assert judge(make, status, headers, body) == expected


def test_a_status_that_nobody_declared_is_a_violation(make: Any) -> None:
    responses = {"200": {"description": "ok"}, "4xx": {"description": "no"}}
    assert judge(make, 500, [], b"", responses=responses) == [("status", "", "undeclared")]
    assert judge(make, 418, [], b"", responses=responses) == []
    assert judge(make, 500, [], b"anything", responses={}) == []


def test_the_answer_to_a_head_has_headers_and_no_body(make: Any) -> None:
    assert judge(make, 200, [JSON, TOTAL], b"", head=True) == []
    assert judge(make, 200, [JSON], b"", head=True) == [("header", "X-Total", "missing")]
    assert judge(make, 200, [JSON, TOTAL], b"{}", head=True) == [("body", "", "unexpected")]


@pytest.mark.parametrize(
    ("coding", "data", "keyword"),
    [
        (b"gzip", gzip.compress(b'{"count":1}', mtime=0), None),
        (b"X-GZIP", gzip.compress(b'{"count":1}', mtime=0), None),
        (b"deflate", zlib.compress(b'{"count":1}'), None),
        (b"deflate", zlib.compress(b'{"count":1}')[2:-4], None),
        (b"identity", b'{"count":1}', None),
        (b"gzip", gzip.compress(b"{}", mtime=0), "required"),
        (b"gzip", b'{"count":1}', "content-coding"),
        (b"gzip", gzip.compress(b'{"count":1}', mtime=0)[:-4], "content-coding"),
        (b"gzip", gzip.compress(b'{"count":1}', mtime=0) + b"x", "content-coding"),
        (b"gzip", gzip.compress(b'{"count"', mtime=0) + gzip.compress(b":1}", mtime=0), None),
        (b"br", brotli.compress(b'{"count":1}'), None),
        (b"br", brotli.compress(b'{"count":1}')[:-1], "content-coding"),
        (b"br", brotli.compress(b'{"count":1}') + b"x", "content-coding"),
        (b"br", b"x", "content-coding"),
        (b"zstd", zstandard.compress(b'{"count":1}'), None),
        (b"zstd", zstandard.compress(b'{"count"') + zstandard.compress(b":1}"), None),
        (b"zstd", zstandard.compress(b'{"count":1}')[:-1], "content-coding"),
        (b"zstd", zstandard.compress(b'{"count":1}') + b"x", "content-coding"),
        (b"zstd", b"x", "content-coding"),
        (b"gzip, BR", brotli.compress(gzip.compress(b'{"count":1}', mtime=0)), None),
        (b"br, gzip", brotli.compress(gzip.compress(b'{"count":1}', mtime=0)), "content-coding"),
        (b"gzip,gzip,gzip,gzip", b"x", "content-coding"),
        (b"compress", b"x", "content-coding"),
        (b"gzip", gzip.compress(b"0" * 20_000_000, mtime=0), "limit"),
        (b"br", brotli.compress(b"0" * 20_000_000), "limit"),
        (b"zstd", zstandard.compress(b"0" * 20_000_000), "limit"),
    ],
)
def test_codings_are_taken_off_with_caps(make: Any, coding: bytes, data: bytes, keyword: str | None) -> None:
    found = judge(make, 200, [JSON, TOTAL, (b"content-encoding", coding)], data)
    assert [item[2] for item in found] == ([] if keyword is None else [keyword])


def test_codings_of_several_lines_are_one_list(make: Any) -> None:
    lines = [JSON, TOTAL, (b"content-encoding", b"gzip"), (b"content-encoding", b"identity, zstd")]
    twice = zstandard.compress(gzip.compress(b'{"count":1}', mtime=0))
    assert judge(make, 200, lines, twice) == []
    assert judge(make, 200, lines, b'{"count":1}') == [("body", "", "content-coding")]


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        (b"gzip", gzip.compress),
        (b"br", brotli.compress),
        (b"zstd", zstandard.compress),
        (b"deflate", zlib.compress),
    ],
)
def test_a_decoded_body_is_bounded_by_size_and_by_ratio(coding: bytes, compress: Any) -> None:
    packed = compress(b"0" * 100_000)
    assert len(decoded([coding], packed, OperationLimits(decoded_ratio=1))) == 100_000
    for limits in (
        OperationLimits(decoded_ratio=10, decoded_floor=99_999 if len(packed) < 9_999 else 1),
        OperationLimits(decoded_bytes=99_999),
    ):
        with pytest.raises(Undecodable) as caught:
            decoded([coding], packed, limits)
        assert caught.value.keyword == "limit"
    exact = OperationLimits(decoded_bytes=100_000)
    assert len(decoded([coding], packed, exact)) == 100_000


def test_write_only_properties_are_refused_in_an_answer(make: Any) -> None:
    schema = {"type": "object", "properties": {"pin": {"type": "string", "writeOnly": True}}}
    spec = {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}
    operation = make(spec, version="3.0.3")
    assert operation.check_response(200, [JSON], b"{}") == ()
    assert operation.check_response(200, [JSON], b'{"pin":"1"}') != ()


def test_an_odd_status_is_refused(make: Any) -> None:
    with pytest.raises(ContractInvalid, match="no status"):
        make({"responses": {"20X": {"description": "odd"}}}).prepare()


def test_a_finding_of_an_answer_names_its_true_place(make: Any) -> None:
    content = {"text/event-stream": {"schema": {"type": "object"}, "x-interlock-unchecked": True}}
    components = {"responses": {"Feed": {"description": "feed", "content": content}}}
    operation = make(
        {
            "responses": {
                "2XX": {"description": "ok", "content": content},
                "200": {"$ref": "#/components/responses/Feed"},
                "201": {"$ref": "#/components/responses/Feed"},
            }
        },
        components=components,
    )
    assert [(note.rule, note.pointer) for note in operation.prepare()] == [
        ("content-unchecked", "/paths/~1things/post/responses/2XX/content/text~1event-stream"),
        ("content-unchecked", "/components/responses/Feed/content/text~1event-stream"),
    ]


def test_set_cookie_comes_in_lines_that_are_no_list(make: Any) -> None:
    responses = {
        "200": {
            "description": "ok",
            "headers": {"Set-Cookie": {"schema": {"type": "string", "pattern": "^[a-z]="}}},
        }
    }
    lines = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2, 3")]
    assert judge(make, 200, lines, b"", responses=responses) == []
    assert judge(make, 200, [*lines, (b"set-cookie", b"7=secret")], b"", responses=responses) == [
        ("header", "Set-Cookie", "pattern")
    ]
