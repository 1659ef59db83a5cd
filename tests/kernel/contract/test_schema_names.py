"""References by `$anchor` and by `$id`, made pointers when the files of a contract are read."""

import json

import pytest

from kernel.contract.local_files import inline_files
from kernel.errors import ReferenceRefused

TEXT = {"type": "string"}


def inlined(folder, root, **others):
    for name, value in {"schema": root, **others}.items():
        (folder / f"{name}.json").write_text(json.dumps(value, indent=1))
    return inline_files(folder / "schema.json")


@pytest.mark.parametrize(
    ("root", "made"),
    [
        ({"$ref": "#text", "$defs": {"t": {"$anchor": "text", **TEXT}}}, {"$ref": "#/$defs/t"}),
        ({"$ref": "#text", "$defs": {"t": {"$dynamicAnchor": "text", **TEXT}}}, {"$ref": "#/$defs/t"}),
        ({"$id": "https://a.example/s", "$ref": "t", "$defs": {"t": {"$id": "t", **TEXT}}}, {"$ref": "#/$defs/t"}),
        ({"$ref": "urn:x:t#/items", "$defs": {"t": {"$id": "urn:x:t", "items": TEXT}}}, {"$ref": "#/$defs/t/items"}),
        ({"$id": "https://a.example/s", "items": {"$ref": "s#/$defs/t"}, "$defs": {"t": TEXT}},
         {"items": {"$ref": "#/$defs/t"}}),
        # an anchor belongs to the resource that it stands in
        ({"$ref": "t#n", "$id": "https://a.example/s", "$defs": {
            "n": {"$anchor": "n", "type": "null"}, "t": {"$id": "t", "$defs": {"n": {"$anchor": "n", **TEXT}}}}},
         {"$ref": "#/$defs/t/$defs/n"}),
        # draft-07 writes an anchor as `$id`
        ({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#n", "definitions": {"n": {"$id": "#n", **TEXT}}},
         {"$ref": "#/definitions/n"}),
    ],
)  # fmt: skip
def test_a_name_of_the_file_itself_becomes_a_pointer(tmp_path, root, made):
    found = inlined(tmp_path, root).root
    assert {key: found[key] for key in made} == made


def test_pointers_within_a_resource_begin_at_the_whole_file_and_its_name_goes(tmp_path):
    inner = {"$id": "https://a.example/t", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": TEXT}}
    found = inlined(tmp_path, {"properties": {"a": inner}}).root
    assert found["properties"]["a"] == {
        "items": {"$ref": "#/properties/a/$defs/n"}, "$defs": {"n": TEXT},
    }  # fmt: skip


def test_places_stay_those_of_what_was_written(tmp_path):
    document = inlined(tmp_path, {"$ref": "#text", "$defs": {"t": {"$anchor": "text", **TEXT}}})
    place = document.position("/$defs/t/type")
    assert (place.line, place.source.endswith("schema.json")) == (6, True)
    assert json.loads(document.data)["$ref"] == "#/$defs/t"


def test_another_file_is_read_by_its_own_names(tmp_path):
    other = {"$defs": {"t": {"$anchor": "text", **TEXT}}, "items": {"$ref": "#text"}}
    found = inlined(tmp_path, {"properties": {"a": {"$ref": "other.json"}}}, other=other).root
    assert found["$defs"]["other"]["items"] == {"$ref": "#/$defs/t"}
    assert found["$defs"]["t"] == {"$anchor": "text", **TEXT}


@pytest.mark.parametrize("ref", ["#nowhere", "https://a.example/other"])
def test_a_name_that_nothing_has_is_refused_as_ever(tmp_path, ref):
    with pytest.raises(ReferenceRefused):
        inlined(tmp_path, {"$ref": ref, "$defs": {"t": {"$anchor": "text", **TEXT}}})


def test_data_that_looks_like_a_name_is_none(tmp_path):
    root = {"$ref": "#n", "const": {"$anchor": "n"}, "$defs": {"t": {"properties": {"$anchor": TEXT}}}}
    with pytest.raises(ReferenceRefused):
        inlined(tmp_path, root)
