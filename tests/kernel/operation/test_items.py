"""Items of sequential bodies: where they end, whatever the pieces, and that none passes unjudged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.items import EventCut, ItemBroken, ItemReader, SequenceCut, cut_line, event_of
from kernel.operation.operation import Operation
from kernel.operation.violation import Violation

CUTS: dict[str, Callable[[], Any]] = {"lines": lambda: cut_line, "seq": SequenceCut, "events": EventCut}
READING = {
    "type": "object",
    "required": ["bpm"],
    "additionalProperties": False,
    "properties": {"bpm": {"type": "integer", "maximum": 300}},
}


def texts(kind: str, data: bytes, size: int) -> tuple[list[bytes], bytes]:
    """Read in pieces of `size` bytes: the texts that were judged, and what passed."""
    seen: list[bytes] = []
    reader = ItemReader(CUTS[kind](), lambda text: seen.append(text) or (), 1000)  # type: ignore[func-returns-value]
    passed = b"".join(reader.feed(data[at : at + size]) for at in range(0, len(data), size))
    passed += reader.finish()
    return seen, passed


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("kind", "data", "wanted"),
    [
        ("lines", b'{"a":1}\n\r\n{"b":2}\r\n[3]', [b'{"a":1}', b'{"b":2}', b"[3]"]),
        ("lines", b"", []),
        ("seq", b'\x1e{"a":\n1}\n\x1e\x1e[2]\n\x1e3\n', [b'{"a":\n1}', b"[2]", b"3"]),
        (
            "events",
            b": hello\n\nevent: x\r\ndata: 1\r\n\r\ndata: 2\n\n\n:ping\ndata: 3\r\rdata",
            [b"event: x\r\ndata: 1\r\n\r\n", b"data: 2\n\n", b"data: 3\r\r", b"data"],
        ),
    ],
)
def test_items_end_where_they_end_whatever_the_pieces(
    kind: str, data: bytes, wanted: list[bytes], size: int
) -> None:
    seen, passed = texts(kind, data, size)
    assert seen == wanted
    assert passed == data


def test_what_is_whole_goes_on_at_once() -> None:
    for kind, first in (
        ("lines", b"1\n"),
        ("seq", b"\x1e[1]\n"),
        ("events", b"data: 1\n\n"),
        ("events", b": ping\n"),
    ):
        reader = ItemReader(CUTS[kind](), lambda _: (), 100)
        assert reader.feed(first + b"") == first, kind
        assert reader.held == 0


def test_nothing_of_a_broken_item_passes_and_what_was_before_it_does() -> None:
    reader = ItemReader(
        cut_line, lambda text: (Violation("body", "/x", "type"),) if text == b"no" else (), 100
    )
    assert reader.feed(b"a\nb\nn") == b"a\nb\n"
    assert reader.feed(b"o") == b""
    with pytest.raises(ItemBroken) as caught:
        reader.feed(b"\nc\n")
    assert caught.value.passed == b""
    assert caught.value.violations == (Violation("body", "/2/x", "type"),)
    again = ItemReader(cut_line, lambda text: (Violation("body", "", "type"),) if text == b"no" else (), 100)
    with pytest.raises(ItemBroken) as caught:
        again.feed(b"a\nno\nc\n")
    assert caught.value.passed == b"a\n"


@pytest.mark.parametrize("kind", list(CUTS))
def test_an_item_without_end_is_bounded(kind: str) -> None:
    reader = ItemReader(CUTS[kind](), lambda _: (), 100)
    with pytest.raises(ItemBroken) as caught:
        reader.feed((b"\x1e" if kind == "seq" else b"d") + b"1" * 101)
    assert caught.value.violations[0].keyword == "limit"
    whole = ItemReader(CUTS[kind](), lambda _: (), 100)
    with pytest.raises(ItemBroken):
        whole.feed((b"\x1e" if kind == "seq" else b"d") + b"1" * 101 + b"\n\n\x1e")


def test_what_is_only_observed_passes_whole() -> None:
    told: list[tuple[Violation, ...]] = []
    reader = ItemReader(
        cut_line, lambda text: (Violation("body", "", "x"),) * (text != b"1"), 10, told.append
    )
    data = b"1\n2\n1\n" + b"9" * 20 + b"\nmore"
    assert b"".join(reader.feed(data[at : at + 3]) for at in range(0, len(data), 3)) + reader.finish() == data
    assert [one[0].keyword for one in told] == ["x", "limit"]
    assert told[0][0].pointer == "/1"


def test_a_sequence_needs_its_separators_and_whole_texts() -> None:
    for data in (b"[1]\n", b"\x1e12", b"\x1etrue\x1e[1]\n"):
        reader = ItemReader(SequenceCut(), lambda _: (), 100)
        with pytest.raises(ItemBroken) as caught:  # noqa: PT012 - whichever of the two it is
            reader.feed(data)
            reader.finish()
        assert caught.value.violations[0].keyword == "json-seq"


def test_an_event_is_read_as_browsers_read_it() -> None:
    assert event_of(b"event: a\ndata:x\ndata: y\nid: 7\nretry: 10\nother: z\nretry: -1\n\n") == {
        "event": "a",
        "data": "x\ny",
        "id": "7",
        "retry": 10,
    }
    assert event_of(b"data\n\n") == {"data": ""}
    assert event_of(b"event: a\nid: 1\n\n") is None
    assert event_of(b"\xef\xbb\xbfdata: 1\n\n") is None  # a mark inside a stream makes another field of it


def test_the_mark_that_begins_a_stream_is_no_part_of_the_first_field() -> None:
    seen, _ = texts("events", b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n", 4)
    assert [event_of(text) for text in seen] == [{"data": "1"}, None]


# -- in an operation --------------------------------------------------------------------------------


def stream_of(
    make: Callable[..., Operation], media: str, spec: dict[str, Any], version: str = "3.2.0"
) -> Operation:
    content = {"content": {media: spec}}
    return make(
        {"requestBody": content, "responses": {"200": {"description": "ok", **content}}}, version=version
    )


@pytest.mark.parametrize(
    ("media", "bad", "keyword"),
    [
        ("application/jsonl", b'{"bpm":60}\n{"bpm":', "json"),
        ("application/jsonl", b'{"bpm":60}\n{"bpm":60,"bpm":61}\n', "json"),
        ("application/json-seq", b'\x1e{"bpm":60}\n\x1e7', "json-seq"),
    ],
)
def test_an_item_that_cannot_be_read_is_malformed(
    make: Callable[..., Operation], media: str, bad: bytes, keyword: str
) -> None:
    operation = stream_of(make, media, {"itemSchema": READING})
    problem = operation.check_request((), b"", [(b"content-type", media.encode())], bad)
    assert problem is not None
    assert (problem.slug, problem.status) == ("body-malformed", 400)
    assert [(item.pointer, item.keyword) for item in problem.violations] == [("/1", keyword)]


@pytest.mark.parametrize(
    ("media", "good", "bad"),
    [
        ("application/jsonl", b'{"bpm":60}\n{"bpm":61}', b'{"bpm":60}\n{"bpm":"x"}\n'),
        ("application/x-ndjson", b'{"bpm":60}\n', b'{"bpm":60}\n{"bpm":301}'),
        ("application/json-seq", b'\x1e{"bpm":60}\n', b'\x1e{"bpm":60}\n\x1e{"bpm":null}\n'),
    ],
)
def test_whole_bodies_are_judged_item_by_item(
    make: Callable[..., Operation], media: str, good: bytes, bad: bytes
) -> None:
    for spec in ({"itemSchema": READING}, {"schema": {"type": "array", "items": READING}}):
        operation = stream_of(make, media, spec)
        assert operation.prepare() == ()
        headers = [(b"content-type", media.encode())]
        assert operation.check_request((), b"", headers, good) is None
        problem = operation.check_request((), b"", headers, bad)
        assert problem is not None
        assert problem.slug == "body-invalid"
        assert problem.violations[0].pointer == "/1/bpm"
        assert operation.check_response(200, headers, good) == ()
        assert operation.check_response(200, headers, bad) == problem.violations
        flow = operation.answer_flow(200, headers)
        assert flow is not None
        assert flow.judge is not None


def test_events_are_judged_by_their_fields_and_their_json(make: Callable[..., Operation]) -> None:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": READING}
    schema = {
        "type": "object",
        "required": ["event", "data"],
        "properties": {"event": {"type": "string"}, "retry": {"type": "integer", "minimum": 100}},
        "oneOf": [
            {"properties": {"event": {"const": "pulse"}, "data": data}},
            {"properties": {"event": {"const": "note"}, "data": {"maxLength": 5}}},
        ],
    }
    operation = stream_of(make, "text/event-stream", {"itemSchema": schema})
    headers = [(b"content-type", b"text/event-stream")]

    def found(body: bytes) -> list[tuple[str, str]]:
        return [(one.pointer, one.keyword) for one in operation.check_response(200, headers, body)]

    assert found(b': hi\n\nevent: pulse\ndata: {"bpm":\ndata: 60}\n\nevent: note\ndata: five5\n\n') == []
    assert found(b'event: pulse\ndata: {"bpm": 999}\n\n') == [("/0/data/bpm", "maximum")]
    assert found(b"event: pulse\ndata: {\n\n") == [("/0/data", "json")]
    assert ("/0/event", "required") in found(b"data: x\n\n")
    assert found(b"event: note\ndata: longer\n\n") == [("/0", "oneOf")]
    assert found(b"retry: 7\nevent: note\ndata: a\n\n") == [("/0/retry", "minimum")]


def _json(schema: Any, **more: Any) -> dict[str, Any]:
    return {"contentMediaType": "application/json", "contentSchema": schema} | more


def _data(rule: Any, **more: Any) -> dict[str, Any]:
    return {"properties": {"data": rule}} | more


BEAT = {"type": "object", "required": ["bpm"], "properties": {"bpm": {"maximum": 300}}}
NOTE = {"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}}
BPM, WORDS, NEITHER = b'{"bpm":60}', b'{"note":"x"}', b'{"bpm":999}'


@pytest.mark.parametrize(
    ("schema", "fine", "wrong"),
    [
        (_data(_json(BEAT)), [BPM], {WORDS: "/0/data/bpm", NEITHER: "/0/data/bpm", b"{": "/0/data"}),
        (
            {"anyOf": [_data(_json(BEAT)), _data(_json(NOTE))]},
            [BPM, WORDS],
            {NEITHER: "/0/data", b"1": "/0/data", b"{": "/0/data"},
        ),
        (
            {
                "properties": {"data": {"anyOf": [{"$ref": "#/components/schemas/bpm"}, {"maxLength": 1}]}},
                "type": "object",
            },
            [BPM, b"{"],
            {WORDS: "/0/data/bpm", NEITHER: "/0/data/bpm", b"{}": "/0/data/bpm"},
        ),
        (
            {"allOf": [{"oneOf": [_data(_json(NOTE, maxLength=11)), _data(_json(BEAT, minLength=12))]}]},
            [],
            {BPM: "/0/data/note", WORDS: "/0/data/bpm"},
        ),
        (
            _data({"allOf": [_json(BEAT)], "contentMediaType": "application/x+json; charset=utf-8"}),
            [BPM],
            {NEITHER: "/0/data/bpm"},
        ),
        (_data({"contentMediaType": "application/json"}), [BPM, b"1"], {b"{": "/0/data"}),
        (_data({"contentMediaType": "text/html", "type": "string"}), [b"<p>"], {}),
    ],
)
def test_the_content_of_events_is_judged_in_every_branch(
    make: Callable[..., Operation], schema: dict[str, Any], fine: list[bytes], wrong: dict[bytes, str]
) -> None:
    content = {"content": {"text/event-stream": {"itemSchema": schema}}}
    operation = make(
        {"responses": {"200": {"description": "ok", **content}}},
        components={"schemas": {"bpm": _json(BEAT)}},
        version="3.2.0",
    )
    assert operation.prepare() == ()
    headers = [(b"content-type", b"text/event-stream")]

    def found(text: bytes) -> list[str]:
        return [one.pointer for one in operation.check_response(200, headers, b"data: " + text + b"\n\n")[:1]]

    assert {text: found(text) for text in fine} == {text: [] for text in fine}
    assert {text: found(text) for text in wrong} == {text: [place] for text, place in wrong.items()}


@pytest.mark.parametrize(
    "schema",
    [
        {"not": _data(_json(BEAT))},
        {"if": _data({"maxLength": 9}), "then": _data(_json(BEAT))},
        {"patternProperties": {"^d": _json(BEAT)}},
        {"additionalProperties": {"$ref": "#/components/schemas/bpm"}},
        {"properties": {"id": _json(BEAT)}},
        _json(BEAT),
        _data({"contentSchema": BEAT}),
        _data({"contentMediaType": "application/xml", "contentSchema": BEAT}),
        _data(_json(BEAT, contentEncoding="base64")),
        _data({"not": _json(BEAT)}),
        {"$dynamicRef": "#event"},
    ],
)
def test_content_that_would_not_be_judged_is_refused_at_freeze(
    make: Callable[..., Operation], schema: dict[str, Any]
) -> None:
    content = {"text/event-stream": {"itemSchema": schema}}
    parts = {"schemas": {"bpm": _json(BEAT), "event": {"$dynamicAnchor": "event"}}}
    operation = make(
        {"responses": {"200": {"description": "ok", "content": content}}}, components=parts, version="3.2.0"
    )
    with pytest.raises(ContractInvalid) as caught:
        operation.prepare()
    assert caught.value.place is not None
    assert "/content/text~1event-stream/itemSchema" in str(caught.value.place.pointer)


def test_content_of_json_lines_is_a_note_as_in_any_json(make: Callable[..., Operation]) -> None:
    operation = stream_of(make, "application/jsonl", {"itemSchema": {"not": {"type": "string"} | _json(1)}})
    assert operation.prepare() == ()


@pytest.mark.parametrize(
    ("media", "spec"),
    [
        ("application/jsonl", {"itemSchema": READING, "schema": {"type": "array", "maxItems": 2}}),
        ("multipart/mixed", {"itemSchema": READING, "schema": {"type": "array", "items": READING}}),
        ("application/json", {"itemSchema": READING}),
        ("text/plain", {"itemSchema": READING}),
    ],
)
def test_an_item_schema_that_nothing_would_ask_is_refused_at_freeze(
    make: Callable[..., Operation], media: str, spec: dict[str, Any]
) -> None:
    with pytest.raises(ContractInvalid, match="itemSchema"):
        stream_of(make, media, spec).prepare()
    operation = stream_of(make, media, spec | {"x-interlock-unchecked": True})
    assert {one.rule for one in operation.prepare()} == {"content-unchecked"}


def test_under_a_range_items_are_for_sequences_and_nothing_else_passes(
    make: Callable[..., Operation],
) -> None:
    operation = stream_of(make, "*/*", {"itemSchema": READING})
    assert operation.prepare() == ()
    lines, plain = [(b"content-type", b"application/jsonl")], [(b"content-type", b"application/json")]
    assert operation.check_request((), b"", lines, b'{"bpm":60}\n') is None
    problem = operation.check_request((), b"", plain, b'{"bpm":60}')
    assert problem is not None
    assert problem.slug == "media-type-unsupported"


def test_what_may_flow_is_decided_by_what_the_contract_says(make: Callable[..., Operation]) -> None:
    cases: list[tuple[str, dict[str, Any], bool]] = [
        ("application/octet-stream", {}, True),
        ("application/dicom", {"schema": {"type": "string", "format": "binary"}}, True),
        ("application/octet-stream", {"schema": {"type": "string", "maxLength": 9}}, False),
        ("image/*", {}, True),
        ("text/csv", {}, True),
        ("text/csv", {"schema": {"type": "string"}}, False),
        ("application/json", {}, False),
        ("application/x-ndjson", {}, True),
        ("application/x-ndjson", {"schema": {"type": "object"}, "x-interlock-unchecked": True}, True),
        ("application/json", {"schema": {"type": "object"}, "x-interlock-unchecked": True}, True),
        ("application/xml", {"schema": {"type": "object", "properties": {}}}, False),
    ]
    for media, spec, flows in cases:
        operation = stream_of(make, media, spec, "3.1.0")
        headers = [(b"content-type", media.replace("*", "png").encode())]
        assert (operation.answer_flow(200, headers) is not None) is flows, media
        assert (operation.request_flow(headers) is not None) is flows, media
        if flows:
            assert operation.may_flow() == (True, True), media
        assert operation.request_flow([*headers, (b"content-encoding", b"gzip")]) is None
    assert stream_of(make, "application/json", {"schema": READING}).may_flow() == (False, False)
