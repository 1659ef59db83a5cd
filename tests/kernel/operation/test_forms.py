"""Form bodies, urlencoded and multipart: typed by property, parted strictly."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.violation import RequestProblem

FORM = "application/x-www-form-urlencoded"
PERSON = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "age": {"type": "integer"},
        "wards": {"type": "array", "items": {"type": "integer"}},
        "address": {
            "type": "object",
            "properties": {"zip": {"type": "string"}},
            "additionalProperties": False,
        },
        "stays": {
            "type": "array",
            "items": {"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}}},
        },
    },
}
STREET = {
    "type": "object",
    "properties": {"zip": {"type": "string", "maxLength": 5}, "floor": {"type": "integer"}},
}


def told(problem: RequestProblem | None) -> tuple[str, list[tuple[str, str]]] | None:
    if problem is None:
        return None
    assert "secret" not in repr(problem)
    return problem.slug, [(item.pointer, item.keyword) for item in problem.violations]


def form(make: Any, data: bytes, *, schema: Any = PERSON, media: bytes = FORM.encode(), **spec: Any) -> Any:
    operation = make({"requestBody": {"required": True, "content": {FORM: {"schema": schema, **spec}}}})
    return told(operation.check_request((), b"", [(b"content-type", media)], data))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name=Ada", None),
        (b"name=Ada&age=7", None),
        (b"name=Ada+Maria%20M&wards=1&wards=2", None),
        (b"name=Ada&address=%7B%22zip%22%3A%221%22%7D", None),
        (b'name=Ada&stays={"from":"a"}&stays={"from":"b"}', None),
        (b"age=7", ("body-invalid", [("/name", "required")])),
        (b"name=", ("body-invalid", [("/name", "minLength")])),
        (b"name=Ada&secret=7", ("body-invalid", [("/{key}", "additionalProperties")])),
        (b"name=Ada&age=secret", ("body-invalid", [("/age", "type")])),
        (b"name=Ada&wards=1&wards=secret", ("body-invalid", [("/wards/1", "type")])),
        (b"name=Ada&name=Bo", ("body-malformed", [("/name", "repeated")])),
        (b"name=Ada&n%61me=Bo", ("body-malformed", [("/name", "repeated")])),
        (b"name=Ada&secret=1&secret=2", ("body-malformed", [("/{key}", "repeated")])),
        (b"name=%zz", ("body-malformed", [("/name", "percent-encoding")])),
        (b"name=%ff", ("body-malformed", [("/name", "utf-8")])),
        (b"name=\xff", ("body-malformed", [("/name", "utf-8")])),
        (b"name=Ada&address=%7B", ("body-malformed", [("/address", "json")])),
        (
            b"name=Ada&address=%7B%22secret%22%3A1%7D",
            ("body-invalid", [("/address/{key}", "additionalProperties")]),
        ),
        (b"a=1&" * 3000, ("body-malformed", [("", "limit")])),
    ],
)
def test_urlencoded(make: Any, data: bytes, expected: Any) -> None:
    assert form(make, data) == expected


def test_numbers_inside_a_part_are_judged_as_written(make: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    assert form(make, b'a={"n":1.0}', schema=schema) is None
    found = form(make, b'a={"n":1.00000000000000000001}', schema=schema)
    assert found == ("body-invalid", [("/a/n", "type")])


def test_a_form_property_may_have_a_style(make: Any) -> None:
    encoding = {"wards": {"style": "pipeDelimited", "explode": False}, "address": {"style": "deepObject"}}
    assert form(make, b"name=Ada&wards=1|2&address[zip]=01", encoding=encoding) is None
    assert form(make, b"name=Ada&wards=1|x", encoding=encoding) == ("body-invalid", [("/wards/1", "type")])
    found = form(make, b"name=Ada&address[secret]=1", encoding=encoding)
    assert found == ("body-invalid", [("/address/{key}", "additionalProperties")])


def test_an_object_in_brackets_has_no_second_reading(make: Any) -> None:
    encoding = {"address": {"style": "deepObject"}}
    refused = ("body-malformed", [("/address", "style")])
    assert form(make, b'name=Ada&address={"zip":"01"}', encoding=encoding) == refused
    assert form(make, b'name=Ada&address[secret]=1&address={"zip":"01"}', encoding=encoding) == refused


def test_an_object_may_be_spread_over_the_fields_of_a_form(make: Any) -> None:
    encoding = {"address": {"style": "form", "explode": True}}
    schema = {**PERSON, "properties": {**PERSON["properties"], "address": STREET}}
    assert form(make, b"name=Ada&zip=01&floor=3", schema=schema, encoding=encoding) is None
    found = form(make, b"name=Ada&zip=01&floor=secret", schema=schema, encoding=encoding)
    assert found == ("body-invalid", [("/address/floor", "type")])
    found = form(make, b"name=Ada&zip=secret+code", schema=schema, encoding=encoding)
    assert found == ("body-invalid", [("/address/zip", "maxLength")])
    found = form(make, b'name=Ada&address={"zip":"secret"}', schema=schema, encoding=encoding)
    assert found == ("body-malformed", [("/address", "style")])


KEPT = {"type": "object", "properties": {"kind": {"type": "string"}}}
CASES = [
    # A property that a second part only describes keeps its type (a base and what is made of it).
    (
        {"allOf": [{"properties": {"n": {"type": "integer"}}}, {"properties": {"n": {"example": 7}}}]},
        b"n=7",
        None,
    ),
    (
        {"allOf": [{"properties": {"n": {"type": "integer"}}}, {"properties": {"n": {"maximum": 9}}}]},
        b"n=10",
        ("body-invalid", [("/n", "maximum")]),
    ),
    (
        {
            "properties": {
                "n": {
                    "allOf": [
                        {"type": "array", "items": {"type": "integer"}},
                        {"items": {"not": {"const": 8}}},
                    ]
                }
            }
        },
        b"n=7&n=8",
        ("body-invalid", [("/n/1", "not")]),
    ),
    # In some cases alone: by the type that is asked for there, and any text elsewhere.
    ({"dependentSchemas": {"kind": {"properties": {"n": {"type": "integer"}}}}}, b"kind=a&n=7", None),
    ({"dependentSchemas": {"kind": {"properties": {"n": {"type": "integer"}}}}}, b"n=text", None),
    (
        {"dependentSchemas": {"kind": {"properties": {"n": {"type": "integer"}}}}},
        b"kind=a&n=secret",
        ("body-invalid", [("/n", "type")]),
    ),
    (
        {"if": {"required": ["kind"]}, "then": {"properties": {"n": {"type": "boolean"}}}},
        b"kind=a&n=true",
        None,
    ),
    (
        {"if": {"required": ["kind"]}, "else": {"properties": {"n": {"type": "boolean"}}}},
        b"n=7",
        ("body-invalid", [("/n", "type")]),
    ),
    ({"if": {"properties": {"n": {"const": 7}}, "required": ["n"]}, "then": False}, b"n=8", None),
    (
        {"if": {"properties": {"n": {"const": 7}}, "required": ["n"]}, "then": False},
        b"n=7",
        ("body-invalid", [("", "falseSchema")]),
    ),
    ({"unevaluatedProperties": {"type": "integer"}}, b"kind=a&more=7", None),
]


@pytest.mark.parametrize(("schema", "data", "expected"), CASES)
def test_the_type_of_a_field_is_found_in_every_part_of_the_schema(
    make: Any, schema: Any, data: bytes, expected: Any
) -> None:
    assert form(make, data, schema={**KEPT, **schema}) == expected


def test_further_fields_are_typed_by_additional_properties(make: Any) -> None:
    schema = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}}
    assert form(make, b"a=1&a=2&b=3", schema=schema) is None
    assert form(make, b"a=1&b=x", schema=schema) == ("body-invalid", [("/{key}", "type")])


def test_a_form_is_utf_8_and_an_object(make: Any) -> None:
    found = form(make, b"name=Ada", media=FORM.encode() + b"; charset=latin1")
    assert found == ("media-type-unsupported", [("", "charset")])
    with pytest.raises(ContractInvalid, match="schema of an object"):
        form(make, b"", schema={"type": "array"})


# --- multipart ---------------------------------------------------------------------------------------

UPLOAD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["report"],
    "properties": {
        "report": {"type": "string", "format": "binary", "maxLength": 20},
        "pages": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": 2},
        "count": {"type": "integer"},
        "about": {"type": "object", "required": ["ward"], "properties": {"ward": {"type": "string"}}},
        "scan": {"contentMediaType": "image/png"},
    },
}


def part(name: str, data: bytes, *lines: bytes, more: bytes = b"") -> bytes:
    head = b'Content-Disposition: form-data; name="' + name.encode() + b'"' + more
    return b"--B\r\n" + b"\r\n".join([head, *lines]) + b"\r\n\r\n" + data + b"\r\n"


def upload(
    make: Any,
    *pieces: bytes,
    media: bytes = b"multipart/form-data; boundary=B",
    end: bytes = b"--B--\r\n",
    **spec: Any,
) -> Any:
    content = {"multipart/form-data": {"schema": UPLOAD, **spec}}
    operation = make({"requestBody": {"required": True, "content": content}})
    return told(operation.check_request((), b"", [(b"content-type", media)], b"".join(pieces) + end))


REPORT = part("report", b"\x00\xff\r\n--b", b"Content-Type: application/pdf", more=b'; filename="secret.pdf"')


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((REPORT,), None),
        ((REPORT, part("count", b"7")), None),
        ((REPORT, part("about", b'{"ward":"7"}', b"Content-Type: application/json")), None),
        ((REPORT, part("about", b'{"ward":"7"}')), None),
        ((REPORT, part("pages", b"1"), part("pages", b"2")), None),
        ((REPORT, part("scan", b"\x89PNG")), None),
        ((part("count", b"7"),), ("body-invalid", [("/report", "required")])),
        ((part("report", b"x" * 21),), ("body-invalid", [("/report", "maxLength")])),
        ((REPORT, part("count", b"secret")), ("body-invalid", [("/count", "type")])),
        ((REPORT, part("count", b"1"), part("count", b"2")), ("body-malformed", [("/count", "repeated")])),
        ((REPORT, *[part("pages", b"x")] * 3), ("body-invalid", [("/pages", "maxItems")])),
        ((REPORT, part("about", b"{}")), ("body-invalid", [("/about/ward", "required")])),
        ((REPORT, part("about", b"{")), ("body-malformed", [("/about", "json")])),
        (
            (REPORT, part("about", b"{}", b"Content-Type: text/plain")),
            ("body-malformed", [("/about", "contentType")]),
        ),
        ((REPORT, part("secret", b"1")), ("body-invalid", [("/{key}", "additionalProperties")])),
        ((part("report", b"1") * 200,), ("body-malformed", [("", "limit")])),
    ],
)
def test_multipart(make: Any, pieces: tuple[bytes, ...], expected: Any) -> None:
    assert upload(make, *pieces) == expected


@pytest.mark.parametrize(
    "pieces",
    [
        (b"preamble\r\n", REPORT),
        (b"\r\n\r\n", REPORT),
        (REPORT.replace(b"--B\r\n", b"--B \r\n", 1),),
        (REPORT.replace(b"--B\r\n", b"--B\n", 1),),
        (REPORT.replace(b"--B\r\n", b"--BX\r\n", 1),),
        (REPORT.replace(b"form-data", b"attachment"),),
        (REPORT.replace(b'name="report"', b"name=re port"),),
        (REPORT.replace(b'name="report"', b'name="report"; name="count"'),),
        (REPORT.replace(b'name="report"', b'filename="a\\"; name="report"'),),
        (REPORT.replace(b'name="report"', b'name="rep\\"ort"'),),
        (REPORT.replace(b'name="report"', b"name*=utf-8''report"),),
        (REPORT.replace(b"Content-Type: application/pdf", b"Content-Type: application/pdf,text/plain"),),
        (REPORT.replace(b"Content-Type: application/pdf", b"Content-Type: multipart/mixed"),),
        (REPORT.replace(b"Content-Type: application/pdf", b"Content-Transfer-Encoding: base64"),),
        (REPORT.replace(b"Content-Type: application/pdf", b'Content-Disposition: form-data; name="count"'),),
        (REPORT.replace(b"Content-Type: application/pdf", b"Content-Type : application/pdf"),),
        (REPORT.replace(b"Content-Type: application/pdf", b" folded"),),
        (b"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n",),
        (b'--B\r\nContent-Disposition: form-data; name="report"\r\n',),
    ],
)
def test_a_multipart_body_with_two_readings_is_refused(make: Any, pieces: tuple[bytes, ...]) -> None:
    assert upload(make, *pieces) == ("body-malformed", [("", "multipart")])


@pytest.mark.parametrize(
    "fields",
    [
        b"name=report; filename=secret.pdf; filename*=utf-8''secret.pdf",  # .NET
        b'filename="secret.pdf"; name="report"',
        b'name="report";filename="C:\\secret.pdf"',
        b'name="report"; filename=""',
        b'NAME = "report" ;',
    ],
)
def test_a_disposition_may_be_written_in_any_lawful_way(make: Any, fields: bytes) -> None:
    piece = b"--B\r\nContent-Disposition: form-data; " + fields + b"\r\n\r\nx\r\n"
    assert upload(make, piece) is None
    assert upload(make, b"\r\n", piece, end=b"--B--\r\n\r\n") is None
    assert upload(make, piece.replace(b"\r\nx\r\n", b"\r\n" + b"x" * 21 + b"\r\n")) == (
        "body-invalid",
        [("/report", "maxLength")],
    )


def test_a_multipart_body_ends_once(make: Any) -> None:
    for end in (b"", b"--B-", b"--B--epilogue", b"--B--\r\nmore", b"--B--\r\n--B--\r\n"):
        assert upload(make, REPORT, end=end) == ("body-malformed", [("", "multipart")])
    assert upload(make, REPORT, end=b"--B--") is None


@pytest.mark.parametrize(
    "media",
    [
        b"multipart/form-data",
        b'multipart/form-data; boundary="a b"',
        b"multipart/form-data; boundary=" + b"a" * 71,
    ],
)
def test_a_multipart_body_needs_a_sound_boundary(make: Any, media: bytes) -> None:
    assert upload(make, REPORT, media=media) == ("body-malformed", [("", "boundary")])


def test_encoding_restricts_the_type_of_a_part(make: Any) -> None:
    encoding = {"report": {"contentType": "application/pdf, image/*"}}
    assert upload(make, REPORT, encoding=encoding) is None
    image = REPORT.replace(b"application/pdf", b"image/png")
    assert upload(make, image, encoding=encoding) is None
    html = REPORT.replace(b"application/pdf", b"text/html")
    assert upload(make, html, encoding=encoding) == ("body-malformed", [("/report", "contentType")])
    bare = part("report", b"x")
    assert upload(make, bare, encoding=encoding) == ("body-malformed", [("/report", "contentType")])


def test_a_field_may_be_json_by_its_encoding(make: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "string", "maxLength": 2}, "o": {"type": "array"}},
    }
    encoding = {"n": {"contentType": "application/json"}, "o": {"contentType": "application/json"}}
    assert form(make, b'n="ab"&o=[1]&o={}', schema=schema, encoding=encoding) is None
    assert form(make, b'n="abc"', schema=schema, encoding=encoding) == ("body-invalid", [("/n", "maxLength")])
    assert form(make, b"n=ab", schema=schema, encoding=encoding) == ("body-malformed", [("/n", "json")])


def test_further_fields_may_be_objects(make: Any) -> None:
    schema = {"type": "object", "additionalProperties": {"type": "object", "required": ["a"]}}
    assert form(make, b'x={"a":1}', schema=schema) is None
    assert form(make, b"x={}", schema=schema) == ("body-invalid", [("/{key}/a", "required")])
    assert form(make, b"x=secret", schema=schema) == ("body-malformed", [("/{key}", "json")])


def test_a_field_of_several_types_is_read_as_the_one_that_conforms(make: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "integer", "maximum": 9}]},
            "ids": {"type": "array", "items": {"enum": ["1", 2, True]}},
        },
        "additionalProperties": {"enum": [3, "4"]},
    }
    for data in (b"id=7", b"ids=1&ids=2&ids=true", b"x=3&y=4"):
        assert form(make, data, schema=schema) is None, data
    assert form(make, b"id=10", schema=schema) == ("body-invalid", [("/id", "anyOf")])
    assert form(make, b"ids=1&ids=3", schema=schema) == ("body-invalid", [("/ids/1", "enum")])
    assert form(make, b"x=5", schema=schema) == ("body-invalid", [("/{key}", "enum")])


def mixed(make: Any, schema: Any, *pieces: bytes, media: str = "multipart/mixed", **spec: Any) -> Any:
    operation = make({"requestBody": {"required": True, "content": {media: {"schema": schema, **spec}}}})
    operation.prepare()
    lines = [(b"content-type", media.encode() + b"; boundary=B")]
    return told(operation.check_request((), b"", lines, b"".join(pieces) + b"--B--\r\n"))


@pytest.mark.parametrize(
    ("data", "media", "expected"),
    [
        ("ä".encode(), b"text/plain; charset=UTF-8", None),
        (b"\xe4", b"text/plain; charset=iso-8859-1", None),
        (b"\xe4", b"text/plain", ("body-malformed", [("/t", "utf-8")])),
        ("ä".encode(), b"text/plain; charset=us-ascii", ("media-type-unsupported", [("/t", "charset")])),
        (b"ab", b"text/plain; charset=utf-16", ("media-type-unsupported", [("/t", "charset")])),
        (b"ab", b"text/plain; charset=utf-7", ("media-type-unsupported", [("/t", "charset")])),
        (b'{"k":1}', b"application/json; charset=utf-8", None),
        (b'{"k":1}', b"application/json; charset=utf-16", ("media-type-unsupported", [("/o", "charset")])),
    ],
)
def test_a_part_is_read_in_the_charset_that_it_names(
    make: Any, data: bytes, media: bytes, expected: Any
) -> None:
    text = {"type": "string", "pattern": "^[a-zä]+$"}
    schema = {"type": "object", "properties": {"t": text, "o": {"type": "object"}}}
    content = {"multipart/form-data": {"schema": schema}}
    operation = make({"requestBody": {"required": True, "content": content}})
    body = part("o" if b"json" in media else "t", data, b"Content-Type: " + media) + b"--B--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=B")]
    assert told(operation.check_request((), b"", headers, body)) == expected


def piece(data: bytes, *lines: bytes) -> bytes:
    return b"--B\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + data + b"\r\n"


def test_multipart_of_an_array_is_read_by_position(make: Any) -> None:
    schema = {
        "type": "array",
        "minItems": 2,
        "prefixItems": [{"type": "object", "required": ["id"]}],
        "items": {"type": "string", "format": "binary", "maxLength": 4},
    }
    encodings = {
        "prefixEncoding": [{"contentType": "application/json"}],
        "itemEncoding": {"contentType": "image/png"},
    }
    about = piece(b'{"id":1}', b"Content-Type: application/json")
    image = piece(b"\x89PNG", b"Content-Type: image/png", b"Content-Disposition: attachment; filename=a")
    assert mixed(make, schema, about, image, image, **encodings) is None
    assert mixed(make, schema, about, **encodings) == ("body-invalid", [("", "minItems")])
    assert mixed(make, schema, image, image, **encodings) == ("body-malformed", [("/0", "contentType")])
    assert mixed(make, schema, about, about, **encodings) == ("body-malformed", [("/1", "contentType")])
    odd = piece(b"{}", b"Content-Type: application/json")
    assert mixed(make, schema, odd, image, **encodings) == ("body-invalid", [("/0/id", "required")])
    long = image.replace(b"PNG", b"PNG+")
    assert mixed(make, schema, about, long, **encodings) == ("body-invalid", [("/1", "maxLength")])


def test_multipart_of_an_object_is_read_by_name_whatever_its_subtype(make: Any) -> None:
    assert mixed(make, UPLOAD, REPORT, media="multipart/related") is None
    assert mixed(make, UPLOAD, part("count", b"7")) == ("body-invalid", [("/report", "required")])
    assert mixed(make, UPLOAD, piece(b"7")) == ("body-malformed", [("", "multipart")])


def test_headers_of_a_part_are_held_to_their_encoding(make: Any) -> None:
    headers = {
        "X-Page": {"required": True, "schema": {"type": "integer"}},
        "X-Note": {"schema": {"maxLength": 2}},
        "Content-Type": {"required": True, "schema": {"const": "ignored"}},
    }
    encoding = {"report": {"headers": headers}}

    def sent(*lines: bytes) -> Any:
        return upload(make, part("report", b"x", *lines), encoding=encoding)

    assert sent(b"X-Page: 7") is None
    assert sent(b"x-page: 7", b"X-Note: ab", b"X-Other: any") is None
    assert sent() == ("body-malformed", [("/report", "headers")])
    assert sent(b"X-Page: secret") == ("body-malformed", [("/report", "headers")])
    assert sent(b"X-Page: 7", b"X-Note: secret") == ("body-malformed", [("/report", "headers")])


def test_a_part_may_be_xml_or_a_form_by_its_encoding(make: Any) -> None:
    point = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"p": point}}
    encoding = {"p": {"contentType": f"application/xml, {FORM}"}}

    def sent(data: bytes, media: str) -> Any:
        pieces = part("p", data, f"Content-Type: {media}".encode())
        return mixed(make, schema, pieces, media="multipart/form-data", encoding=encoding)

    assert sent(b"<p><x>7</x></p>", "application/xml") is None
    assert sent(b"<p/>", "application/xml") == ("body-invalid", [("/p/x", "required")])
    assert sent(b"<p><x>secret</x></p>", "application/xml") == ("body-invalid", [("/p/x", "type")])
    assert sent(b"x=7", FORM) is None
    assert sent(b'{"x":7}', "application/json") == ("body-malformed", [("/p", "contentType")])


def test_a_part_that_no_declared_type_could_carry_is_refused(make: Any) -> None:
    schema = {"type": "object", "properties": {"p": {"type": "object"}}}
    with pytest.raises(ContractInvalid, match="cannot be read into object") as caught:
        mixed(make, schema, encoding={"p": {"contentType": "application/pdf"}})
    assert caught.value.place is not None
    assert (caught.value.place.pointer or "").endswith("/encoding/p")
    with pytest.raises(ContractInvalid):
        mixed(make, schema, encoding={"p": {"contentType": "text/plain"}})


def test_a_string_declared_as_a_file_is_octets(make: Any) -> None:
    schema = {"type": "object", "properties": {"scan": {"type": "string", "maxLength": 4}}}
    encoding = {"scan": {"contentType": "image/png"}}
    image = part("scan", b"\x89PNG", b"Content-Type: image/png")
    assert mixed(make, schema, image, media="multipart/form-data", encoding=encoding) is None


TUPLES = {
    "type": "object",
    "properties": {"t": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}},
    "additionalProperties": {
        "type": "array",
        "prefixItems": [{"type": "string"}],
        "items": {"type": "integer"},
    },
}


def test_elements_of_an_array_are_typed_by_their_positions(make: Any) -> None:
    assert form(make, b"t=7&t=7&u=7&u=7&u=7", schema=TUPLES) is None
    assert form(make, b"t=7&t=x", schema=TUPLES) == ("body-invalid", [("/t/1", "type")])
    assert form(make, b"u=7&u=7&u=x", schema=TUPLES)[0] == "body-invalid"
    pieces = [part(name, b"7") for name in "ttuuu"]
    assert mixed(make, TUPLES, *pieces, media="multipart/form-data") is None
    assert mixed(make, TUPLES, pieces[0], part("t", b"x"), media="multipart/form-data") == (
        "body-invalid",
        [("/t", "type")],
    )
    listed = TUPLES["additionalProperties"]
    text = piece(b"7", b"Content-Type: text/plain")
    assert mixed(make, listed, text, text, text) is None
    assert mixed(make, listed, text, text, text.replace(b"7", b"x")) == ("body-invalid", [("/2", "type")])


def test_a_part_without_headers_is_text(make: Any) -> None:
    """RFC 2046 §5.1: no header is required, and a part that begins with a blank line has the defaults."""
    schema = {
        "type": "array",
        "prefixItems": [{"type": "integer"}],
        "items": {"type": "string", "maxLength": 4},
    }
    assert mixed(make, schema, piece(b"7"), piece(b"a\r\n\r\n")) == ("body-invalid", [("/1", "maxLength")])
    assert mixed(make, schema, piece(b"7"), piece(b"\r\n\r\n")) is None
    assert mixed(make, schema, piece(b"x")) == ("body-invalid", [("/0", "type")])
    assert mixed(make, schema, b"--B\r\n7\r\n") == ("body-malformed", [("", "multipart")])
    assert mixed(make, schema, b"--B\r\n\r\n") == ("body-malformed", [("", "multipart")])


@pytest.mark.parametrize("declared", ["multipart/mixed", "text/plain, multipart/mixed", "multipart/*"])
def test_a_part_that_is_multipart_itself_is_refused_at_freeze(make: Any, declared: str) -> None:
    """It would be refused on the wire, whatever it holds."""
    nested = {"contentType": declared}
    for media, spec in (
        ("form-data", {"schema": UPLOAD, "encoding": {"report": nested}}),
        ("mixed", {"schema": {"type": "array", "items": {}}, "itemEncoding": nested}),
        ("mixed", {"schema": {"type": "array", "prefixItems": [{}]}, "prefixEncoding": [nested]}),
    ):
        with pytest.raises(ContractInvalid, match="multipart itself") as caught:
            make({"requestBody": {"content": {f"multipart/{media}": spec}}}).prepare()
        assert caught.value.place is not None
        assert "ncoding" in caught.value.place.pointer


def test_a_property_is_typed_by_the_pattern_that_its_name_matches(make: Any) -> None:
    schema = {
        "type": "object",
        "patternProperties": {
            "^n_": {"type": "integer"},
            "^l_": {"type": "array", "items": {"type": "integer"}},
        },
        "additionalProperties": {"type": "string", "minLength": 2},
    }
    assert form(make, b"n_1=7&z=77&l_1=7&l_1=8", schema=schema) is None
    assert form(make, b"n_1=x", schema=schema) == ("body-invalid", [("/{key}", "type")])
    assert form(make, b"z=7", schema=schema) == ("body-invalid", [("/{key}", "minLength")])
    assert form(make, b"z=77&z=88", schema=schema) == ("body-malformed", [("/{key}", "repeated")])
    pieces = [part("n_1", b"7"), part("z", b"77"), part("l_1", b"7"), part("l_1", b"8")]
    assert mixed(make, schema, *pieces, media="multipart/form-data") is None
    for wrong in (part("n_1", b"x"), part("l_1", b"x")):
        found = mixed(make, schema, wrong, media="multipart/form-data")
        assert found == ("body-invalid", [("/{key}", "type")])
