"""The formats of documents by which rules are chosen, under the names that Spectral gives them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from registry.lint.spectral.faults import Refused

Test = Callable[[dict[str, Any]], bool]
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_DRAFTS = {
    "json-schema-draft4": "draft-04/schema",
    "json-schema-draft6": "draft-06/schema",
    "json-schema-draft7": "draft-07/schema",
    "json-schema-draft-2019-09": "draft/2019-09/schema",
    "json-schema-2019-09": "draft/2019-09/schema",
    "json-schema-draft-2020-12": "draft/2020-12/schema",
    "json-schema-2020-12": "draft/2020-12/schema",
}


def _says(key: str, pattern: str) -> Test:
    compiled = re.compile(pattern)
    return lambda root: key in root and compiled.fullmatch(str(root[key])) is not None


def _schema(root: dict[str, Any]) -> bool:
    return isinstance(root.get("$schema"), str) and "//json-schema.org/" in root["$schema"]


def _loose_schema(root: dict[str, Any]) -> bool:
    kinds = root.get("type")
    named = (
        kinds in _TYPES
        if isinstance(kinds, str)
        else isinstance(kinds, list) and set(map(str, kinds)) <= _TYPES
    )
    combined = any(isinstance(root.get(key), dict | list) for key in ("allOf", "oneOf", "anyOf", "not", "if"))
    return _schema(root) or named or isinstance(root.get("enum"), list) or combined


def _draft(end: str) -> Test:
    return lambda root: _schema(root) and root["$schema"].rstrip("#").endswith(end)


FORMATS: dict[str, Test] = {
    "oas2": _says("swagger", r"2(\..*)?"),
    "oas3": _says("openapi", r"3(\D.*)?"),
    **{f"oas3{mark}{n}": _says("openapi", rf"3\.{n}(\.[0-9]*)?") for n in range(3) for mark in "._"},
    "asyncapi2": _says("asyncapi", r"2\.\d+\.\d+"),
    "aas2": _says("asyncapi", r"2\.\d+\.\d+"),
    "aas3": _says("asyncapi", r"3\.\d+\.\d+"),
    **{f"aas2{mark}{n}": _says("asyncapi", rf"2\.{n}\.\d+") for n in range(7) for mark in "._"},
    **{f"aas3{mark}{n}": _says("asyncapi", rf"3\.{n}\.\d+") for n in range(2) for mark in "._"},
    "asyncapi3": _says("asyncapi", r"3\.\d+\.\d+"),
    "json-schema": _schema,
    "json-schema-loose": _loose_schema,
    **{name: _draft(end) for name, end in _DRAFTS.items()},
}


def checked(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give the names back; raises `Refused` for a format that is not known."""
    for name in names:
        if name not in FORMATS:
            raise Refused(f"the format `{name[:60]}` is not known", f"the formats are {', '.join(FORMATS)}")
    return names


def formats_of(root: Any) -> frozenset[str]:
    """Name the formats that a document has."""
    return frozenset(name for name, test in FORMATS.items() if isinstance(root, dict) and test(root))
