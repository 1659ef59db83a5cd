"""Contracts as people read them: what is shown, linked, shortened; real documents are all read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kernel.contract.document import kind_of, parse
from kernel.errors import InterlockError
from kernel.theme.pages import load_theme
from registry.web.reading import MOST_WHOLE, read_contract
from registry.web.schema_rows import DEEPEST, MOST_ROWS, schema_rows, type_words

PAGES = Path(__file__).resolve().parents[3] / "registry" / "web" / "pages"
IDENTITY = f"urn:interlock:schema:patient-identity:1.0.0:sha256-{'ab' * 32}"


def _document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "Wards", "version": "1.0.0"}, "paths": paths, **more}


def test_rows_of_a_schema() -> None:
    rows = schema_rows(
        {
            "type": "object", "required": ["mrn"], "additionalProperties": False,
            "properties": {
                "mrn": {"type": "string", "minLength": 4, "maxLength": 12, "description": "Number of the record"},
                "identity": {"$ref": IDENTITY},
                "results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}, "maxItems": 50},
                "status": {"enum": ["final", "corrected"], "deprecated": True},
                "value": {"oneOf": [{"type": "number"}, {"type": ["string", "null"]}]},
            },
        }
    )  # fmt: skip
    assert [(row.depth, row.name, row.type, row.required) for row in rows] == [
        (0, "", "object", False), (1, "mrn", "string", True), (1, "identity", "patient-identity 1.0.0", False),
        (1, "results", "array of Result", False), (1, "status", "value", False), (1, "value", "one of 2", False),
        (2, "one of, 1", "number", False), (2, "one of, 2", "string or null", False),
    ]  # fmt: skip
    assert rows[0].notes == ("no other names",)
    assert rows[1].notes == ("at least 4 characters", "at most 12 characters")
    assert (rows[2].link, rows[3].link) == ("/contracts/patient-identity/1.0.0", "#schema-Result")
    assert rows[4].deprecated
    assert rows[4].notes == ("one of final, corrected",)


def test_rows_are_bounded() -> None:
    deep: Any = {"type": "string"}
    for _ in range(50):
        deep = {"type": "object", "properties": {"inner": deep}}
    assert max(row.depth for row in schema_rows(deep)) == DEEPEST
    wide = {
        "properties": {
            f"p{number}": {"properties": {f"q{inner}": {} for inner in range(100)}} for number in range(100)
        }
    }
    assert len(schema_rows(wide)) == MOST_ROWS


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (True, "anything"), (False, "nothing"), ({}, "anything"), ({"const": 1}, "value"), ({"items": {}}, "array of anything"),
        ({"type": "string", "format": "date", "nullable": True}, "string (date) or null"), ({"$ref": "#"}, "this schema"),
        ({"$ref": "#/paths/~1orders"}, "/orders"), ({"allOf": [{}, {}]}, "all of 2"), ({"type": 7}, "anything"), ("text", "anything"),
    ],
)  # fmt: skip
def test_types_in_words(schema: Any, words: str) -> None:
    assert type_words(schema) == words


def test_an_operation_with_everything_around_it() -> None:
    root = _document(
        {
            "/wards/{ward}": {
                "parameters": [{"name": "ward", "in": "path", "schema": {"type": "string"}}],
                "get": {
                    "operationId": "readWard",
                    "summary": "Read a ward",
                    "parameters": [{"$ref": "#/components/parameters/Since"}],
                    "responses": {
                        "200": {
                            "description": "The ward",
                            "content": {
                                "application/json": {"schema": {"$ref": "#/components/schemas/Ward"}}
                            },
                        },
                        "404": {"$ref": "#/components/responses/Problem"},
                        "default": {"$ref": "#/components/responses/Problem"},
                    },
                },
            }
        },
        security=[{"key": []}, {"oauth": ["wards.read"], "key": []}],
        components={
            "parameters": {
                "Since": {
                    "name": "since",
                    "in": "query",
                    "required": True,
                    "schema": {"type": "string", "format": "date"},
                }
            },
            "responses": {"Problem": {"description": "It says why"}},
            "schemas": {"Ward": {"type": "object"}},
        },
    )
    reading = read_contract(root)
    (operation,) = reading.operations
    assert (operation.method, operation.path, operation.id) == ("GET", "/wards/{ward}", "readWard")
    assert operation.security == ("key", "oauth (wards.read) and key")
    assert [(one.name, one.where, one.required, one.type) for one in operation.parameters] == [
        ("ward", "path", True, "string"), ("since", "query", True, "string (date)"),
    ]  # fmt: skip
    assert [(answer.status, answer.description) for answer in operation.answers] == [
        ("200", "The ward"),
        ("404, default", "It says why"),
    ]
    assert operation.answers[0].bodies[0].rows[0].link == "#schema-Ward"
    assert [schema.name for schema in reading.schemas] == ["Ward"]


def test_a_large_document_is_read_one_operation_at_a_time() -> None:
    root = _document({f"/wards/{number}": {"get": {"responses": {}}} for number in range(MOST_WHOLE + 1)})
    reading = read_contract(root)
    assert (len(reading.index), reading.operations, reading.whole) == (MOST_WHOLE + 1, (), False)
    (one,) = read_contract(root, only="get /wards/7").operations
    assert one.path == "/wards/7"
    assert read_contract(root, only="get /nowhere").found is False


@pytest.mark.parametrize("root", [_document({"/a": None}), _document({"/a": {"get": {"parameters": 7, "responses": []}}}), _document({"/a": {"get": {"requestBody": {"$ref": "#/nowhere"}}}})])  # fmt: skip
def test_what_is_odd_is_shown_as_far_as_it_goes(root: Any) -> None:
    load_theme(PAGES)
    assert read_contract(root).title == "Wards"


def test_events_of_both_generations() -> None:
    message = {"payload": {"type": "object", "properties": {"mrn": {"type": "string"}}}, "name": "Admitted"}
    three = {
        "asyncapi": "3.0.0", "info": {"title": "Events", "version": "1.0.0"},
        "channels": {"adt": {"address": "adt.{ward}", "messages": {"admitted": {"$ref": "#/components/messages/Admitted"}}}},
        "operations": {"publish": {"action": "send", "channel": {"$ref": "#/channels/adt"}}},
        "components": {"messages": {"Admitted": message}},
    }  # fmt: skip
    two = {
        "asyncapi": "2.6.0", "info": {"title": "Events", "version": "1.0.0"},
        "channels": {"adt": {"subscribe": {"message": {"oneOf": [message, {"payload": {"type": "string"}, "title": "Left"}]}}}},
    }  # fmt: skip
    (sent,) = read_contract(three).operations
    assert (sent.method, sent.path, [body.media_type for body in sent.messages]) == (
        "send",
        "adt.{ward}",
        ["Admitted"],
    )
    (read,) = read_contract(two).operations
    assert [body.media_type for body in read.messages] == ["Admitted", "Left"]
    assert [row.name for row in read.messages[0].rows] == ["", "mrn"]


@pytest.mark.corpus
def test_every_real_document_is_read(corpus: Path) -> None:
    read = 0
    for path in sorted(corpus.rglob("*")):
        if (
            path.suffix not in {".json", ".yaml", ".yml"}
            or not path.is_file()
            or path.stat().st_size > 3_000_000
        ):
            continue
        try:
            root = parse(path.read_bytes(), name=path.name).root
            kind = kind_of(root)
        except InterlockError:
            continue
        if kind == "schema":
            continue
        reading = read_contract(root)
        if not reading.whole and reading.index:
            assert len(read_contract(root, only=reading.index[0][0]).operations) == 1
        read += 1
    assert read > 10
