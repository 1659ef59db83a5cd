"""Contracts of several files become one document, the same on every machine, and nothing else is read."""

from pathlib import Path

import pytest

from kernel.contract.digest import digest
from kernel.contract.document import Limits
from kernel.contract.local_files import inline_files
from kernel.contract.references import check_references, sites
from kernel.contract.urn import PREFIX
from kernel.errors import DocumentError, Place, ReferenceRefused

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
HEAD = "openapi: 3.1.0\ninfo: {title: Wards, version: 1.0.0}\n"


@pytest.fixture
def folder(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "api.yaml"

    return write


def test_a_document_of_one_file_is_given_back_as_it_is(folder):
    path = folder(api_dot_yaml=HEAD + "paths: {}\n")
    document = inline_files(path)
    assert document.media == "yaml"
    assert document.data == path.read_bytes()
    assert document.name == str(path)


def test_files_become_components_shared_once(folder):
    path = folder(
        api_dot_yaml=HEAD
        + """\
paths:
  /wards:
    $ref: paths/wards.yaml
  /beds:
    get:
      parameters:
      - $ref: parts/page.yaml
      responses:
        "200": {content: {application/json: {schema: {$ref: schemas/Ward.yaml}}}}
components:
  schemas:
    Ward: {$ref: schemas/Ward.yaml}
""",
        paths__wards_dot_yaml="""\
get:
  parameters:
  - $ref: ../parts/page.yaml
  - $ref: ../api.yaml#/components/parameters/Own
  responses:
    "200":
      $ref: ../parts/answers.yaml#/ok
""",
        parts__page_dot_yaml="{name: page, in: query, schema: {$ref: ../schemas/numbers.yaml#/Page}}\n",
        parts__answers_dot_yaml="""\
ok:
  description: fine
  content: {application/json: {schema: {type: array, items: {$ref: ../schemas/Ward.yaml}}}}
""",
        schemas__Ward_dot_yaml="""\
type: object
properties:
  beds: {$ref: "numbers.yaml#/Page"}
  below: {type: array, items: {$ref: "#"}}
  name: {$ref: "#/$defs/name"}
$defs:
  name: {type: string}
""",
        schemas__numbers_dot_yaml="Page: {type: integer, minimum: 1}\n",
    )
    path.write_text(
        path.read_text() + "  parameters: {Own: {name: own, in: query, schema: {type: string}}}\n"
    )
    document = inline_files(path)
    root = document.root
    assert root["components"]["schemas"] == {
        "Ward": {
            "type": "object",
            "properties": {
                "beds": {"$ref": "#/components/schemas/Page"},
                "below": {"type": "array", "items": {"$ref": "#/components/schemas/Ward"}},
                "name": {"$ref": "#/components/schemas/name"},
            },
            "$defs": {"name": {"type": "string"}},
        },
        "Page": {"type": "integer", "minimum": 1},
        "name": {"type": "string"},
    }
    assert root["components"]["parameters"].keys() == {"Own", "page"}
    assert root["paths"]["/wards"]["get"]["parameters"] == [
        {"$ref": "#/components/parameters/page"},
        {"$ref": "#/components/parameters/Own"},
    ]
    assert root["paths"]["/wards"]["get"]["responses"]["200"] == {"$ref": "#/components/responses/ok"}
    assert root["components"]["responses"]["ok"]["description"] == "fine"
    check_references(root)
    assert document.media == "json"
    assert digest(root) == digest(inline_files(path).root)


def test_places_name_the_file_that_a_person_wrote(folder):
    path = folder(
        api_dot_yaml=HEAD
        + "paths:\n  /a:\n    $ref: a.yaml\ncomponents:\n  schemas:\n    A: {type: string}\n",
        a_dot_yaml="get:\n  responses:\n    '200':\n      content: {application/json: {schema: {$ref: b.json}}}\n",
        b_dot_json='{\n "type": "object",\n "maxProperties": 3\n}',
    )
    document = inline_files(path)
    where = path.parent
    assert document.position("/paths/~1a/get/responses/200") == Place(
        f"{where}/a.yaml", 3, 5, "/paths/~1a/get/responses/200"
    )
    assert document.position("/components/schemas/b/maxProperties").line == 3
    assert document.position("/components/schemas/b/maxProperties").source == f"{where}/b.json"
    assert document.position("/components/schemas/A").source == f"{where}/api.yaml"
    assert document.position("/components/schemas/A").line == 8


def test_whole_maps_and_lists_may_come_from_files(folder):
    path = folder(
        api_dot_yaml=HEAD
        + """\
paths: {$ref: paths.yaml}
components: {schemas: {$ref: schemas.yaml}}
""",
        paths_dot_yaml="/a: {get: {parameters: {$ref: parameters.yaml}, responses: {}}}\n",
        parameters_dot_yaml="- {name: q, in: query, schema: {$ref: 'api.yaml#/components/schemas/Q'}}\n",
        schemas_dot_yaml="Q: {type: string}\n",
    )
    root = inline_files(path).root
    assert root["paths"]["/a"]["get"]["parameters"][0]["schema"] == {"$ref": "#/components/schemas/Q"}
    assert root["components"]["schemas"] == {"Q": {"type": "string"}}


def test_names_do_not_collide_and_follow_the_order_of_the_document(folder):
    path = folder(
        api_dot_yaml=HEAD
        + """\
paths: {}
components:
  schemas:
    Bed: {type: string}
    One: {properties: {a: {$ref: x/Bed.yaml}, b: {$ref: y/Bed.yaml}, c: {$ref: "z/odd name.yaml"}}}
""",
        x__Bed_dot_yaml="{type: integer}",
        y__Bed_dot_yaml="{type: boolean}",
        **{"z__odd name_dot_yaml": "{type: number}"},
    )
    schemas = inline_files(path).root["components"]["schemas"]
    assert list(schemas) == ["Bed", "One", "Bed-2", "Bed-3", "odd-name"]
    assert [schemas[name]["type"] for name in ("Bed", "Bed-2", "Bed-3", "odd-name")] == [
        *("string", "integer", "boolean", "number")
    ]


def test_data_is_not_followed(folder):
    text = HEAD + "paths: {}\ncomponents:\n  schemas:\n    A: {type: object, example: {$ref: absent.json}}\n"
    assert inline_files(folder(api_dot_yaml=text)).root["components"]["schemas"]["A"]["example"] == {
        "$ref": "absent.json"
    }


def test_urns_stay(folder):
    urn = f"{PREFIX}ward:1.0.0:sha256-{'0' * 64}#"
    path = folder(
        api_dot_yaml=HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: a.yaml}}}\n",
        a_dot_yaml=f"properties: {{w: {{$ref: '{urn}'}}}}\n",
    )
    assert inline_files(path).root["components"]["schemas"]["A"]["properties"]["w"] == {"$ref": urn}


def test_discriminator_mappings_are_followed(folder):
    path = folder(
        api_dot_yaml=HEAD
        + """\
paths: {}
components:
  schemas:
    Result:
      oneOf: [{$ref: number.yaml}, {$ref: '#/components/schemas/Text'}]
      discriminator: {propertyName: kind, mapping: {n: number.yaml, t: Text, u: '#/components/schemas/Text'}}
    Text: {type: object}
""",
        number_dot_yaml="type: object\n",
    )
    result = inline_files(path).root["components"]["schemas"]["Result"]
    assert result["discriminator"]["mapping"] == {
        "n": "#/components/schemas/number",
        "t": "Text",
        "u": "#/components/schemas/Text",
    }


def test_schema_files_lose_what_made_them_resources_of_their_own(folder):
    path = folder(
        api_dot_yaml=HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: a.json}, B: {$ref: b.json}}}\n",
        a_dot_json='{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://x.example/a", "items": {"$ref": "#/$defs/i"}, "$defs": {"i": {}}}',
        b_dot_json='{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}',
    )
    schemas = inline_files(path).root["components"]["schemas"]
    assert schemas["A"] == {"items": {"$ref": "#/components/schemas/i"}, "$defs": {"i": {}}}
    assert schemas["B"]["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_bare_schemas_gather_their_definitions(tmp_path):
    (tmp_path / "stay.json").write_text(
        '{"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {"who": {"$ref": "person.json"}}}'
    )
    (tmp_path / "person.json").write_text(
        '{"properties": {"stays": {"items": {"$ref": "stay.json"}}, "parent": {"$ref": "#"}}}'
    )
    root = inline_files(tmp_path / "stay.json").root
    assert root["properties"]["who"] == {"$ref": "#/$defs/person"}
    assert root["$defs"]["person"]["properties"] == {
        "stays": {"items": {"$ref": "#"}},
        "parent": {"$ref": "#/$defs/person"},
    }


def refusal(path, kind=ReferenceRefused, **more):
    with pytest.raises(kind) as caught:
        inline_files(path, **more)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("ref", "what"),
    [
        ("https://elsewhere.example/a.yaml", "network"),
        ("//elsewhere.example/a.yaml", "network"),
        ("file:///etc/hostname", "network"),
        ("/etc/hostname", "relative"),
        ("../outside.yaml", "outside"),
        ("absent.yaml", "cannot be read"),
        ("a.yaml?x=1", "relative"),
        ("sub", "no file"),
        ("a%00.yaml", "relative"),
        ("a.yaml#/absent", "points to nothing"),
        ("a.yaml#anchor", "anchor"),
    ],
)
def test_what_may_not_be_read_is_refused_with_the_place(folder, tmp_path, ref, what):
    path = folder(
        api_dot_yaml=HEAD + f"paths: {{}}\ncomponents:\n  schemas:\n    A:\n      $ref: '{ref}'\n",
        a_dot_yaml="{}",
    )
    (tmp_path / "sub").mkdir()
    (tmp_path.parent / "outside.yaml").write_text("{}")
    error = refusal(path)
    assert what in error.message
    assert error.place == Place(str(path), 6, 5, "/components/schemas/A")


def test_symbolic_links_may_not_lead_out(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.yaml"
    outside.write_text("{type: string}")
    path = folder(
        api_dot_yaml=HEAD
        + "paths: {}\ncomponents: {schemas: {A: {$ref: link.yaml}, B: {$ref: way/secret.yaml}}}\n"
    )
    (path.parent / "link.yaml").symlink_to(outside)
    assert "outside the folder" in refusal(path).message
    (path.parent / "link.yaml").unlink()
    (path.parent / "link.yaml").write_text("{}")
    (path.parent / "way").symlink_to(outside.parent)
    assert "outside the folder" in refusal(path).message


def test_a_wider_folder_may_be_named(tmp_path):
    (tmp_path / "service").mkdir()
    entry = tmp_path / "service" / "api.yaml"
    entry.write_text(HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: ../common.yaml}}}\n")
    (tmp_path / "common.yaml").write_text("{type: string}")
    assert "outside the folder" in refusal(entry).message
    assert inline_files(entry, tmp_path).root["components"]["schemas"]["A"] == {"type": "string"}


def test_faults_in_other_files_name_those(folder):
    path = folder(
        api_dot_yaml=HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: a.yaml}}}\n",
        a_dot_yaml="a: 1\na: 2\n",
    )
    assert refusal(path, DocumentError).place == Place(str(path.parent / "a.yaml"), 2, 1, "/a")


def test_recursion_through_what_is_copied_is_refused(folder):
    path = folder(
        api_dot_yaml=HEAD + "paths: {/a: {$ref: a.yaml}}\n",
        a_dot_yaml="get: {responses: {}, callbacks: {back: {'{$url}': {$ref: a.yaml}}}}\n",
    )
    assert "contains itself" in refusal(path).message


def test_copies_cannot_grow_without_end(folder):
    files = {
        f"p{level}_dot_yaml": "get: {responses: {}, callbacks: {"
        + ", ".join(f"c{n}: {{'{{$u}}': {{$ref: p{level + 1}.yaml}}}}" for n in range(10))
        + "}}\n"
        for level in range(8)
    }
    path = folder(
        api_dot_yaml=HEAD + "paths: {/a: {$ref: p0.yaml}}\n", p8_dot_yaml="get: {responses: {}}\n", **files
    )
    assert "too many nodes" in refusal(path, DocumentError, limits=Limits(nodes=20_000)).message


def test_bytes_are_counted_over_all_files(folder):
    path = folder(
        api_dot_yaml=HEAD + "paths: {}\ncomponents: {schemas: {A: {$ref: a.yaml}}}\n",
        a_dot_yaml="description: " + "x" * 900 + "\n",
    )
    refusal(path, DocumentError, limits=Limits(bytes=900))
    inline_files(path, limits=Limits(bytes=1200))


CORPUS = [
    ("openapi/nhs-bars/booking-and-referral-1.1.0.yaml", None, 250),
    ("openapi/nhs-bars/booking-and-referral-1.2.0.yaml", None, 317),
    ("openapi/nhs-bars/booking-and-referral-1.3.0.yaml", None, 317),
    ("openapi/nhs-pds-multifile/personal-demographics.yaml", None, 174),
    ("openapi/nhs-notify-supplier/openapi.yaml", None, 40),
    ("asyncapi/spec-examples-social-media/backend/asyncapi.yaml", "asyncapi/spec-examples-social-media", 26),
    (
        "asyncapi/spec-examples-social-media/comments-service/asyncapi.yaml",
        "asyncapi/spec-examples-social-media",
        11,
    ),
]


@pytest.mark.corpus
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")
@pytest.mark.parametrize(
    ("name", "root", "references"), CORPUS, ids=[row[0].rpartition("/")[2] for row in CORPUS]
)
def test_real_documents_of_several_files(name, root, references):
    document = inline_files(DATA / name, DATA / root if root else None)
    found = list(sites(document.root))
    assert len(found) == references
    assert all(site.ref.startswith("#") for site in found)


@pytest.mark.corpus
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data is absent")
def test_real_documents_whose_files_are_missing_are_refused():
    error = refusal(DATA / "asyncapi/nhs-notify/supplier-api.yaml")
    assert "cannot be read" in error.message
    assert error.place.pointer.startswith("/components/")
    assert "network" in refusal(DATA / "openapi/hcx/openapi_hcx_notifications.yaml").message
