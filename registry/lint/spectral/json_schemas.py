"""The function `schema`: values held to a JSON Schema that stands in the ruleset, patterns in linear time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs

from kernel.errors import InterlockError
from kernel.schema.bundling import bundle
from kernel.schema.dialects import Dialect
from registry.lint.spectral.faults import Refused

MOST_FAULTS = 200  # of one value
_URIS = {
    "http://json-schema.org/draft-04/schema": "draft4",
    "http://json-schema.org/draft-06/schema": "draft6",
    "http://json-schema.org/draft-07/schema": "draft7",
    "https://json-schema.org/draft/2019-09/schema": "draft2019-09",
    "https://json-schema.org/draft/2020-12/schema": "draft2020-12",
}
# Drafts that the kernel brings into 2020-12 with ECMA's patterns; the others run as they are written.
_LOWERED = {"draft7": Dialect.DRAFT_07, "draft2020-12": Dialect.DRAFT_2020_12}
_PLAIN = {
    "draft4": jsonschema_rs.Draft4Validator,
    "draft6": jsonschema_rs.Draft6Validator,
    "draft2019-09": jsonschema_rs.Draft201909Validator,
}
_OPTIONS: dict[str, Any] = {
    "validate_formats": True,
    "offline": True,
    "pattern_options": jsonschema_rs.RegexOptions(size_limit=16 * 1024 * 1024),
}
Judge = Callable[[Any], Iterator[tuple[str, tuple[str | int, ...]]]]


def schema_faults(schema: dict[str, Any], dialect: str, *, every: bool) -> Judge:
    """Give a function that says what is wrong with a value, and where; raises `Refused` for what cannot be run.

    Without `every` the first fault alone is told, as ajv stops at it.
    """
    chosen = _dialect_of(schema) if dialect == "auto" else dialect
    validator = _compiled(schema, chosen)

    def judge(value: Any) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        for count, error in enumerate(validator.iter_errors(value)):
            if count >= (MOST_FAULTS if every else 1):
                return
            yield str(error.message)[:300], tuple(error.instance_path)

    return judge


def _dialect_of(schema: dict[str, Any]) -> str:
    said = schema.get("$schema")
    if not isinstance(said, str) or "//json-schema.org/" not in said:
        return "draft7"
    found = _URIS.get(
        said.rstrip("#").replace("http://json-schema.org/draft/20", "https://json-schema.org/draft/20")
    )
    if found is None:
        raise Refused(
            f"the dialect {said[:120]} is not known", "write draft-04, -06, -07, 2019-09 or 2020-12"
        )
    return found


def _compiled(schema: dict[str, Any], dialect: str) -> Any:
    try:
        if dialect in _LOWERED:
            lowered = bundle(schema, root=schema, dialect=_LOWERED[dialect], direction=None).schema
            return jsonschema_rs.Draft202012Validator(lowered, **_OPTIONS)
        return _PLAIN[dialect](schema, **_OPTIONS)
    except InterlockError as error:
        raise Refused(f"the schema is not taken: {error.message}", error.hint) from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise Refused(f"the schema is not taken: {str(error).splitlines()[0][:200]}") from None
