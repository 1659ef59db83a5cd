"""XML bodies by the `xml` object; documents that reach beyond themselves are refused unread."""

from __future__ import annotations

from typing import Any

import pytest

ORDER = {
    "type": "object",
    "xml": {"name": "order"},
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "placer": {"type": "string", "maxLength": 5, "xml": {"name": "placedBy"}},
        "urgent": {"type": "boolean"},
        "codes": {"type": "array", "items": {"type": "string", "maxLength": 6, "xml": {"name": "code"}}},
        "wards": {
            "type": "array",
            "maxItems": 2,
            "xml": {"wrapped": True, "name": "wardList"},
            "items": {"type": "integer", "xml": {"name": "ward"}},
        },
        "patient": {
            "type": "object",
            "xml": {"namespace": "urn:example:patient", "prefix": "p"},
            "properties": {"name": {"type": "string", "xml": {"namespace": "urn:example:patient"}}},
            "additionalProperties": False,
        },
    },
}


def judge(
    make: Any,
    text: str | bytes,
    schema: Any = ORDER,
    media: bytes = b"application/xml",
    **schemas: Any,
) -> Any:
    body = {"required": True, "content": {"application/xml": {"schema": schema}}}
    operation = make({"requestBody": body}, components={"schemas": schemas})
    data = text if isinstance(text, bytes) else text.encode()
    problem = operation.check_request((), b"", [(b"content-type", media)], data)
    if problem is None:
        return None
    assert "secret" not in repr(problem)
    return problem.slug, [(item.pointer, item.keyword) for item in problem.violations]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<order id="7"/>', None),
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n<order id="7"><placedBy>Ada</placedBy><urgent> true </urgent></order>',
            None,
        ),
        ('<order id="7"><code>a</code><code>b</code></order>', None),
        ('<order id="7"><wardList><ward>1</ward><ward>2</ward></wardList></order>', None),
        (
            '<order id="7" xmlns:q="urn:example:patient"><q:patient><q:name>A</q:name></q:patient></order>',
            None,
        ),
        ('<order id="7"><placedBy><![CDATA[A<B]]></placedBy></order>', None),
        ("<order/>", ("body-invalid", [("/id", "required")])),
        ("<other id='7'/>", ("body-invalid", [("", "element")])),
        ('<order id="secret"/>', ("body-invalid", [("/id", "type")])),
        (
            '<order id="7"><placedBy>secret name</placedBy></order>',
            ("body-invalid", [("/placer", "maxLength")]),
        ),
        (
            '<order id="7"><placedBy>a</placedBy><placedBy>b</placedBy></order>',
            ("body-malformed", [("/placer", "repeated")]),
        ),
        (
            '<order id="7"><code>a</code><code>secret code</code></order>',
            ("body-invalid", [("/codes/1", "maxLength")]),
        ),
        (
            '<order id="7"><wardList><ward>1</ward><ward>x</ward></wardList></order>',
            ("body-invalid", [("/wards/1", "type")]),
        ),
        (
            '<order id="7"><wardList><secret>1</secret></wardList></order>',
            ("body-invalid", [("/wards/0", "element")]),
        ),
        (
            '<order id="7"><wardList>secret<ward>1</ward></wardList></order>',
            ("body-invalid", [("/wards", "element")]),
        ),
        (
            '<order id="7"><wardList><ward>1</ward>secret</wardList></order>',
            ("body-invalid", [("/wards", "element")]),
        ),
        ('<order id="7"><ward>1</ward></order>', ("body-invalid", [("/{key}", "additionalProperties")])),
        ('<order id="7" secret="1"/>', ("body-invalid", [("/{key}", "additionalProperties")])),
        (
            '<order id="7"><patient><name>A</name></patient></order>',
            ("body-invalid", [("/{key}", "additionalProperties")]),
        ),
        ('<order id="7">secret<urgent>true</urgent></order>', ("body-invalid", [("", "element")])),
        ('<order id="7"><urgent>true</urgent>secret</order>', ("body-invalid", [("", "element")])),
    ],
)
def test_elements_become_the_declared_value(make: Any, text: str, expected: Any) -> None:
    assert judge(make, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<order id='7'>",
        "<order id='7'/><order/>",
        "<order id='7' id='8'/>",
        '<!DOCTYPE order><order id="7"/>',
        '<!DOCTYPE o [<!ENTITY a "7">]><order id="&a;"/>',
        '<!DOCTYPE o SYSTEM "file:///etc/passwd"><order id="7"/>',
        "<order id='7'>&secret;</order>",
        b"<order id='7'><placedBy>\xff</placedBy></order>",
        "<order id='7'/>".encode("utf-16"),
    ],
)
def test_a_document_that_is_not_plain_xml_is_refused(make: Any, text: str | bytes) -> None:
    expected = ("body-missing", [("", "missing")]) if not text else ("body-malformed", [("", "xml")])
    assert judge(make, text) == expected


def test_bombs_and_other_encodings_are_refused(make: Any) -> None:
    assert judge(make, "<a>" * 200 + "</a>" * 200) == ("body-malformed", [("", "limit")])
    assert judge(make, '<?xml version="1.0" encoding="iso-8859-1"?><order id="7"/>') == (
        "media-type-unsupported",
        [("", "charset")],
    )
    found = judge(make, '<order id="7"/>', media=b"application/xml; charset=utf-16")
    assert found == ("media-type-unsupported", [("", "charset")])


def test_a_root_may_be_a_scalar_or_an_array(make: Any) -> None:
    assert judge(make, "<n>7</n>", {"type": "integer", "maximum": 7}) is None
    assert judge(make, "<n>8</n>", {"type": "integer", "maximum": 7}) == ("body-invalid", [("", "maximum")])
    rows = {"type": "array", "items": {"type": "integer", "xml": {"name": "n"}}, "xml": {"name": "rows"}}
    assert judge(make, "<rows><n>1</n><n>2</n></rows>", rows) is None
    assert judge(make, "<rows><n>1</n><m>2</m></rows>", rows) == ("body-invalid", [("/1", "element")])
    nil = '<n xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    assert judge(make, nil, {"type": ["integer", "null"]}) is None
    assert judge(make, nil, {"type": "integer"}) == ("body-invalid", [("", "type")])
    full = nil.replace("/>", ">secret</n>")
    assert judge(make, full, {"type": ["integer", "null"]}) == ("body-invalid", [("", "element")])


COUNT = {"type": "integer", "maximum": 9}
CLOSED = {"patternProperties": {"^n": COUNT}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        ({"additionalProperties": COUNT}, "<m><a>1</a><b>2</b></m>", None),
        ({"additionalProperties": COUNT}, '<m a="1"/>', None),
        ({"additionalProperties": COUNT}, "<m><a>10</a></m>", [("/{key}", "maximum")]),
        ({"additionalProperties": COUNT}, "<m><a>secret</a></m>", [("/{key}", "type")]),
        ({"additionalProperties": COUNT}, '<m a="secret"/>', [("/{key}", "type")]),
        ({"additionalProperties": {"type": "string", "maxLength": 3}}, "<m><a>abc</a></m>", None),
        (
            {"additionalProperties": {"type": "string", "maxLength": 3}},
            "<m><a>secret</a></m>",
            [("/{key}", "maxLength")],
        ),
        ({"additionalProperties": {"type": "array", "items": COUNT}}, "<m><a>1</a><a>2</a></m>", None),
        (
            {"additionalProperties": {"type": "array", "items": COUNT}},
            "<m><a>1</a><a>secret</a></m>",
            [("/{key}/1", "type")],
        ),
        ({"additionalProperties": {"type": "object", "required": ["k"]}}, "<m><a><k/></a></m>", None),
        (
            {"additionalProperties": {"type": "object", "required": ["k"]}},
            "<m><a/></m>",
            [("/{key}/k", "required")],
        ),
        (CLOSED, "<m><n1>5</n1></m>", None),
        (CLOSED, "<m><n1>secret</n1></m>", [("/{key}", "type")]),
        (CLOSED, "<m><o1>5</o1></m>", [("/{key}", "additionalProperties")]),
        ({"propertyNames": {"maxLength": 2}}, "<m><ab/></m>", None),
        ({"propertyNames": {"maxLength": 2}}, "<m><abc/></m>", [("", "propertyNames")]),
        ({"additionalProperties": {}}, "<m><a>free <b>text</b></a><a/></m>", None),
    ],
)
def test_elements_without_a_property_are_further_properties(
    make: Any, schema: Any, text: str, expected: Any
) -> None:
    found = judge(make, text, {"type": "object", **schema})
    assert found == (None if expected is None else ("body-invalid", expected))


def test_a_further_element_is_never_taken_for_a_declared_property(make: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer", "xml": {"attribute": True}}},
        "additionalProperties": {"type": "boolean"},
    }
    assert judge(make, '<m id="7"><id>true</id></m>', schema) is None
    assert judge(make, '<m id="7"><id>8</id></m>', schema) == ("body-invalid", [("/{key}", "type")])


def test_xml_without_a_schema_is_opaque(make: Any) -> None:
    assert judge(make, "<anything", {"type": "string"}) is None
    assert judge(make, b"\xff\xfe<", {}) is None


def test_text_may_be_a_property_beside_attributes(make: Any) -> None:
    dose = {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount"],
        "properties": {
            "amount": {"type": "number", "maximum": 9, "xml": {"nodeType": "text"}},
            "unit": {"type": "string", "xml": {"nodeType": "attribute"}},
        },
    }
    assert judge(make, '<dose unit="mg"> 7.5 </dose>', dose) is None
    assert judge(make, '<dose unit="mg">75</dose>', dose) == ("body-invalid", [("/amount", "maximum")])
    assert judge(make, '<dose unit="mg"/>', dose) == ("body-invalid", [("/amount", "type")])
    assert judge(make, "<dose>7<x/></dose>", dose) == ("body-invalid", [("/{key}", "additionalProperties")])


def test_a_required_array_of_nothing_has_no_elements(make: Any) -> None:
    rows = {"type": "array", "items": {"type": "integer"}}
    listed = {"type": "object", "required": ["n"], "properties": {"n": rows, "m": rows}}
    assert judge(make, "<a/>", listed) is None
    few = {**listed, "properties": {"n": {**rows, "minItems": 1}}}
    assert judge(make, "<a/>", few) == ("body-invalid", [("/n", "minItems")])


def test_an_element_is_typed_as_one_branch_has_it(make: Any) -> None:
    schema = {
        "oneOf": [
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "integer"}, "k": {"const": "number"}},
            },
            {
                "type": "object",
                "required": ["a"],
                "properties": {"a": {"type": "string"}, "k": {"const": "text"}},
            },
        ]
    }
    assert judge(make, "<x><a>7</a><k>number</k></x>", schema) is None
    assert judge(make, "<x><a>7</a><k>text</k></x>", schema) is None
    assert judge(make, "<x><a>b</a><k>number</k></x>", schema) is not None
    # Reading it again for each branch has a bound of its own.
    long = "<x><a>7</a><k>text</k>" + " " * 1024 * 1024 + "</x>"
    assert judge(make, long, schema) == ("body-invalid", [("", "oneOf")])


ELEMENT = ("body-invalid", [("", "element")])


def test_the_root_is_called_as_its_component(make: Any) -> None:
    """OpenAPI 3.2 "XML Node Names"; 3.0 and 3.1 show it by the example of Person."""
    person = {"type": "object", "properties": {"id": {"type": "integer", "xml": {"attribute": True}}}}
    ref = {"$ref": "#/components/schemas/Person"}
    assert judge(make, '<Person id="1"/>', ref, Person=person) is None
    assert judge(make, '<person id="1"/>', ref, Person=person) == ELEMENT
    named = {**person, "xml": {"name": "human"}}
    assert judge(make, '<human id="1"/>', ref, Person=named) is None
    assert judge(make, '<Person id="1"/>', ref, Person=named) == ELEMENT
    beside = {**ref, "xml": {"name": "staff"}}
    assert judge(make, '<staff id="1"/>', beside, Person=person) is None
    # Nothing names the root of a schema that stands in its place.
    assert judge(make, '<anybody id="1"/>', person) is None


@pytest.mark.parametrize(
    ("xml", "items", "good", "bad"),
    [
        (
            {"wrapped": True},
            {},
            "<animals><animals>a</animals></animals>",
            "<animals><animal>a</animal></animals>",
        ),
        (
            {"wrapped": True, "name": "aliens"},
            {},
            "<aliens><aliens>a</aliens></aliens>",
            "<aliens><animals>a</animals></aliens>",
        ),
        (
            {"nodeType": "element"},
            {"name": "animal"},
            "<animals><animal>a</animal></animals>",
            "<animals><animals>a</animals></animals>",
        ),
    ],
)
def test_items_without_a_name_inherit_that_of_their_array(
    make: Any, xml: Any, items: Any, good: str, bad: str
) -> None:
    item = {"type": "string", "xml": items}
    schema = {"type": "object", "properties": {"animals": {"type": "array", "items": item, "xml": xml}}}
    assert judge(make, f"<d>{good}</d>", schema) is None
    assert judge(make, f"<d>{bad}</d>", schema) == ("body-invalid", [("/animals/0", "element")])


def test_items_may_be_called_as_their_component(make: Any) -> None:
    ref = {"$ref": "#/components/schemas/Cat"}
    schema = {
        "type": "object",
        "properties": {"cats": {"type": "array", "items": ref, "xml": {"wrapped": True}}},
    }
    cat = {"type": "string"}
    for name in ("cats", "Cat"):
        assert judge(make, f"<d><cats><{name}>a</{name}></cats></d>", schema, Cat=cat) is None
    found = judge(make, "<d><cats><dog>a</dog></cats></d>", schema, Cat=cat)
    assert found == ("body-invalid", [("/cats/0", "element")])


# OpenAPI 3.2 "Ordered Elements and Text".
ORDERED = {
    "type": "array",
    "xml": {"nodeType": "element", "name": "OneTwoThree"},
    "minItems": 3,
    "maxItems": 3,
    "prefixItems": [
        {"type": "string", "xml": {"name": "One"}},
        {
            "type": "object",
            "required": ["unit", "value"],
            "properties": {
                "unit": {"type": "string", "xml": {"nodeType": "attribute"}},
                "value": {"type": "number", "xml": {"nodeType": "text"}},
            },
            "xml": {"name": "Two"},
        },
        {"type": ["boolean", "null"], "xml": {"name": "Three"}},
    ],
}
REPORT = {
    "type": "array",
    "xml": {"nodeType": "element", "name": "Report"},
    "prefixItems": [
        {"type": "string", "xml": {"nodeType": "text"}, "maxLength": 9},
        {"type": "number", "xml": {"name": "data"}},
        {"type": "string", "xml": {"nodeType": "text"}},
    ],
    "items": False,
}


@pytest.mark.parametrize(
    ("schema", "text", "expected"),
    [
        (ORDERED, '<OneTwoThree><One>a</One><Two unit="m">42</Two><Three>true</Three></OneTwoThree>', None),
        (
            ORDERED,
            '<OneTwoThree><One>a</One><Two unit="m">x</Two><Three>true</Three></OneTwoThree>',
            [("/1/value", "type")],
        ),
        (
            ORDERED,
            '<OneTwoThree><Two unit="m">42</Two><One>a</One><Three>true</Three></OneTwoThree>',
            [("/0", "element")],
        ),
        (ORDERED, '<OneTwoThree><One>a</One><Two unit="m">42</Two></OneTwoThree>', [("", "minItems")]),
        (REPORT, "<Report>Before.<data>42</data>After.</Report>", None),
        (REPORT, "<Report>Before all.<data>42</data>After.</Report>", [("/0", "maxLength")]),
        (REPORT, "<Report>Before.<data>secret</data>After.</Report>", [("/1", "type")]),
        (REPORT, "<Report>Before.<data>42</data>After.<more/></Report>", [("/3", "element")]),
    ],
)
def test_elements_and_text_may_have_an_order(make: Any, schema: Any, text: str, expected: Any) -> None:
    found = judge(make, text, schema)
    assert found == (None if expected is None else ("body-invalid", expected))


def test_an_attribute_of_null_is_left_out_and_an_empty_element_is_an_object(make: Any) -> None:
    """OpenAPI 3.2 "XML With null Values"."""
    schema = {
        "type": "object",
        "required": ["count", "related"],
        "properties": {
            "count": {"type": ["number", "null"], "xml": {"nodeType": "attribute"}},
            "related": {"type": ["object", "null"], "required": ["id"]},
        },
    }
    nil = '<related xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'
    assert judge(make, f"<product>{nil}</product>", schema) is None
    assert judge(make, f'<product count="42">{nil}</product>', schema) is None
    assert judge(make, "<product><related><id/></related></product>", schema) is None
    found = judge(make, "<product><related/></product>", schema)
    assert found == ("body-invalid", [("/related/id", "required")])
    strict = {"type": "object", "required": ["n"], "properties": {"n": {"xml": {"attribute": True}}}}
    assert judge(make, "<m/>", strict) == ("body-invalid", [("/n", "required")])


def test_an_object_may_have_no_element_of_its_own(make: Any) -> None:
    group = {
        "type": "object",
        "xml": {"nodeType": "none"},
        "required": ["a"],
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "string", "maxLength": 3, "xml": {"nodeType": "attribute"}},
        },
    }
    schema = {"type": "object", "properties": {"group": group, "z": {"type": "integer"}}}
    assert judge(make, '<d b="q"><a>1</a><z>2</z></d>', schema) is None
    assert judge(make, "<d><z>2</z></d>", schema) is None
    assert judge(make, "<d><a>secret</a></d>", schema) == ("body-invalid", [("/group/a", "type")])
    assert judge(make, '<d b="q"/>', schema) == ("body-invalid", [("/group/a", "required")])
    assert judge(make, '<d b="secret"><a>1</a></d>', schema) == ("body-invalid", [("/group/b", "maxLength")])


def test_an_object_without_an_element_that_holds_itself_is_refused(make: Any) -> None:
    ref = {"$ref": "#/components/schemas/Loop"}
    loop = {"type": "object", "xml": {"nodeType": "none"}, "properties": {"more": ref}}
    schema = {"type": "object", "properties": {"loop": ref}}
    assert judge(make, "<d/>", schema, Loop=loop) == ("body-malformed", [("", "limit")])


def test_what_one_part_of_a_schema_says_of_xml_holds_for_the_property(make: Any) -> None:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"id": {"type": "integer", "maximum": 9}}},
            {"required": ["id"], "properties": {"id": {"type": "integer", "xml": {"attribute": True}}}},
        ]
    }
    assert judge(make, '<d id="7"/>', schema) is None
    assert judge(make, '<d id="10"/>', schema) == ("body-invalid", [("/id", "maximum")])
    assert judge(make, "<d/>", schema) == ("body-invalid", [("/id", "required")])


def test_elements_that_nothing_wraps_are_typed_by_their_positions(make: Any) -> None:
    pair = {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]}
    schema = {"type": "object", "xml": {"name": "r"}, "properties": {"t": pair}, "additionalProperties": pair}
    assert judge(make, "<r><t>7</t><t>7</t><u>7</u><u>7</u></r>", schema) is None
    assert judge(make, "<r><t>7</t><t>x</t></r>", schema) == ("body-invalid", [("/t/1", "type")])


CODE = {"properties": {"code": {"type": "string", "maxLength": 2}}}
NUMBERED = {"required": ["id"], "properties": {"id": {"type": "integer"}}}


@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_no_branch_speaks_for_what_another_one_does_not_name(make: Any, keyword: str) -> None:
    """What a branch does not name has no type in its reading: it must not pass by that in another branch."""
    schema = {"type": "object", "xml": {"name": "r"}, keyword: [CODE, NUMBERED]}
    assert judge(make, "<r><code>ab</code></r>", schema) is None
    assert judge(make, "<r><id>7</id></r>", schema) is None
    assert judge(make, "<r><code>long</code></r>", schema) == ("body-invalid", [("", keyword)])
    renamed = {
        "properties": {"code": {**CODE["properties"]["code"], "xml": {"name": "c", "attribute": True}}}
    }
    other = {**schema, keyword: [renamed, {**NUMBERED, "additionalProperties": {"type": "integer"}}]}
    assert judge(make, '<r c="ab"/>', other) is None
    assert judge(make, '<r c="777"/>', other) == ("body-invalid", [("", keyword)])
    assert judge(make, "<r><c>777</c><id>7</id></r>", {**other, keyword: [CODE, other[keyword][1]]}) is None


def test_the_root_of_a_branch_is_called_as_the_whole_is(make: Any) -> None:
    for schema in (
        {"type": "object", "xml": {"name": "R"}, "oneOf": [CODE, NUMBERED]},
        {"$ref": "#/components/schemas/R"},
    ):
        whole = {"type": "object", "oneOf": [CODE, NUMBERED]}
        assert judge(make, "<R><code>ab</code></R>", schema, R=whole) is None
        for text in ("<x><code>ab</code></x>", "<x><id>7</id></x>"):
            assert judge(make, text, schema, R=whole) == ("body-invalid", [("", "element")])


def test_the_text_of_what_nothing_is_said_of_is_judged(make: Any) -> None:
    forbidden = {"properties": {"code": {"const": "xx"}}, "required": ["code"]}
    schema = {"type": "object", "xml": {"name": "r"}, "not": forbidden}
    assert judge(make, "<r><code>xy</code></r>", schema) is None
    assert judge(make, "<r><code>xx</code></r>", schema) == ("body-invalid", [("", "not")])
    assert judge(make, '<r code="xx"/>', schema) == ("body-invalid", [("", "not")])
