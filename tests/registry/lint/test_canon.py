"""Copies of canonical schemas are found by proof, names that drift by the vocabulary; the house keeps its own rules."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.lint.canon import Canon
from registry.lint.checking import Beside, check_path
from registry.lint.document import House, lint

ROOT = Path(__file__).resolve().parents[3]
CONTRACTS = ROOT / "contracts"
HOUSE = House(canon=Beside(CONTRACTS / "lab-orders" / "1.1.0").canon())
FOLDERS = sorted(path.parent for path in CONTRACTS.glob("*/*/meta.yaml"))


def api(schemas: dict[str, Any]) -> dict[str, Any]:
    info = {"title": "Orders", "version": "1.0.0", "description": "Orders.", "contact": {"name": "Lab"}}
    return {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas}}


def told(schemas: dict[str, Any], rule: str) -> list[tuple[str, str]]:
    return [(one.pointer, one.what) for one in lint(api(schemas), "openapi", house=HOUSE) if one.rule == rule]


def identity(name: str = "identifier") -> Any:
    return json.loads((CONTRACTS / "patient-identity" / "1.0.0" / "schema.json").read_text())["$defs"][name]


@pytest.mark.parametrize("folder", FOLDERS, ids=[str(path.relative_to(CONTRACTS)) for path in FOLDERS])
def test_the_house_keeps_its_own_rules(folder: Path) -> None:
    found = check_path(folder)
    assert [(one.rule, one.pointer) for one in found if one.severity != "info"] == []


def test_the_canon_is_read_from_the_folders_beside() -> None:
    assert [one.title for one in HOUSE.canon.schemas] == [
        "lab-order 1.0.0", "lab-result 1.0.0", "observation 1.0.0", "patient-identity 1.0.0",
    ]  # fmt: skip
    order = (CONTRACTS / "lab-orders" / "1.1.0" / "openapi.yaml").read_text()
    assert HOUSE.canon.schemas[0].urn in order
    assert "birthDate" in HOUSE.canon.vocabulary["birthdate"]
    assert [one.name for one in HOUSE.canon.without("observation").schemas][-1] == "patient-identity"


def test_a_copy_is_found_however_it_is_written() -> None:
    whole = json.loads((CONTRACTS / "patient-identity" / "1.0.0" / "schema.json").read_text())
    definitions = whole.pop("$defs")
    del whole["$schema"]
    text = json.dumps({"Person": whole, **definitions}).replace("#/$defs/", "#/components/schemas/")
    schemas = json.loads(text)
    person = schemas["Person"]
    person["description"] = "Our own words."
    person["properties"] = dict(reversed(person["properties"].items()))
    person["properties"]["deceased"] = {"enum": [True, False]}  # what `type: boolean` says, in other words
    found = dict(told(schemas, "schema-copied"))
    assert "patient-identity 1.0.0" in found["/components/schemas/Person"]


def test_what_takes_other_values_is_no_copy() -> None:
    whole = json.loads((CONTRACTS / "patient-identity" / "1.0.0" / "schema.json").read_text())
    definitions = whole.pop("$defs")
    del whole["$schema"]
    schemas = json.loads(
        json.dumps({"Person": whole, **definitions}).replace("#/$defs/", "#/components/schemas/")
    )
    schemas["Person"]["properties"]["deceased"] = {"type": "string"}
    assert "/components/schemas/Person" not in dict(told(schemas, "schema-copied"))
    assert "/components/schemas/Person" in dict(told(schemas, "schema-diverged"))


def test_a_reference_to_the_canonical_schema_is_no_copy() -> None:
    found = check_path(CONTRACTS / "lab-orders" / "1.1.0")
    assert {one.rule for one in found} & {"schema-copied", "schema-diverged", "name-drift"} == set()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("birth_date", "birthDate"), ("BirthDate", "birthDate"), ("birthdate", "birthDate"), ("identifers", "identifiers"),
        ("birthDate", None), ("identifier", None), ("ward", None), ("orders", None), ("_birthDate", None), ("value", None),
        ("birthPlace", None),
    ],
)  # fmt: skip
def test_names_that_drift_from_the_canon(name: str, meant: str | None) -> None:
    found = told({"Thing": {"type": "object", "properties": {name: {"type": "integer"}}}}, "name-drift")
    assert [what.split("`")[3] for _, what in found] == ([meant] if meant else [])


def test_without_a_canon_nothing_drifts() -> None:
    root = api({"Thing": {"type": "object", "properties": {"birth_date": {"type": "integer"}}}})
    assert "name-drift" not in {one.rule for one in lint(root, "openapi", house=House(canon=Canon()))}


def test_a_folder_of_contracts_is_its_own_canon(tmp_path: Path) -> None:
    ward = {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Ward", "type": "object",
        "properties": {"wardKind": {"type": "integer"}, "floor": {"type": "integer"}, "beds": {"type": "integer"}},
    }  # fmt: skip
    for version, properties in (("1.0.0", {}), ("1.1.0", {"building": {"type": "integer"}})):
        home = tmp_path / "ward" / version
        home.mkdir(parents=True)
        schema = {**ward, "properties": {**ward["properties"], **properties}}  # type: ignore[dict-item]
        (home / "schema.json").write_text(json.dumps(schema))
    orders = tmp_path / "orders" / "1.0.0"
    orders.mkdir(parents=True)
    copy = {**ward["properties"], "building": {"type": "integer"}}  # type: ignore[dict-item]
    (orders / "openapi.yaml").write_text(
        yaml.safe_dump(
            api({"Place": {"type": "object", "properties": copy}, "B": {"properties": {"ward_kind": {}}}})
        )
    )
    found = {one.rule: one for one in check_path(orders / "openapi.yaml")}
    assert "ward 1.1.0" in found["schema-copied"].what
    assert found["name-drift"].what == "`ward_kind` is `wardKind` in ward 1.1.0"
    assert {one.rule for one in check_path(tmp_path / "ward" / "1.0.0")} & {
        "name-drift",
        "schema-copied",
    } == set()
