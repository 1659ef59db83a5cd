"""The JSON Schemas of the specifications, compiled once: documents and schemas are held to them.

OpenAPI's stand in the package openapi-spec-validator; only its data is read, since importing it costs
a second and its own checks name no places (tests/registry/lint/test_oracle.py compares with them).
AsyncAPI's are our own, beside this file.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs

from kernel.schema.dialects import Dialect

OPENAPI_VERSIONS = ("3.0", "3.1", "3.2")
ASYNCAPI_FILES = {"2": "asyncapi-2.6.json", "3.0": "asyncapi-3.0.json", "3.1": "asyncapi-3.0.json"}
_PACKAGE = "openapi_spec_validator"


class MetaSchema:
    """A specification's schema with its validators: for whole documents, and for one type of object."""

    def __init__(self, schema: dict[str, Any], definitions: str) -> None:
        self.schema = schema
        self.definitions = definitions  # "$defs" or "definitions"
        self.document = _compiled(schema)
        self._parts: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def part(self, name: str) -> jsonschema_rs.Draft202012Validator:
        """Give the validator of one definition, such as `parameter`."""
        if name not in self._parts:
            base = {key: self.schema[key] for key in ("$schema", "$id") if key in self.schema}
            ref = {"$ref": f"#/{self.definitions}/{name}"}
            self._parts[name] = _compiled(base | ref | {self.definitions: self.schema[self.definitions]})
        return self._parts[name]


@cache
def openapi(version: str) -> MetaSchema:
    """Give the schema of OpenAPI 3.0, 3.1 or 3.2 ("3.1"), where schemas of another dialect are left alone."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed", name=_PACKAGE)
    path = Path(spec.submodule_search_locations[0]) / "resources" / "schemas" / f"v{version}" / "schema.json"
    schema = json.loads(path.read_bytes())
    if version == "3.0":
        return MetaSchema(_modern(schema), "definitions")
    return MetaSchema(_static(schema), "$defs")


@cache
def asyncapi(file: str) -> MetaSchema:
    """Give our schema of AsyncAPI from one of `ASYNCAPI_FILES`."""
    return MetaSchema(json.loads((Path(__file__).parent / file).read_bytes()), "$defs")


def asyncapi_of(version: str) -> MetaSchema:
    """Give our schema of AsyncAPI for a supported version ("2.6.0", "3.0.0")."""
    return asyncapi(ASYNCAPI_FILES[version[:1] if version.startswith("2") else version[:3]])


_EARLIER: dict[Dialect, tuple[str, Any]] = {
    Dialect.DRAFT_07: ("http://json-schema.org/draft-07/schema#", jsonschema_rs.Draft7Validator),
    Dialect.DRAFT_06: ("http://json-schema.org/draft-06/schema#", jsonschema_rs.Draft6Validator),
    Dialect.DRAFT_04: ("http://json-schema.org/draft-04/schema#", jsonschema_rs.Draft4Validator),
}


@cache
def of_dialect(dialect: Dialect) -> Any:
    """Give the validator of a dialect's meta-schema."""
    if dialect is Dialect.OPENAPI_30:
        return openapi("3.0").part("Schema")
    if dialect in _EARLIER:
        ref, validator = _EARLIER[dialect]
        return validator({"$ref": ref}, offline=True, validate_formats=False)
    return _compiled({"$ref": "https://json-schema.org/draft/2020-12/schema"})


def _compiled(schema: dict[str, Any]) -> Any:
    # Formats are left to the rules and to the schema compiler, which say what is wrong.
    return jsonschema_rs.validator_for(schema, offline=True, validate_formats=False)


def _modern(schema: dict[str, Any]) -> dict[str, Any]:
    """Turn the draft-04 schema of OpenAPI 3.0 into draft-07; a Schema with `$schema` is another dialect's."""

    def lifted(node: Any) -> Any:
        if isinstance(node, list):
            return [lifted(item) for item in node]
        if not isinstance(node, dict):
            return node
        made = {key: lifted(value) for key, value in node.items()}
        if made.get("exclusiveMinimum") is True:
            made["exclusiveMinimum"] = made.pop("minimum")
        return made

    made: dict[str, Any] = lifted(
        {key: value for key, value in schema.items() if key not in ("id", "$schema")}
    )
    own = made["definitions"]["Schema"]
    foreign = {"type": "object", "required": ["$schema"]}
    made["definitions"]["Schema"] = {"if": foreign, "then": True, "else": own}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **made}


def _static(schema: dict[str, Any]) -> dict[str, Any]:
    """Let every Schema Object be any object: schemas are judged one by one, by the dialect of each."""

    def replaced(node: Any) -> Any:
        if isinstance(node, list):
            return [replaced(item) for item in node]
        if isinstance(node, dict):
            if "$dynamicRef" in node:
                return {"$ref": "#/$defs/schema"}
            return {key: replaced(value) for key, value in node.items() if key != "$dynamicAnchor"}
        return node

    made: dict[str, Any] = replaced(schema)
    return made
