"""References: where one stands, what it may point to, and URNs embedded with their digests verified."""

import copy
from pathlib import Path

import pytest

from kernel.contract.digest import digest
from kernel.contract.document import parse
from kernel.contract.grammar import grammar_of
from kernel.contract.references import check_references, embed_urns, resolve_pointer, sites
from kernel.contract.sites import fragment
from kernel.errors import ReferenceRefused

ROOT = Path(__file__).resolve().parents[3]
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def openapi(schema, version="3.1.0", **components):
    return {
        "openapi": version,
        "info": {"title": "Wards", "version": "1.0.0"},
        "paths": {
            "/wards": {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        },
        "components": {
            "schemas": {"Ward": {"type": "object"}, **components.pop("schemas", {})},
            **components,
        },
    }


def refusal(root):
    with pytest.raises(ReferenceRefused) as caught:
        check_references(root)
    assert caught.value.hint
    return caught.value


SCHEMA = "/paths/~1wards/get/responses/200/content/application~1json/schema"


def test_local_references_are_found_with_their_types():
    root = openapi({"$ref": "#/components/schemas/Ward"})
    root["paths"]["/wards"]["get"]["parameters"] = [{"$ref": "#/components/parameters/Page"}]
    root["components"]["parameters"] = {
        "Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}
    }
    found = [(site.pointer, site.ref, site.type) for site in sites(root)]
    assert found == [
        (SCHEMA, "#/components/schemas/Ward", "schema"),
        ("/paths/~1wards/get/parameters/0", "#/components/parameters/Page", "parameter"),
    ]
    check_references(root)


@pytest.mark.parametrize(
    "data",
    [
        {"example": {"$ref": "https://elsewhere.example/x"}},
        {"examples": [{"$ref": "x.json"}]},
        {"default": {"$ref": "x.json"}},
        {"const": {"$ref": "x.json"}},
        {"enum": [{"$ref": "x.json"}]},
        {"x-note": {"$ref": "x.json"}},
        {"description": "see $ref"},
        {"properties": {"example": {"type": "string"}, "$ref": {"type": "string"}}},
        {"properties": {"default": {"properties": {"enum": {"type": "string"}}}}},
    ],
)
def test_data_holds_no_references(data):
    root = openapi({"type": "object", **data})
    assert list(sites(root)) == []
    check_references(root)


def test_examples_of_media_types_are_data_and_example_objects_are_not():
    root = openapi({"type": "object"})
    media = root["paths"]["/wards"]["get"]["responses"]["200"]["content"]["application/json"]
    media["example"] = {"$ref": "examples/ward.json"}
    media["examples"] = {"one": {"value": {"$ref": "x.json"}}}
    check_references(root)
    media["examples"]["two"] = {"$ref": "x.json"}
    assert refusal(root).place.pointer.endswith("/application~1json/examples/two")


def test_a_property_named_like_a_keyword_is_a_schema():
    root = openapi({"properties": {"example": {"$ref": "x.json"}}})
    assert refusal(root).place.pointer == f"{SCHEMA}/properties/example"


@pytest.mark.parametrize(
    "ref",
    [
        "https://elsewhere.example/ward.json",
        "//elsewhere.example/ward.json",
        "file:///etc/passwd",
        "ward.yaml#/Ward",
        "../ward.yaml",
        "",
        "#Ward",
        "#/components/schemas/Absent",
        "#/components/schemas/Ward/0",
        "#/paths/0",
        "urn:interlock:schema:ward:1.0.0",
        "urn:other:ward",
    ],
)
def test_other_targets_are_refused_with_the_place(ref):
    assert refusal(openapi({"items": {"$ref": ref}})).place.pointer == f"{SCHEMA}/items"


@pytest.mark.parametrize("ref", [None, 5, {"a": 1}, ["#/"]])
def test_a_ref_that_is_no_string_is_refused(ref):
    assert refusal(openapi({"$ref": ref})).place.pointer == SCHEMA


def test_a_ref_in_place_of_a_map_or_list_is_refused():
    root = openapi({"type": "object"})
    root["paths"]["/wards"]["get"]["parameters"] = {"$ref": "#/components/x"}
    assert refusal(root).place.pointer == "/paths/~1wards/get/parameters"
    root = openapi({"properties": {"$ref": "#/components/schemas/Ward"}})
    assert refusal(root).place.pointer == f"{SCHEMA}/properties"


def test_urns_stand_only_where_schemas_may():
    urn = f"urn:interlock:schema:ward:1.0.0:sha256-{'0' * 64}#"
    check_references(openapi({"$ref": urn}))
    root = openapi({"type": "object"})
    root["paths"]["/wards"]["get"]["responses"]["404"] = {"$ref": urn}
    assert refusal(root).place.pointer == "/paths/~1wards/get/responses/404"
    bad = refusal(openapi({"$ref": urn.replace("ward", "Ward_1")}))
    assert bad.place.pointer == SCHEMA


def test_what_only_a_reference_reaches_is_checked_too():
    root = openapi({"$ref": "#/x-shared/Ward"})
    root["x-shared"] = {"Ward": {"properties": {"beds": {"$ref": "beds.json"}}}}
    assert refusal(root).place.pointer == "/x-shared/Ward/properties/beds"


def test_recursion_is_fine_and_a_circle_of_bare_references_is_not():
    tree = {"properties": {"below": {"items": {"$ref": "#/components/schemas/Tree"}}}}
    check_references(openapi({"$ref": "#/components/schemas/Tree"}, schemas={"Tree": tree}))
    circle = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    assert "leads back" in refusal(openapi({"$ref": "#/components/schemas/A"}, schemas=circle)).message


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", {"a/b": {"~x": [10, {"": 20}]}, "c%d": 1, "ü": 2}),
        ("/a~1b/~0x/0", 10),
        ("#/a~1b/~0x/1/", 20),
        ("#/c%25d", 1),
        ("/c%d", 1),
        ("#/%C3%BC", 2),
    ],
)
def test_resolve_pointer(pointer, value):
    root = {"a/b": {"~x": [10, {"": 20}]}, "c%d": 1, "ü": 2}
    assert resolve_pointer(root, pointer) == value


@pytest.mark.parametrize("pointer", ["/a/-1", "/a/01x", "/a/3", "/b", "/a/0/x", "/a/\u0660"])
def test_a_pointer_to_nothing_is_refused(pointer):
    with pytest.raises(ReferenceRefused) as caught:
        resolve_pointer({"a": [1, 2, 3]}, pointer)
    assert caught.value.place.pointer == pointer


def test_fragments_survive_the_way_back():
    root = {"paths": {"/wards/{id} %": {"ü": 7}}}
    pointer = "/paths/~1wards~1{id} %/ü"
    assert resolve_pointer(root, fragment(pointer)) == 7
    assert fragment(pointer).isascii()


# Embedding


def canonical():
    """Give three canonical schemas, of which the last needs the others, and a lookup that counts."""
    person = {
        "$schema": DRAFT,
        "$id": "https://registry.example/person",
        "type": "object",
        "properties": {"born": {"$ref": "#/$defs/day"}, "parent": {"$ref": "#"}},
        "$defs": {"day": {"type": "string", "format": "date"}},
    }
    person_urn = f"urn:interlock:schema:person:1.0.0:{digest(person).replace(':', '-')}"
    stay = {
        "$schema": DRAFT,
        "properties": {"who": {"$ref": f"{person_urn}#"}, "on": {"$ref": f"{person_urn}#/$defs/day"}},
    }
    stay_urn = f"urn:interlock:schema:stay:2.1.0:{digest(stay).replace(':', '-')}"
    kept = {"person": person, "stay": stay}
    asked = []

    def lookup(urn):
        asked.append(urn.name)
        return copy.deepcopy(kept[urn.name])

    return person_urn, stay_urn, lookup, asked


def test_urns_become_local_components_with_all_that_they_need():
    person_urn, stay_urn, lookup, asked = canonical()
    root = openapi(
        {"properties": {"stay": {"$ref": f"{stay_urn}#"}, "day": {"$ref": f"{person_urn}#/$defs/day"}}}
    )
    before = copy.deepcopy(root)
    made = embed_urns(root, lookup)
    assert root == before
    assert sorted(asked) == ["person", "stay"]
    schema = resolve_pointer(made, SCHEMA)
    assert schema["properties"] == {
        "stay": {"$ref": "#/components/schemas/stay-2.1.0"},
        "day": {"$ref": "#/components/schemas/person-1.0.0/$defs/day"},
    }
    schemas = made["components"]["schemas"]
    assert schemas["Ward"] == {"type": "object"}
    assert schemas["stay-2.1.0"] == {
        "properties": {
            "who": {"$ref": "#/components/schemas/person-1.0.0"},
            "on": {"$ref": "#/components/schemas/person-1.0.0/$defs/day"},
        }
    }
    assert schemas["person-1.0.0"]["properties"] == {
        "born": {"$ref": "#/components/schemas/person-1.0.0/$defs/day"},
        "parent": {"$ref": "#/components/schemas/person-1.0.0"},
    }
    assert "$id" not in schemas["person-1.0.0"]
    check_references(made)
    assert not [site for site in sites(made) if site.ref.startswith("urn:")]


def test_embedding_is_deterministic_and_leaves_documents_without_urns_alone():
    _, stay_urn, lookup, _ = canonical()
    root = openapi({"$ref": f"{stay_urn}#"})
    assert digest(embed_urns(root, lookup)) == digest(embed_urns(copy.deepcopy(root), lookup))
    plain = openapi({"type": "object"})
    assert embed_urns(plain, lookup) is plain


def test_embedded_names_do_not_collide():
    person_urn, _, lookup, _ = canonical()
    made = embed_urns(
        openapi({"$ref": f"{person_urn}#"}, schemas={"person-1.0.0": {"type": "string"}}), lookup
    )
    assert made["components"]["schemas"]["person-1.0.0"] == {"type": "string"}
    assert resolve_pointer(made, SCHEMA) == {"$ref": "#/components/schemas/person-1.0.0-2"}


def test_canonical_schemas_embed_into_schemas_and_documents_of_other_dialects():
    person_urn, _, lookup, _ = canonical()
    schema = embed_urns({"$schema": DRAFT, "items": {"$ref": f"{person_urn}#"}}, lookup)
    assert schema["items"] == {"$ref": "#/$defs/person-1.0.0"}
    assert "$schema" not in schema["$defs"]["person-1.0.0"]
    older = embed_urns(openapi({"$ref": f"{person_urn}#"}, version="3.0.3"), lookup)
    assert older["components"]["schemas"]["person-1.0.0"]["$schema"] == DRAFT
    event = {"asyncapi": "3.0.0", "components": {"messages": {"m": {"payload": {"$ref": f"{person_urn}#"}}}}}
    assert embed_urns(event, lookup)["components"]["schemas"]["person-1.0.0"]["$schema"] == DRAFT


def test_a_digest_that_differs_is_refused():
    person_urn, _, lookup, _ = canonical()
    wrong = person_urn[:-1] + ("0" if person_urn[-1] != "0" else "1")
    with pytest.raises(ReferenceRefused, match="digest"):
        embed_urns(openapi({"$ref": f"{wrong}#"}), lookup)


def test_a_urn_that_points_to_nothing_is_refused():
    person_urn, _, lookup, _ = canonical()
    with pytest.raises(ReferenceRefused, match="points to nothing"):
        embed_urns(openapi({"$ref": f"{person_urn}#/$defs/night"}), lookup)


def test_what_is_no_schema_cannot_be_embedded():
    body = openapi({"type": "object"})
    urn = f"urn:interlock:schema:wards:1.0.0:{digest(body).replace(':', '-')}#"
    with pytest.raises(ReferenceRefused, match="no canonical schema"):
        embed_urns(openapi({"$ref": urn}), lambda _: body)


def test_our_own_contracts_embed_and_check():
    """The canonical schemas of contracts/ refer to each other by pinned digests."""
    kept = {
        file.parent.parent.name: parse(file.read_bytes(), name=file.name).root
        for file in ROOT.glob("contracts/*/1.0.0/schema.json")
    }
    assert {"patient-identity", "lab-order", "lab-result", "observation"} <= kept.keys()
    for name, root in kept.items():
        check_references(root)
        made = embed_urns(root, lambda urn: kept[urn.name])
        check_references(made)
        assert not [site for site in sites(made) if site.ref.startswith("urn:")], name


def test_grammars_follow_the_version():
    assert grammar_of({"asyncapi": "2.6.0"}) is not grammar_of({"asyncapi": "3.1.0"})
    assert (
        grammar_of({"$schema": "http://json-schema.org/draft-07/schema#"}).sections["schema"]
        == "/definitions"
    )


def test_asyncapi_references():
    root = {
        "asyncapi": "3.0.0",
        "channels": {"results": {"messages": {"done": {"$ref": "#/components/messages/done"}}}},
        "operations": {
            "send": {
                "channel": {"$ref": "#/channels/results"},
                "messages": [{"$ref": "#/channels/results/messages/done"}],
            }
        },
        "components": {
            "messages": {
                "done": {"payload": {"schemaFormat": "x", "schema": {"$ref": "#/components/schemas/Done"}}}
            },
            "schemas": {"Done": {"type": "object", "items": {"$ref": "#/components/schemas/Done"}}},
        },
    }
    assert sorted(site.type for site in sites(root)) == ["channel", "message", "message", "schema", "schema"]
    check_references(root)
    root["operations"]["send"]["channel"]["$ref"] = "#/channels/orders"
    assert refusal(root).place.pointer == "/operations/send/channel"
