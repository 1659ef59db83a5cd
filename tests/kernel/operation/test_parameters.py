"""Every style of OpenAPI's own table, typed by schema; refusals name places and never values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.wire.known_fields import KnownFields
from kernel.errors import ContractInvalid
from kernel.operation.declarations import compile_parameter
from kernel.operation.limits import OperationLimits
from kernel.operation.requests import Requests
from kernel.operation.schemas import Schemas
from kernel.operation.undeclared import Credentials, Unknown
from kernel.operation.violation import Undecodable, Violation
from kernel.schema.dialects import Dialect

STRING = {"type": "string"}
INTEGER = {"type": "integer"}
PATTERNED = {"type": "object", "patternProperties": {"^n_": INTEGER}}
COLORS = {"type": "array", "items": {"type": "string"}}
RGB = {
    "type": "object",
    "required": ["R", "G", "B"],
    "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}, "B": {"type": "integer"}},
}
BLUE, THREE, MIX = "blue", ["blue", "black", "brown"], {"R": 100, "G": 200, "B": 150}


def schemas(**limits: int) -> Schemas:
    return Schemas({}, Dialect.OPENAPI_31, OperationLimits(**limits))


def read(spec: dict[str, Any], *raws: bytes) -> Any:
    """Read one parameter that has a value of its own, and give the best candidate."""
    spec = {"name": "color", "required": spec["in"] == "path", **spec}
    return compile_parameter(spec, "/p", schemas()).read(list(raws))[0]


# OpenAPI 3.1.1, "Style Examples": the table, line by line (the columns string, array, object).
TABLE = [
    (
        "path",
        "matrix",
        False,
        [b";color", b";color=blue", b";color=blue,black,brown", b";color=R,100,G,200,B,150"],
    ),
    (
        "path",
        "matrix",
        True,
        [b";color", b";color=blue", b";color=blue;color=black;color=brown", b";R=100;G=200;B=150"],
    ),
    ("path", "label", False, [b".", b".blue", b".blue,black,brown", b".R,100,G,200,B,150"]),
    ("path", "label", True, [b".", b".blue", b".blue.black.brown", b".R=100.G=200.B=150"]),
    ("path", "simple", False, [b"", b"blue", b"blue,black,brown", b"R,100,G,200,B,150"]),
    ("path", "simple", True, [b"", b"blue", b"blue,black,brown", b"R=100,G=200,B=150"]),
    ("header", "simple", False, [b"", b"blue", b"blue,black,brown", b"R,100,G,200,B,150"]),
    ("header", "simple", True, [b"", b"blue", b"blue, black,\tbrown", b"R=100, G=200, B=150"]),
]


@pytest.mark.parametrize(("where", "style", "explode", "texts"), TABLE)
def test_styles_of_path_and_header(where: str, style: str, explode: bool, texts: list[bytes]) -> None:
    base = {"in": where, "style": style, "explode": explode}
    expected = ["", BLUE, THREE, MIX]
    for schema, text, value in zip((STRING, STRING, COLORS, RGB), texts, expected, strict=True):
        assert read({**base, "schema": schema}, text) == value


def query(
    spec: dict[str, Any] | list[dict[str, Any]], text: bytes, *, strict: bool = False, **limits: int
) -> tuple[Violation, ...]:
    """Judge a query by its declared parameters."""
    specs = spec if isinstance(spec, list) else [spec]
    placed = [({"name": "color", "in": "query", **item}, "/p") for item in specs]
    compiled = Requests(
        placed,
        (),
        None,
        "/op",
        schemas(**limits),
        unknown=Unknown("strict" if strict else "allow"),
        credentials=Credentials(queries=frozenset({"key"})),
    )
    problem = compiled.check((), text, [], b"")
    if problem is None:
        return ()
    assert (problem.slug, problem.status) == ("parameter-invalid", 400)
    return problem.violations


def says(schema: dict[str, Any], value: Any) -> dict[str, Any]:
    """Make a schema that only `value` fits, so that a judgement shows what was read."""
    return {"allOf": [schema, {"const": value}]}


@pytest.mark.parametrize(
    ("style", "explode", "schema", "text", "value"),
    [
        ("form", True, STRING, b"color=", ""),
        ("form", True, STRING, b"color", ""),
        ("form", True, STRING, b"color=blue", BLUE),
        ("form", False, STRING, b"color=blue", BLUE),
        ("form", True, COLORS, b"color=blue&color=black&color=brown", THREE),
        ("form", True, COLORS, b"color=blue", ["blue"]),
        ("form", True, COLORS, b"color=a,b", ["a,b"]),
        ("form", False, COLORS, b"color=blue,black,brown", THREE),
        ("form", False, COLORS, b"color=a%2Cb,c", ["a,b", "c"]),
        ("form", False, RGB, b"color=R,100,G,200,B,150", MIX),
        ("form", True, RGB, b"R=100&G=200&B=150", MIX),
        ("spaceDelimited", False, COLORS, b"color=blue%20black%20brown", THREE),
        ("spaceDelimited", False, COLORS, b"color=blue+black+brown", THREE),
        ("spaceDelimited", False, RGB, b"color=R%20100%20G%20200%20B%20150", MIX),
        ("spaceDelimited", True, COLORS, b"color=blue&color=black&color=brown", THREE),
        ("pipeDelimited", False, COLORS, b"color=blue%7Cblack%7Cbrown", THREE),
        ("pipeDelimited", False, COLORS, b"color=blue|black|brown", THREE),
        ("pipeDelimited", False, RGB, b"color=R%7C100%7CG%7C200%7CB%7C150", MIX),
        ("deepObject", True, RGB, b"color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", MIX),
        ("deepObject", True, RGB, b"color[R]=100&color[G]=200&color[B]=150", MIX),
        ("form", True, STRING, b"color=a+b%2Bc%20d", "a b+c d"),
        ("form", True, STRING, b"c%6Flor=blue", BLUE),
        ("form", True, STRING, b"color=a=b", "a=b"),
        ("form", True, STRING, b"&&color=blue&", BLUE),
        ("form", True, STRING, b"color=%25%32%35", "%25"),
        ("form", True, STRING, b"color=%C3%A9", "é"),
    ],
)
def test_styles_of_queries(
    style: str, explode: bool, schema: dict[str, Any], text: bytes, value: Any
) -> None:
    spec = {"style": style, "explode": explode, "required": True}
    assert query({**spec, "schema": says(schema, value)}, text) == ()
    other = {"R": 0} if isinstance(value, dict) else value + value[:1] + type(value)("x")
    assert query({**spec, "schema": says(schema, other)}, text) != ()


def test_default_styles_are_those_of_openapi() -> None:
    assert query({"schema": says(COLORS, THREE)}, b"color=blue&color=black&color=brown") == ()
    assert read({"in": "path", "schema": COLORS}, b"blue,black,brown") == THREE
    assert read({"in": "header", "schema": RGB}, b"R,100,G,200,B,150") == MIX
    # `deepObject` has one form; `explode` does not turn it off.
    assert (
        query({"style": "deepObject", "schema": says(RGB, MIX)}, b"color[R]=100&color[G]=200&color[B]=150")
        == ()
    )


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, b"7", 7),
        ({"type": "integer"}, b"-0", 0),
        ({"type": "integer"}, b"123456789012345678901234567890", 123456789012345678901234567890),
        ({"type": "number"}, b"7", 7),
        ({"type": "number"}, b"0.5", 0.5),
        ({"type": "number"}, b"1e3", 1000.0),
        ({"type": "number"}, b"0.1000000000000000000001", Decimal("0.1000000000000000000001")),
        ({"type": "boolean"}, b"true", True),
        ({"type": ["integer", "null"]}, b"null", None),
        ({"type": ["integer", "null"]}, b"", None),
        ({"type": ["string", "null"]}, b"null", "null"),
        ({"type": ["integer", "string"]}, b"7", 7),
        ({"type": ["integer", "string"]}, b"x", "x"),
        ({"type": ["string", "integer"]}, b"7", "7"),
        ({"type": "string"}, b"7", "7"),
        ({}, b"7", "7"),
        ({"enum": [1, 2]}, b"2", 2),
        ({"const": False}, b"false", False),
        ({"minimum": 3}, b"4", 4),
        ({"anyOf": [{"type": "boolean"}, {"type": "integer"}]}, b"4", 4),
        ({"allOf": [{"type": ["string", "integer"]}, {"type": "integer"}]}, b"4", 4),
        ({"items": {"type": "integer"}}, b"1,2", [1, 2]),
        ({"type": "array", "items": {"type": ["integer", "string"]}}, b"1,b", [1, "b"]),
        ({"type": "array", "prefixItems": [{"type": "boolean"}]}, b"true", [True]),
        ({"prefixItems": [{"type": "boolean"}]}, b"true", [True]),
        ({"type": "array", "unevaluatedItems": {"type": "integer"}}, b"1,2", [1, 2]),
        ({"type": "array", "prefixItems": [STRING, INTEGER]}, b"7,7,7", ["7", 7, "7"]),
        ({"type": "array", "prefixItems": [STRING, INTEGER], "items": False}, b"7,7", ["7", 7]),
        ({"type": "array", "prefixItems": [STRING], "items": INTEGER}, b"7,7,7", ["7", 7, 7]),
        (PATTERNED, b"n_1,7,a,7", {"n_1": 7, "a": "7"}),
        ({**PATTERNED, "additionalProperties": {"type": "boolean"}}, b"n_1,7,a,true", {"n_1": 7, "a": True}),
        (
            {**PATTERNED, "patternProperties": {"^n_": INTEGER, "1$": STRING}},
            b"n_2,7,b1,7",
            {"n_2": 7, "b1": "7"},
        ),
        (
            {"type": "object", "patternProperties": {f"^{at}": INTEGER for at in range(11)}},
            b"1,7",
            {"1": 7},
        ),
        ({"allOf": [{"prefixItems": [STRING]}, {"prefixItems": [{}, INTEGER]}]}, b"7,7", ["7", 7]),
    ],
)
def test_text_is_typed_by_the_schema(schema: dict[str, Any], text: bytes, value: Any) -> None:
    got = read({"in": "path", "schema": schema}, text)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    "text", [b"", b"+7", b"07", b"7.0", b"7e0", b" 7", b"0x7", b"1_000", b"\xd9\xa7", b"1" * 401]
)
def test_what_is_no_integer_is_refused(text: bytes) -> None:
    with pytest.raises(Undecodable) as caught:
        read({"in": "path", "schema": {"type": "integer"}}, text)
    assert caught.value.keyword == "type"


@pytest.mark.parametrize("text", [b"TRUE", b"1", b"yes", b""])
def test_what_is_no_boolean_is_refused(text: bytes) -> None:
    with pytest.raises(Undecodable):
        read({"in": "path", "schema": {"type": "boolean"}}, text)


def test_any_admitted_type_that_conforms_is_enough() -> None:
    schema = {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "string", "pattern": "^[0-9]{4}$"}]}
    assert query({"schema": schema}, b"color=7") == ()
    assert query({"schema": schema}, b"color=2026") == ()
    assert query({"schema": schema}, b"color=77") != ()
    either = {"oneOf": [{"type": "string", "maxLength": 4}, COLORS]}
    assert query({"schema": either}, b"color=blue") == ()
    assert query({"schema": either}, b"color=blue&color=black") == ()


BAD = Violation("query", "", "x", "color")


@pytest.mark.parametrize(
    ("spec", "text", "pointer", "keyword"),
    [
        ({"schema": STRING, "required": True}, b"", "", "missing"),
        ({"schema": STRING, "required": True}, b"colour=blue", "", "missing"),
        ({"schema": STRING}, b"color=a&color=b", "", "repeated"),
        ({"schema": STRING}, b"color=a&c%6flor=b", "", "repeated"),
        ({"schema": STRING}, b"color=%zz", "", "percent-encoding"),
        ({"schema": STRING}, b"color=%", "", "percent-encoding"),
        ({"schema": STRING}, b"color=%ff", "", "utf-8"),
        ({"schema": STRING}, b"color=%C0%AF", "", "utf-8"),
        ({"schema": STRING}, b"color=%ED%A0%80", "", "utf-8"),
        ({"schema": {"type": "integer"}}, b"color=secret-1", "", "type"),
        ({"schema": {"type": "integer", "maximum": 5}}, b"color=6", "", "maximum"),
        ({"schema": {"type": "string", "minLength": 1}}, b"color=", "", "minLength"),
        ({"schema": {"type": "array", "items": {"type": "integer"}}}, b"color=1&color=x", "/1", "type"),
        (
            {"schema": {"type": "array", "items": {"type": "integer"}}, "explode": False},
            b"color=1,,2",
            "/1",
            "type",
        ),
        (
            {"schema": {"type": "array", "maxItems": 2, "items": STRING}},
            b"color=a&color=b&color=c",
            "",
            "maxItems",
        ),
        ({"schema": RGB, "explode": False}, b"color=R,100,G", "", "style"),
        ({"schema": RGB, "explode": False}, b"color=R,1,R,2", "/R", "duplicate"),
        ({"schema": RGB, "explode": False}, b"color=R,x", "/R", "type"),
        ({"schema": RGB, "explode": False}, b"color=secret,1,secret,2", "/{key}", "duplicate"),
        ({"schema": RGB}, b"R=1&G=2", "/B", "required"),
        ({"schema": RGB}, b"R=1&G=2&B=x", "/B", "type"),
        ({"schema": RGB}, b"R=1&G=2&B=3&B=4", "/B", "repeated"),
        ({"schema": RGB, "style": "deepObject"}, b"color[R]=1&color[R]=2", "/R", "repeated"),
        ({"schema": RGB, "style": "deepObject"}, b"color[R=1", "", "style"),
        ({"schema": RGB, "style": "deepObject"}, b"color[]=1", "", "style"),
        ({"schema": RGB, "style": "deepObject"}, b"color[R][x]=1&color[R]=2", "/R", "duplicate"),
        ({"schema": RGB, "style": "deepObject"}, b"color[R]=2&color[R][x]=1", "/R", "style"),
        (
            {"schema": {**RGB, "additionalProperties": False}, "style": "deepObject"},
            b"color[secret]=x",
            "/B",
            "required",
        ),
        ({"schema": RGB, "style": "deepObject"}, b"color[a][b][c][d][e][f]=1", "", "limit"),
        ({"content": {"application/json": {"schema": RGB}}}, b"color=%7B%22R%22%3A1", "", "json"),
        (
            {"content": {"application/json": {"schema": {"type": "array", "maxItems": 1}}}},
            b"color=[1,2]",
            "",
            "maxItems",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_place_alone(
    spec: dict[str, Any], text: bytes, pointer: str, keyword: str
) -> None:
    found = query(spec, text)
    assert Violation("query", pointer, keyword, "color") in found
    assert "secret" not in repr(found)


def test_all_parameters_are_judged_before_one_answer_is_given() -> None:
    specs = [{"name": name, "schema": {"type": "integer"}} for name in ("a", "b", "c")]
    found = query([*specs, {"name": "d", "schema": STRING, "required": True}], b"a=x&b=1&c=y")
    assert [(item.name, item.keyword) for item in found] == [("a", "type"), ("c", "type"), ("d", "missing")]


def test_an_empty_value_may_be_allowed() -> None:
    spec = {"schema": {"type": "integer"}}
    assert query({**spec, "allowEmptyValue": True}, b"color=") == ()
    assert query(spec, b"color=")[0].keyword == "type"


def test_undeclared_fields_pass_unless_the_policy_is_strict() -> None:
    spec = {"schema": RGB}
    assert query(spec, b"R=1&G=2&B=3&secret=4") == ()
    assert query(spec, b"R=1&G=2&B=3&secret=4", strict=True) == (
        Violation("query", "", "undeclared", "{key}"),
    )
    assert query(spec, b"R=1&G=2&B=3&key=4", strict=True) == ()
    opened = {"schema": {**RGB, "additionalProperties": {"type": "integer"}}}
    assert query(opened, b"R=1&G=2&B=3&other=4", strict=True) == ()
    assert query(opened, b"R=1&G=2&B=3&secret=x", strict=True)[0].pointer == "/{key}"


@pytest.mark.parametrize(
    ("text", "limits", "keyword"),
    [
        (b"&".join([b"color=a"] * 300), {}, "limit"),
        (b"color=a&" * 20, {"query_pairs": 10}, "limit"),
        (b"color=" + b"a" * 20_000, {}, "limit"),
        (b"color=a b", {}, "query"),
        (b"color=a#b", {}, "query"),
        (b"color=\xff", {}, "query"),
        (b"color=a\x00", {}, "query"),
        (b"%zz=1", {}, "percent-encoding"),
        (b"%ff=1", {}, "utf-8"),
    ],
)
def test_bombs_and_broken_queries_are_refused_before_anything_is_built(
    text: bytes, limits: dict[str, int], keyword: str
) -> None:
    found = query({"schema": {"type": "array", "items": STRING}}, text, **limits)
    assert found[0].keyword == keyword
    assert found[0].pointer == ""


def test_items_are_counted_before_they_are_split() -> None:
    spec = {"name": "color", "in": "path", "required": True, "schema": COLORS}
    compiled = compile_parameter(spec, "/p", schemas(items=4))
    assert compiled.read([b"1,2,3,4"]) == [["1", "2", "3", "4"]]
    with pytest.raises(Undecodable) as caught:
        compiled.read([b"1,2,3,4,5"])
    assert caught.value.keyword == "limit"


def test_deep_objects_nest_and_gather_arrays() -> None:
    schema = {
        "type": "object",
        "properties": {
            "patient": {"type": "object", "properties": {"age": {"type": "integer"}}},
            "ward": {"type": "array", "items": {"type": "integer"}},
        },
    }
    value = {"patient": {"age": 7}, "ward": [1, 2]}
    spec = {"style": "deepObject", "schema": says(schema, value)}
    assert query(spec, b"color[patient][age]=7&color[ward]=1&color[ward]=2") == ()
    assert query(spec, b"color[patient][age]=7&color[ward][]=1&color[ward][]=2") == ()


def test_a_query_may_be_one_value() -> None:
    form = {"in": "querystring", "content": {"application/x-www-form-urlencoded": {"schema": RGB}}}
    assert query(form, b"R=1&G=2&B=3") == ()
    assert query(form, b"R=1&G=2") == (Violation("query", "/B", "required"),)
    text = {
        "in": "querystring",
        "required": True,
        "content": {"application/json": {"schema": {"maxItems": 1}}},
    }
    assert query(text, b"%5B1%5D") == ()
    assert query(text, b"") == (Violation("query", "", "missing"),)


def headers(spec: dict[str, Any], *lines: tuple[bytes, bytes]) -> tuple[Violation, ...]:
    compiled = Requests([(spec, "/p")], (), None, "/op", schemas())
    problem = compiled.check((), b"", list(lines), b"")
    return () if problem is None else problem.violations


@pytest.mark.parametrize(
    ("schema", "lines", "keyword"),
    [
        ({"type": "integer"}, [b"7"], None),
        ({"type": "integer"}, [b"x"], "type"),
        ({"type": "string"}, [b"a%20b"], None),
        ({"const": "a%20b"}, [b"a%20b"], None),
        ({"type": "string"}, [b"a", b"b"], "repeated"),
        ({"type": "string"}, [b"\xff"], "utf-8"),
        ({"type": "array", "items": {"type": "integer"}, "const": [1, 2, 3]}, [b"1, 2", b"3"], None),
        ({"type": "array", "items": {"type": "integer"}}, [b"1, x"], "type"),
        ({"type": "string"}, [], "missing"),
    ],
)
def test_headers(schema: dict[str, Any], lines: list[bytes], keyword: str | None) -> None:
    spec = {"name": "X-Ward", "in": "header", "required": True, "schema": schema}
    found = headers(spec, (b"accept", b"*/*"), *[(b"x-ward", line) for line in lines])
    assert [item.keyword for item in found] == ([] if keyword is None else [keyword])
    assert all((item.location, item.name) == ("header", "X-Ward") for item in found)


@pytest.mark.parametrize("name", ["Accept", "content-type", "AUTHORIZATION"])
def test_headers_that_openapi_ignores_are_ignored(name: str) -> None:
    assert headers({"name": name, "in": "header", "required": True, "schema": {"const": "x"}}) == ()


def test_a_header_that_no_style_can_carry_is_a_finding() -> None:
    spec = {"name": "X-Tags", "in": "header", "schema": {"type": "array", "items": {"type": "object"}}}
    compiled = Requests([(spec, "/p/0")], (), None, "/op", schemas())
    assert [(note.rule, note.pointer) for note in compiled.findings] == [("parameter-unchecked", "/p/0")]
    assert compiled.check((), b"", [(b"x-tags", b'key="a"')], b"") is None


@pytest.mark.parametrize(
    ("spec", "value", "keyword"),
    [
        ({"schema": {"type": "integer"}}, b"session=1; color=7", None),
        ({"schema": {"type": "integer"}}, b"color=x", "type"),
        ({"schema": {"const": "a b"}}, b"color=a%20b", None),
        ({"schema": {"const": "a+b"}}, b"color=a+b", None),
        ({"schema": {"const": "a%20b"}, "style": "cookie"}, b"color=a%20b", None),
        ({"schema": says(COLORS, THREE), "explode": False}, b"color=blue,black,brown", None),
        ({"schema": says(COLORS, THREE)}, b"color=blue; color=black; color=brown", None),
        ({"schema": says(RGB, MIX)}, b"R=100; G=200; B=150; other=1", None),
        ({"schema": STRING}, b"color=a; color=b", "repeated"),
        # RFC 6265bis section 5.6: many servers take blanks off a name, Python's also U+00A0 and the like.
        ({"schema": STRING}, b"color=a; color =b", "repeated"),
        ({"schema": STRING}, b"color=a; color\t=b", "repeated"),
        ({"schema": STRING}, b"color=a;\xa0color=b", "repeated"),
        ({"schema": STRING}, b"color=a;\xc2\xa0color=b", "repeated"),
        ({"schema": {"enum": ["a"]}}, b"color =b", "enum"),
        ({"schema": STRING}, b"color=a; colors=b; other name=c", None),
        ({"schema": STRING, "required": True}, b"other=1", "missing"),
        ({"schema": STRING}, b";" * 200, "limit"),
    ],
)
def test_cookies(spec: dict[str, Any], value: bytes, keyword: str | None) -> None:
    found = headers({"name": "color", "in": "cookie", **spec}, (b"cookie", value))
    assert [item.keyword for item in found] == ([] if keyword is None else [keyword])


@pytest.mark.parametrize(
    "spec",
    [
        {"in": "query", "schema": STRING},
        {"name": "a", "in": "body", "schema": STRING},
        {"name": "a", "in": "query", "style": "simple", "schema": STRING},
        {"name": "a", "in": "query", "style": "matrix", "schema": STRING},
        {"name": "a", "in": "path", "schema": STRING},
        {"name": "a", "in": "query", "style": "deepObject", "schema": STRING},
        {"name": "a", "in": "query", "schema": {"type": "array", "items": {"type": "object"}}},
        {"name": "a", "in": "query", "content": {}},
        {"name": "a", "in": "query", "schema": STRING, "content": {"text/plain": {}}},
        {"name": "a", "in": "query", "content": {"application/xml": {}}},
        {"name": "a", "in": "query", "content": {"text/plain": {}, "application/json": {}}},
    ],
)
def test_what_cannot_be_decoded_is_refused_at_freeze_with_its_place(spec: dict[str, Any]) -> None:
    with pytest.raises(ContractInvalid) as caught:
        compile_parameter(spec, "/paths/~1x/get/parameters/0", schemas())
    assert caught.value.place is not None
    assert str(caught.value.place.pointer).startswith("/paths/~1x/get/parameters/0")


PAIR = {"type": "array", "prefixItems": [STRING, INTEGER]}
WARDS = {"type": "array", "items": {"type": "integer"}, "maxItems": 2}
STAY = {"type": "object", "required": ["bed"], "properties": {"bed": {"type": "integer"}}}
STAYS = {"type": "array", "items": STAY}


@pytest.mark.parametrize(
    ("schema", "raw", "expected"),
    [
        (WARDS, b"w[]=1&w[]=2", []),
        (WARDS, b"w%5B%5D=1", []),
        (WARDS, b"w[0]=1&w[1]=2", []),
        (WARDS, b"w[1]=2&w[0]=1", []),
        (WARDS, b"w[]=1&w[]=2&w[]=3", [("", "maxItems")]),
        (WARDS, b"w[]=1&w[]=secret", [("/1", "type")]),
        (WARDS, b"w[0]=secret", [("/0", "type")]),
        (WARDS, b"w[1]=1", [("", "style")]),
        (WARDS, b"w[01]=1", [("", "style")]),
        (WARDS, b"w[]=1&w[0]=1", [("", "style")]),
        (WARDS, b"w[0]=1&w[0]=2", [("/0", "repeated")]),
        (PAIR, b"w[0]=7&w[1]=7", []),
        (PAIR, b"w[]=7&w[]=7", []),
        (PAIR, b"w[0]=7&w[1]=x", [("/1", "type")]),
        (PAIR, b"w[" + b"1" * 5000 + b"]=7", [("", "style")]),  # longer than int() takes
        ({"type": "object", "properties": {"pair": PAIR}}, b"w[pair]=7&w[pair]=7", []),
        (STAYS, b"w[0][bed]=1&w[1][bed]=2", []),
        (STAYS, b"w[0][bed]=1&w[1][room]=2", [("/1/bed", "required")]),
        ({"type": "object", "properties": {"stays": STAYS}}, b"w[stays][0][bed]=7", []),
        (
            {"type": "object", "properties": {"stays": STAYS}},
            b"w[stays][0][bed]=x",
            [("/stays/0/bed", "type")],
        ),
    ],
)
def test_arrays_in_brackets(schema: Any, raw: bytes, expected: Any) -> None:
    found = query({"name": "w", "style": "deepObject", "schema": schema}, raw)
    assert [(item.pointer, item.keyword) for item in found] == expected


RANGE = {"type": "object", "properties": {"gt": {"type": "integer"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "raw", "expected"),
    [
        (RANGE, b"w=1", [("", "style")]),
        (RANGE, b"w", [("", "style")]),
        (RANGE, b"w=1&w[gt]=1", [("", "style")]),
        (RANGE, b"wx=1", []),
        # As Stripe's `created` has it: a number, or an object in brackets.
        ({"anyOf": [RANGE, {"type": "integer"}]}, b"w[gt]=1", []),
        ({"anyOf": [RANGE, {"type": "integer"}]}, b"w=1", []),
        ({"anyOf": [RANGE, {"type": "integer"}]}, b"w=secret", [("", "type")]),
        ({"anyOf": [RANGE, {"type": "integer"}]}, b"w=1&w=2", [("", "repeated")]),
        (WARDS, b"w=1&w=2", []),
        (WARDS, b"w=1&w=secret", [("/1", "type")]),
    ],
)
def test_the_bare_name_of_an_object_in_brackets(schema: Any, raw: bytes, expected: Any) -> None:
    found = query({"name": "w", "style": "deepObject", "schema": schema}, raw)
    assert [(item.pointer, item.keyword) for item in found] == expected


def test_brackets_belong_to_their_object_before_an_open_one() -> None:
    specs = [
        {"name": "rest", "schema": {"type": "object", "additionalProperties": {"type": "string"}}},
        {"name": "w", "style": "deepObject", "schema": RANGE},
    ]
    assert query(specs, b"any=text&w[gt]=1") == ()
    (found,) = query(specs, b"any=text&w[gt]=secret")
    assert (found.name, found.pointer, found.keyword) == ("w", "/gt", "type")


def test_an_object_in_brackets_may_be_empty_where_it_is_allowed() -> None:
    spec = {"name": "w", "style": "deepObject", "schema": RANGE, "allowEmptyValue": True}
    assert query(spec, b"w=") == ()
    assert query(spec, b"w=1") != ()


NUMBER_OR_CODE = {"anyOf": [{"type": "string", "pattern": "^[A-Z]"}, {"type": "integer", "maximum": 9}]}


@pytest.mark.parametrize(
    ("schema", "query", "expected"),
    [
        ({"type": "array", "items": NUMBER_OR_CODE}, b"v=A&v=7", []),
        ({"type": "array", "items": NUMBER_OR_CODE}, b"v=A&v=17", ["anyOf"]),
        ({"type": "array", "items": {"enum": ["1", 2, None]}}, b"v=1&v=2", []),
        ({"type": "array", "items": {"enum": ["1", 2]}}, b"v=1&v=1&v=3", ["enum"]),
        ({"type": "array", "items": {"type": ["integer", "boolean"]}}, b"v=true&v=7", []),
        ({"type": "array", "items": {"type": ["integer", "boolean"]}}, b"v=TRUE", ["type"]),
        # All of them numbers or all of them texts, as one branch or the other has it.
        (
            {
                "oneOf": [
                    {"type": "array", "items": {"type": "integer"}},
                    {"type": "array", "items": {"type": "string"}, "minItems": 2},
                ]
            },
            b"v=1&v=b",
            [],
        ),
        ({"type": "object", "properties": {"a": NUMBER_OR_CODE}}, b"a=7", []),
        ({"type": "object", "properties": {"a": NUMBER_OR_CODE}}, b"a=b", ["anyOf"]),
        (
            {
                "properties": {"k": {"type": "string"}},
                "oneOf": [
                    {"type": "object", "properties": {"k": {"const": "n"}, "a": {"type": "integer"}}},
                    {"type": "object", "properties": {"k": {"const": "t"}, "a": {"type": "string"}}},
                ],
            },
            b"k=t&a=7",
            [],
        ),
    ],
)
def test_each_piece_is_read_as_a_type_that_conforms(
    make: Any, schema: Any, query: bytes, expected: Any
) -> None:
    spec = {"name": "v", "in": "query", "schema": schema}
    problem = make({"parameters": [spec]}, method="get").check_request((), query, [], b"")
    assert ([] if problem is None else [found.keyword for found in problem.violations]) == expected


def test_headers_that_were_good_are_not_judged_again_with_the_lines_that_brought_them(make: Any) -> None:
    operation = make(
        {
            "parameters": [
                {"name": "X-Ward", "in": "header", "required": True, "schema": {"enum": ["N3"]}},
                {"name": "unit", "in": "cookie", "schema": {"enum": ["si"]}},
                {"name": "q", "in": "query", "schema": {"enum": ["1"]}},
            ]
        },
        method="get",
    )
    good = [(b"x-ward", b"N3"), (b"cookie", b"unit=si")]
    known = KnownFields(good, -1)
    assert operation.check_request((), b"q=1", good, b"", known) is None
    assert (
        operation.check_request((), b"q=1", [], b"", known) is None
    )  # which shows that they were not looked at
    problem = operation.check_request((), b"q=2", good, b"", known)
    assert problem is not None
    assert problem.violations == (Violation("query", "", "enum", "q"),)
    for bad in ([(b"x-ward", b"N4")], [*good[:1], (b"cookie", b"unit=us")]):
        remembered = KnownFields(bad, -1)
        for _ in range(2):
            assert operation.check_request((), b"", bad, b"", remembered) is not None
        assert remembered.made == {}


def test_a_declared_length_is_judged_each_time(make: Any) -> None:
    spec = {"name": "Content-Length", "in": "header", "schema": {"type": "integer", "maximum": 5}}
    operation = make({"parameters": [spec]}, method="get")
    known = KnownFields([], 0)
    assert operation.check_request((), b"", [(b"content-length", b"5")], b"", known) is None
    assert operation.check_request((), b"", [(b"content-length", b"6")], b"", known) is not None
