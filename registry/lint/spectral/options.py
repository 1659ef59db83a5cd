"""What the core functions of Spectral may be told: one JSON Schema for each, as Spectral's own option schemas say."""

from __future__ import annotations

import difflib
from typing import Any

import jsonschema_rs

from registry.lint.spectral.faults import Refused

CASES = ("flat", "camel", "pascal", "kebab", "cobol", "snake", "macro")
DIALECTS = ("auto", "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12")
_PROPERTIES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["properties"],
    "properties": {"properties": {"type": "array", "items": {"type": "string"}, "minItems": 2}},
}
_PATTERNS = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {"match": {"type": "string"}, "notMatch": {"type": "string"}},
}
_NONE: dict[str, Any] = {"type": "null"}
OPTIONS: dict[str, dict[str, Any]] = {
    "truthy": _NONE,
    "falsy": _NONE,
    "defined": _NONE,
    "undefined": _NONE,
    "typedEnum": _NONE,
    "alphabetical": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {"keyedBy": {"type": "string"}},
    },
    "casing": {
        "type": "object",
        "additionalProperties": False,
        "required": ["type"],
        "properties": {
            "type": {"enum": list(CASES)},
            "disallowDigits": {"type": "boolean"},
            "separator": {
                "type": "object",
                "additionalProperties": False,
                "required": ["char"],
                "properties": {
                    "char": {"type": "string", "maxLength": 1},
                    "allowLeading": {"type": "boolean"},
                },
            },
        },
    },
    "enumeration": {
        "type": "object",
        "additionalProperties": False,
        "required": ["values"],
        "properties": {
            "values": {"type": "array", "items": {"type": ["string", "number", "null", "boolean"]}}
        },
    },
    "length": {
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
    },
    "pattern": _PATTERNS,
    "or": _PROPERTIES,
    "xor": _PROPERTIES,
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["schema"],
        "properties": {
            "schema": {"type": "object"},
            "dialect": {"enum": list(DIALECTS)},
            "allErrors": {"type": "boolean"},
        },
    },
    "unreferencedReusableObject": {
        "type": "object",
        "additionalProperties": False,
        "required": ["reusableObjectsLocation"],
        "properties": {"reusableObjectsLocation": {"type": "string", "pattern": "^#(/|$)"}},
    },
}
_OURS = frozenset({"refSiblings"})  # functions that only rulesets of Interlock may use
_VALIDATORS = {name: jsonschema_rs.Draft202012Validator(schema) for name, schema in OPTIONS.items()}


def check_options(name: str, options: Any, *, ours: bool = False) -> None:
    """Hold the options of a function to its schema; raises `Refused`, also for a function that is not known."""
    if name in _OURS and ours and options is None:
        return
    if name not in OPTIONS:
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        raise Refused(
            f"the function `{name[:60]}` is not known" + (f"; did you mean `{near[0]}`?" if near else ""),
            f"functions of your own are not run; the core functions are {', '.join(OPTIONS)}",
        )
    error = next(iter(_VALIDATORS[name].iter_errors(options)), None)
    if error is not None:
        where = "".join(f".{step}" for step in error.instance_path)
        raise Refused(
            f"the function `{name}` cannot be told this: functionOptions{where}: {error.message[:200]}"
        )
