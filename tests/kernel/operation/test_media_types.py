"""Content-Type has one reading; the tricks that passed other gateways do not pass."""

from __future__ import annotations

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.media_types import MediaType, parse_media_type, parse_range


@pytest.mark.parametrize(
    ("value", "essence", "parameters"),
    [
        (b"application/json", "application/json", ()),
        (b"Application/JSON", "application/json", ()),
        (b"application/json; charset=utf-8", "application/json", (("charset", "utf-8"),)),
        (b'application/json ; Charset="UTF-8"', "application/json", (("charset", "UTF-8"),)),
        (b"application/json;", "application/json", ()),
        (b"application/fhir+json;version=1.2.0", "application/fhir+json", (("version", "1.2.0"),)),
        (b'text/plain; a="x; b=y"', "text/plain", (("a", "x; b=y"),)),
        (b'text/plain; a="q\\"t"', "text/plain", (("a", 'q"t'),)),
        (
            b"application/vnd.api+json;ext=1;profile=a",
            "application/vnd.api+json",
            (("ext", "1"), ("profile", "a")),
        ),
    ],
)
def test_the_grammar_of_rfc_9110(value: bytes, essence: str, parameters: tuple[tuple[str, str], ...]) -> None:
    assert parse_media_type(value) == MediaType(essence, parameters)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"json",
        b"application",
        b"application/",
        b"/json",
        b" application/json",
        b"\tapplication/json",
        b"application/json\t",
        b"application/json\t;charset=utf-8",
        b"application/json;\tcharset=utf-8",
        b"application/json charset=utf-8",
        b"application /json",
        b"application/ json",
        b"application/json,text/plain",
        b"application/json, application/json",
        b"text/plain;a=b,application/json",
        b"application/json;charset",
        b"application/json;charset=",
        b"application/json;=utf-8",
        b"application/json;charset = utf-8",
        b"application/json;charset= utf-8",
        b"application/json;charset=utf-8;charset=utf-16",
        b"application/json;charset=utf-8;Charset=utf-8",
        b'application/json;charset="utf-8',
        b'application/json;charset="utf\x0b8"',
        b"application/json\x00",
        b"application/json;\x0ca=b",
        b"application/json\xa0",
        b"application/js\xc3\xb6n",
        b"application/json/xml",
        b"application\\json",
        b"application/json;a=b c",
        b"*/*",
        b"application/*",
        b"application/*+json",
    ],
)
def test_anything_else_is_no_media_type(value: bytes) -> None:
    assert parse_media_type(value) is None


@pytest.mark.parametrize(
    ("declared", "actual", "covered"),
    [
        ("application/json", b"application/json", True),
        ("application/json", b"application/json; charset=utf-8", True),
        ("application/json", b"application/jsonx", False),
        ("application/json", b"text/json", False),
        ("application/*", b"application/json", True),
        ("application/*", b"text/plain", False),
        ("application/*+json", b"application/fhir+json", True),
        ("application/*+json", b"application/json", False),
        ("application/*+json", b"text/x+json", False),
        ("*/*", b"image/png", True),
        ("application/fhir+json;version=1.2.0", b"application/fhir+json;version=1.2.0", True),
        ("application/fhir+json;version=1.2.0", b"application/fhir+json; version=1.2.0; charset=utf-8", True),
        ("application/fhir+json;version=1.2.0", b"application/fhir+json;version=1.3.0", False),
        ("application/fhir+json;version=1.2.0", b"application/fhir+json", False),
        ("text/plain; charset=utf-8", b"text/plain; charset=UTF-8", True),
        ("text/plain; profile=a", b"text/plain; profile=A", False),
    ],
)
def test_ranges_cover_types(declared: str, actual: bytes, covered: bool) -> None:
    media = parse_media_type(actual)
    assert media is not None
    assert parse_range(declared, "").covers(media) is covered


def test_the_closest_range_comes_first() -> None:
    texts = ["*/*", "application/*", "application/*+json", "application/a+json", "application/a+json;v=1"]
    ranges = [parse_range(text, "") for text in texts]
    assert sorted(ranges, key=lambda item: item.rank) == ranges[::-1]


@pytest.mark.parametrize(
    "text", ["", "json", "*/json", "a*/b", "application/j*n", "application/*+*", "a/b;c"]
)
def test_a_key_that_is_no_range_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        parse_range(text, "/paths/~1x/post/requestBody/content")
    assert caught.value.place is not None
    assert caught.value.place.pointer == "/paths/~1x/post/requestBody/content"


@pytest.mark.parametrize(
    ("essence", "kind"),
    [
        ("application/json", "json"),
        ("application/fhir+json", "json"),
        ("application/json-seq", "stream"),
        ("application/x-ndjson", "stream"),
        ("text/event-stream", "stream"),
        ("application/fhir+xml", "xml"),
        ("text/xml", "xml"),
        ("application/x-www-form-urlencoded", "form"),
        ("multipart/form-data", "multipart"),
        ("text/csv", "text"),
        ("application/octet-stream", "binary"),
        ("image/png", "binary"),
    ],
)
def test_kinds(essence: str, kind: str) -> None:
    assert MediaType(essence).kind == kind
