"""Bodies: chosen by Content-Type, decoded strictly, judged, and never described by what they hold."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from kernel.contract.finding import Severity
from kernel.errors import ContractInvalid, SchemaRefused
from kernel.operation.violation import RequestProblem

ORDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["placer"],
    "properties": {
        "placer": {"type": "string", "maxLength": 10},
        "count": {"type": "integer", "minimum": 1},
        "id": {"type": "string", "readOnly": True},
        "tests": {
            "type": "array",
            "items": {"type": "object", "properties": {"code": {"pattern": "^[0-9]+$"}}},
        },
    },
}
JSON = b"application/json"


def body(content: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": content}}


def send(
    operation: Any, data: bytes, *types: bytes, more: tuple[tuple[bytes, bytes], ...] = ()
) -> RequestProblem | None:
    lines = [(b"host", b"lab.example"), *[(b"content-type", item) for item in types], *more]
    return operation.check_request((), b"", lines, data)


def told(problem: RequestProblem | None) -> tuple[str, int, list[tuple[str, str]]] | None:
    """Put a problem as slug, status, and (pointer, keyword) of each violation in the body."""
    if problem is None:
        return None
    assert all(item.location in {"body", "header"} for item in problem.violations)
    assert problem.violations
    return problem.slug, problem.status, [(item.pointer, item.keyword) for item in problem.violations]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"placer":"A-1"}', None),
        (b'{"placer":"A-1","count":1.0}', None),
        (b"", ("body-missing", 400, [("", "missing")])),
        (b"{", ("body-malformed", 400, [("", "json")])),
        (b'{"placer":"A","placer":"B"}', ("body-malformed", 400, [("", "json")])),
        (b'{"placer":"A-1","count":1e400}', ("body-malformed", 400, [("", "json")])),
        (b"\xef\xbb\xbf{}", ("body-malformed", 400, [("", "json")])),
        (b"{}", ("body-invalid", 422, [("/placer", "required")])),
        (b"[]", ("body-invalid", 422, [("", "type")])),
        (b'{"placer":7}', ("body-invalid", 422, [("/placer", "type")])),
        (b'{"placer":"a secret of eleven"}', ("body-invalid", 422, [("/placer", "maxLength")])),
        (b'{"placer":"A","secret":1}', ("body-invalid", 422, [("/{key}", "additionalProperties")])),
        (
            b'{"placer":"A","tests":[{"code":"1"},{"code":"secret"}]}',
            ("body-invalid", 422, [("/tests/1/code", "pattern")]),
        ),
        (b'{"placer":"A","tests":[{"secret":{"secret":1}}]}', None),
        (b'{"placer":"A","count":1.0000000000000000000001}', ("body-invalid", 422, [("/count", "type")])),
    ],
)
def test_json(make: Any, data: bytes, expected: Any) -> None:
    problem = send(make(body({"application/json": {"schema": ORDER}})), data, JSON)
    assert told(problem) == expected
    assert "secret" not in repr(problem)


def test_a_long_list_of_violations_is_cut(make: Any) -> None:
    operation = make(body({"application/json": {"schema": {"items": {"type": "integer"}}}}))
    problem = send(operation, b"[" + b",".join([b'"x"'] * 100) + b"]", JSON)
    assert problem is not None
    assert len(problem.violations) == 16


@pytest.mark.parametrize(
    "types",
    [
        (),
        (b"",),
        (b"text/plain",),
        (b"application/xml",),
        (b"application/jsonx",),
        (b"application/json\t",),
        (b" application/json",),
        (b"application/json, text/plain",),
        (b"application/json", b"application/json"),
        (b"application/json", b"text/plain"),
        (b"application/json; charset=utf-16",),
        (b"application/json; charset=latin1",),
        (b"application/json; charset=utf-8; charset=utf-16",),
        (b"*/*",),
        (b"application/*",),
    ],
)
def test_what_is_not_declared_is_415_and_never_passed(make: Any, types: tuple[bytes, ...]) -> None:
    problem = send(make(body({"application/json": {"schema": ORDER}})), b'{"placer":"A"}', *types)
    assert problem is not None
    assert (problem.slug, problem.status) == ("media-type-unsupported", 415)


@pytest.mark.parametrize(
    "spelling",
    [
        b"application/json; charset=UTF-8",
        b"Application/Json;charset=utf-8",
        b'application/json; charset="utf-8"',
        b"application/json;",
    ],
)
def test_utf_8_may_be_said(make: Any, spelling: bytes) -> None:
    operation = make(body({"application/json": {"schema": ORDER}}))
    assert send(operation, b'{"placer":"A"}', spelling) is None
    assert told(send(operation, b"{}", spelling)) == ("body-invalid", 422, [("/placer", "required")])


def test_the_closest_range_judges(make: Any) -> None:
    def exactly(value: int) -> dict[str, Any]:
        return {"schema": {"const": value}}

    operation = make(
        body(
            {
                "*/*": exactly(1),
                "application/*": exactly(2),
                "application/*+json": exactly(3),
                "application/fhir+json": exactly(4),
                "application/fhir+json; version=2": exactly(5),
            }
        )
    )
    for media, value in (
        (b"text/json", b"1"),
        (b"application/json", b"2"),
        (b"application/geo+json", b"3"),
        (b"application/fhir+json", b"4"),
        (b"application/fhir+json; version=1", b"4"),
        (b"application/fhir+json; version=2; charset=utf-8", b"5"),
    ):
        assert send(operation, value, media) is None, media
        assert send(operation, b"9", media) is not None


def test_a_range_never_passes_a_type_that_its_schema_cannot_judge(make: Any) -> None:
    operation = make(body({"*/*": {"schema": ORDER}}))
    assert told(send(operation, b"a,b", b"text/csv")) == ("media-type-unsupported", 415, [("", "media-type")])
    assert told(send(operation, b"\x89PNG", b"image/png")) == (
        "media-type-unsupported",
        415,
        [("", "media-type")],
    )
    assert told(send(operation, b"no json", b"application/x-odd")) == ("body-malformed", 400, [("", "json")])
    assert send(operation, b'{"placer":"A"}', JSON) is None
    assert send(operation, b"placer=A", b"application/x-www-form-urlencoded") is None
    assert operation.prepare() == ()


def test_a_range_that_has_no_form_for_its_schema_refuses_the_type_and_nothing_else(make: Any) -> None:
    operation = make(body({"*/*": {"schema": {"type": "array", "maxItems": 1}}}))
    for _ in range(2):
        found = told(send(operation, b"a=1", b"application/x-www-form-urlencoded"))
        assert found == ("media-type-unsupported", 415, [("", "media-type")])
    for index in range(200):
        assert send(operation, b"[]", b"application/x%d+json" % index) is None


def test_a_coded_request_is_judged_decoded(make: Any) -> None:
    operation = make({**body({"application/json": {"schema": ORDER}}), "x-interlock-max-body": 1_000})
    good, bad = b'{"placer":"A"}', b'{"placer":1}'

    def coded(coding: bytes, data: bytes) -> Any:
        return told(send(operation, data, JSON, more=((b"content-encoding", coding),)))

    assert coded(b"identity", good) is None
    assert coded(b"gzip", gzip.compress(good)) is None
    assert coded(b"gzip", gzip.compress(bad)) == ("body-invalid", 422, [("/placer", "type")])
    assert coded(b"gzip", good) == ("body-malformed", 400, [("", "content-coding")])
    for coding in (b"compress", b"gzip;q=1", b"gzip gzip", b"\xff"):
        assert coded(coding, good) == ("content-coding-unsupported", 415, [("", "content-coding")]), coding
    long = gzip.compress(b'{"placer":"' + b"A" * 1_000 + b'"}')
    assert coded(b"gzip", long) == ("body-too-large", 413, [("", "limit")])
    bomb = gzip.compress(b" " * 20_000_000)
    assert coded(b"gzip", bomb) == ("body-too-large", 413, [("", "limit")])


def test_a_body_that_nobody_declared_is_refused(make: Any) -> None:
    operation = make({}, method="get")
    assert send(operation, b"") is None
    assert send(operation, b"", JSON) is None
    assert told(send(operation, b"{}", JSON)) == ("body-unexpected", 400, [("", "unexpected")])


def test_an_optional_body_may_be_left_out_with_or_without_its_type(make: Any) -> None:
    operation = make(body({"application/json": {"schema": ORDER}}, required=False))
    assert send(operation, b"") is None
    assert send(operation, b"", JSON) is None
    assert told(send(operation, b"{}", JSON)) == ("body-invalid", 422, [("/placer", "required")])


def test_read_only_properties_are_refused_in_a_request(make: Any) -> None:
    operation = make(body({"application/json": {"schema": ORDER}}), version="3.0.3")
    assert send(operation, b'{"placer":"A","id":"7"}', JSON) is not None


@pytest.mark.parametrize(
    ("media", "schema", "data", "expected"),
    [
        ("text/plain", {"type": "string", "maxLength": 3}, "äöü".encode(), None),
        (
            "text/plain",
            {"type": "string", "maxLength": 3},
            b"four",
            ("body-invalid", 422, [("", "maxLength")]),
        ),
        ("text/plain", {"type": "string"}, b"\xff", ("body-malformed", 400, [("", "utf-8")])),
        ("text/plain", {"type": "integer"}, b"12", None),
        ("text/plain", {"type": "integer"}, b"x", ("body-invalid", 422, [("", "type")])),
        ("text/plain", {"type": "string"}, b"", None),
        ("text/plain", {"type": "string", "minLength": 1}, b"", ("body-invalid", 422, [("", "minLength")])),
        ("text/plain", True, b"\xff", None),
        ("application/octet-stream", {"type": "string", "format": "binary"}, b"\x00\xff", None),
        ("application/octet-stream", {}, b"\x00\xff", None),
        ("application/octet-stream", {"type": "string", "format": "byte"}, b"YQ==", None),
        (
            "application/octet-stream",
            {"type": "string", "format": "byte"},
            b"\x00\xff",
            ("body-malformed", 400, [("", "utf-8")]),
        ),
        (
            "application/pdf",
            {"type": "string", "format": "uuid"},
            b"%PDF",
            ("body-invalid", 422, [("", "format")]),
        ),
        (
            "application/octet-stream",
            {"type": "string", "format": "binary", "maxLength": 2},
            b"\xff\xff",
            None,
        ),
        (
            "application/octet-stream",
            {"type": "string", "format": "binary", "maxLength": 2},
            b"\xff\xff\xff",
            ("body-invalid", 422, [("", "maxLength")]),
        ),
        (
            "application/octet-stream",
            {"type": "string", "pattern": "^a"},
            b"b",
            ("body-invalid", 422, [("", "pattern")]),
        ),
        ("application/text", {"type": "integer"}, b"12", None),
        ("application/vnd.lab.order", ORDER, b'{"placer":"A"}', None),
        ("application/vnd.lab.order", ORDER, b"not json", ("body-malformed", 400, [("", "json")])),
        ("text/plain", {"oneOf": [{"type": "string", "pattern": "^a"}, {"type": "integer"}]}, b"7", None),
    ],
)
def test_other_media_types(make: Any, media: str, schema: Any, data: bytes, expected: Any) -> None:
    spec = {} if schema is True else {"schema": schema}
    assert told(send(make(body({media: spec})), data, media.encode())) == expected


def test_text_in_a_declared_charset_is_read_in_it(make: Any) -> None:
    operation = make(body({"text/plain": {"schema": {"const": "é"}}}))
    assert send(operation, b"\xe9", b"text/plain; charset=iso-8859-1") is None
    assert told(send(operation, b"\xe9", b"text/plain; charset=utf-7")) == (
        "media-type-unsupported",
        415,
        [("", "charset")],
    )


@pytest.mark.parametrize(
    ("media", "schema", "rule", "severity"),
    [
        ("application/vnd.lab.order", ORDER, "content-assumed-json", Severity.INFO),
        ("application/json", ORDER, None, None),
        ("application/octet-stream", {"type": "string", "format": "binary"}, None, None),
        ("*/*", ORDER, None, None),
    ],
)
def test_what_is_not_looked_into_is_a_finding(
    make: Any, media: str, schema: Any, rule: str | None, severity: Severity | None
) -> None:
    found = make(body({media: {"schema": schema}})).prepare()
    place = "/paths/~1things/post/requestBody/content/" + media.replace("/", "~1")
    assert [(note.rule, note.severity, note.pointer) for note in found] == (
        [(rule, severity, place)] if rule else []
    )


@pytest.mark.parametrize(
    "media",
    [
        *("application/x-ndjson", "text/event-stream", "application/fhir+xml", "text/csv", "image/png"),
        *("application/yaml", "application/octet-stream", "application/cwt+cbor"),
    ],
)
def test_what_cannot_be_looked_into_is_refused_unless_the_contract_says_so(make: Any, media: str) -> None:
    place = "/paths/~1things/post/requestBody/content/" + media.replace("/", "~1")
    with pytest.raises(ContractInvalid, match="could not be checked") as caught:
        make(body({media: {"schema": ORDER}})).prepare()
    assert caught.value.place is not None
    assert caught.value.place.pointer == place
    assert caught.value.hint is not None
    assert "x-interlock-unchecked: true" in caught.value.hint
    with pytest.raises(ContractInvalid):
        make(body({media: {"schema": ORDER, "x-interlock-unchecked": "yes"}})).prepare()
    operation = make(body({media: {"schema": ORDER, "x-interlock-unchecked": True}}))
    (note,) = operation.prepare()
    assert (note.rule, note.severity, note.pointer) == ("content-unchecked", Severity.WARNING, place)
    assert send(operation, b"\x00 anything", media.encode()) is None
    assert send(operation, b"{}", b"application/x-other") is not None


def test_json_that_the_contract_does_not_want_checked_is_not(make: Any) -> None:
    operation = make(body({"application/*": {"schema": ORDER, "x-interlock-unchecked": True}}))
    assert [note.rule for note in operation.prepare()] == ["content-unchecked"]
    assert send(operation, b"{}", JSON) is None
    assert send(operation, b"not json", JSON) is None


def test_no_answers_declared_is_a_finding(make: Any) -> None:
    assert [note.rule for note in make({"responses": {}}).prepare()] == ["answers-undeclared"]


def test_what_cannot_be_compiled_is_refused_at_its_true_place(make: Any) -> None:
    components = {"schemas": {"Name": {"type": "string", "pattern": "(?<=a)b"}}}
    operation = make(
        body({"application/json": {"schema": {"$ref": "#/components/schemas/Name"}}}), components=components
    )
    with pytest.raises(SchemaRefused) as caught:
        operation.prepare()
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/components/schemas/Name/pattern"
    inline = make(body({"application/json": {"schema": {"properties": {"a": {"pattern": "(?<=a)b"}}}}}))
    with pytest.raises(SchemaRefused) as caught:
        inline.prepare()
    assert caught.value.place is not None
    assert (
        caught.value.place.pointer
        == "/paths/~1things/post/requestBody/content/application~1json/schema/properties/a/pattern"
    )
    odd = make(body({"json": {"schema": ORDER}}))
    with pytest.raises(ContractInvalid, match="no media type"):
        odd.prepare()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Application/JSON", "application/json"),
        ("application/json;a=1;b=2", "application/json; b=2; a=1"),
        ("text/*;charset=utf-8", 'text/*; charset="UTF-8"'),
    ],
)
def test_a_media_type_that_is_declared_in_two_ways_is_refused_at_freeze(
    make: Any, first: str, second: str
) -> None:
    """Which of the two counts would be up to each reader."""
    text = {"schema": {"type": "string"}}
    number = {"schema": {"type": "integer"}}
    for key in ("requestBody", "responses"):
        content = {first: text, second: number}
        spec = {"content": content} if key == "requestBody" else {"200": {"content": content}}
        with pytest.raises(ContractInvalid, match="declared twice") as caught:
            make({key: spec}).prepare()
        assert caught.value.place is not None
        assert caught.value.place.pointer.endswith("/content/" + second.replace("/", "~1"))
    make({"requestBody": {"content": {first: text, second: dict(text)}}}).prepare()
    make({"requestBody": {"content": {"text/plain": text, "text/plain;a=1": number}}}).prepare()
