"""Whatever comes: no decoder raises, nothing that a sender wrote is repeated, junk documents are refused."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from kernel.operation.undeclared import Unknown
from kernel.operation.violation import STATUS_OF

MARK = "zq7secret"
OBJECT = {
    "type": "object",
    "additionalProperties": {"type": "integer"},
    "properties": {
        "ward": {"type": "string", "maxLength": 3},
        "age": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"type": "integer"}},
        "inner": {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "boolean"}}},
    },
}
CONTENT = {
    media: {"schema": {"$ref": "#/components/schemas/Thing"}}
    for media in (
        "application/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/vnd.lab.thing",
    )
} | {"text/plain": {"schema": {"type": ["integer", "boolean"]}}, "application/octet-stream": {}}
ROOT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {
        "/a/{one}/{two}": {
            "parameters": [
                {
                    "name": "one",
                    "in": "path",
                    "required": True,
                    "style": "matrix",
                    "explode": True,
                    "schema": OBJECT,
                },
                {
                    "name": "two",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "array", "items": {"type": "integer"}},
                },
            ],
            "post": {
                "parameters": [
                    {
                        "name": "deep",
                        "in": "query",
                        "style": "deepObject",
                        "schema": {"$ref": "#/components/schemas/Thing"},
                    },
                    {
                        "name": "list",
                        "in": "query",
                        "style": "pipeDelimited",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "number"}},
                    },
                    {"name": "json", "in": "query", "content": {"application/json": {"schema": OBJECT}}},
                    {
                        "name": "spread",
                        "in": "query",
                        "schema": {"type": "object", "properties": {"x": {"type": "integer"}}},
                    },
                    {"name": "X-Ward", "in": "header", "schema": {"type": "integer"}},
                    {"name": "c", "in": "cookie", "schema": {"type": "boolean"}},
                ],
                "requestBody": {"content": CONTENT},
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": CONTENT,
                        "headers": {"X-Ward": {"schema": {"type": "integer"}}},
                    }
                },
            },
        }
    },
    "components": {"schemas": {"Thing": OBJECT}},
}
(OPERATION,) = compile_contract(ROOT, unknown=Unknown("strict")).operations

NAMES = [
    b"deep[ward]",
    b"deep[inner][a]",
    b"deep[" + MARK.encode() + b"]",
    b"list",
    b"json",
    b"x",
    b"spread",
    b"c",
    MARK.encode(),
    b"ward",
    b"tags",
    b"inner",
    b"",
]
PIECES = st.sampled_from(
    [
        MARK.encode(),
        b"7",
        b"true",
        b"%",
        b"%zz",
        b"%ff",
        b"%2C",
        b",",
        b"|",
        b"+",
        b"[",
        b"{",
        b'{"a":1}',
        b"null",
        b"\xff",
        b"\x00",
        b"1e400",
        b"",
        b";",
        b".",
        b"=",
    ]
)
VALUES = (
    st.lists(PIECES, max_size=4).map(b"".join)
    | st.binary(max_size=30)
    | st.binary(max_size=12).map(lambda raw: quote_from_bytes(raw).encode())
)
QUERIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6).map(
    lambda pairs: b"&".join(n + b"=" + v for n, v in pairs)
)
TYPES = st.sampled_from(
    [
        *(media.encode() for media in CONTENT),
        b"multipart/form-data; boundary=B",
        b"text/plain; charset=" + MARK.encode(),
        MARK.encode(),
        b"*/*",
        b"",
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([MARK, "7", ""])
)
KEYS = st.sampled_from(["ward", "age", "tags", "inner", "a", MARK])
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
).map(lambda value: json.dumps(value).encode())
PARTS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=4).map(
    lambda parts: (
        b"".join(
            b'--B\r\nContent-Disposition: form-data; name="' + n + b'"\r\n\r\n' + v + b"\r\n"
            for n, v in parts
        )
        + b"--B--"
    )
)
XML = st.lists(
    st.sampled_from(
        [
            b"<ward>",
            b"</ward>",
            b"<r>",
            b"</r>",
            b"<tags>7</tags>",
            MARK.encode(),
            b"<inner/>",
            b"<!DOCTYPE r>",
            b"&lt;",
            b"&x;",
        ]
    ),
    max_size=8,
).map(b"".join)
BODIES = JSON | PARTS | XML | QUERIES | st.binary(max_size=60)


@settings(max_examples=600, deadline=None)
@given(
    VALUES,
    VALUES,
    QUERIES,
    st.lists(st.tuples(st.sampled_from([b"x-ward", b"cookie", b"accept"]), VALUES), max_size=3),
    TYPES,
    BODIES,
)
def test_no_request_breaks_a_decoder_or_is_quoted(
    one: bytes, two: bytes, query: bytes, lines: list[tuple[bytes, bytes]], media: bytes, data: bytes
) -> None:
    problem = OPERATION.check_request((one, two), query, [*lines, (b"content-type", media)], data)
    if problem is not None:
        assert problem.status == STATUS_OF[problem.slug]
        assert problem.violations
        assert len(problem.violations) <= 16
        assert MARK not in repr(problem)
    good = OPERATION.check_request((b";ward=a", b"1"), b"", [(b"content-type", media)], data)
    assert good is None or good.slug != "parameter-invalid"
    assert MARK not in repr(good)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([b"x-ward", b"content-encoding"]), VALUES), max_size=2), TYPES, BODIES
)
def test_no_answer_breaks_a_decoder_or_is_quoted(
    lines: list[tuple[bytes, bytes]], media: bytes, data: bytes
) -> None:
    assert MARK not in repr(OPERATION.check_response(200, [*lines, (b"content-type", media)], data))


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, value in (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    ):
        found += places(value, (*path, key))
    return found


@pytest.mark.parametrize(
    "junk", [None, True, 7, "x", [], {}, [None], {"a": 1}, {"$ref": "#/nowhere"}, {"$ref": 7}], ids=repr
)
def test_junk_anywhere_in_a_document_is_compiled_or_refused_and_never_a_fault(junk: Any) -> None:
    refused = 0
    for path in places(ROOT):
        if path[:1] not in [("paths",), ("components",), ("openapi",)]:
            continue
        root = copy.deepcopy(ROOT)
        node: Any = root
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = junk
        try:
            compile_contract(root).prepare()
        except InterlockError:
            refused += 1
    assert refused > 5
