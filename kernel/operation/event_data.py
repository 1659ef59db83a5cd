"""Holds the data of a server-sent event to the `contentSchema` that an `itemSchema` has for it.

To a JSON Schema validator `contentSchema` is a note (2020-12 Validation, section 8); of an event it is the only word about
what is sent (OpenAPI 3.2, "Server-Sent Event Streams"), so it is asserted here, or refused where it cannot be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.operation.media_types import parse_media_type
from kernel.operation.members import refused
from kernel.operation.shapes import lookup
from kernel.operation.strict_json import violations_in
from kernel.operation.violation import Undecodable, Violation
from kernel.schema.dialects import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.schemas import Direction, Schemas
    from kernel.schema.validator import CompiledSchema

    # Judges an event that its schema accepts; the value is the event, or its data once that is looked into.
    Check = Callable[[Any], tuple[Violation, ...]]

_CONTENT: Final = frozenset({"contentSchema", "contentMediaType", "contentEncoding"})
_CHOICES: Final = ("oneOf", "anyOf")
_NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
# What holds values and no schemas, or applies nothing by itself.
_SILENT: Final = frozenset({"const", "enum", "default", "example", "examples", "$defs", "definitions"})
_NOT_FOLLOWED: Final = frozenset({"contentSchema", "$dynamicRef"})
_DEEPEST: Final = 16  # schemas in one another, references followed
_MOST: Final = 4096  # schemas of one event
_FINE: Final[tuple[Violation, ...]] = ()


class EventData:
    """What an `itemSchema` says of the JSON in an event's data, in whichever of its branches it stands."""

    __slots__ = ("_checks", "_direction", "_left", "_schemas")

    def __init__(self, schema: Any, direction: Direction, pointer: str, schemas: Schemas) -> None:
        """Compile; raises `ContractInvalid` for content that is declared where it would not be asserted."""
        self._schemas = schemas
        self._direction = direction
        self._left = _MOST
        self._checks = self._of(schema, pointer, 0, data=False)

    def check(self, event: dict[str, Any]) -> tuple[Violation, ...]:
        """Judge an event whose fields conform."""
        return _first(self._checks, event)

    def _of(self, schema: Any, pointer: str, depth: int, *, data: bool) -> list[Check]:
        """Give the checks of a schema of the event, or of its data."""
        if not isinstance(schema, dict):
            return []
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            raise refused("the schema of an event has too many parts to look for its content", pointer)
        found = self._content(schema, pointer) if data else []
        if "$ref" in schema and self._schemas.dialect is Dialect.OPENAPI_30:
            schema = {"$ref": schema["$ref"]}  # what stands beside a reference means nothing there
        for key, part in schema.items():
            if key not in _CONTENT or not data:
                found += self._keyword(key, part, pointer, depth, data=data)
        return found

    def _keyword(self, key: str, part: Any, pointer: str, depth: int, *, data: bool) -> list[Check]:
        place = pointer + token(key)
        if key == "$ref":
            node, place = self._referred(part, place)
            return self._of(node, place, depth + 1, data=data)
        if key == "allOf" and isinstance(part, list):
            branches = enumerate(part)
            return [
                one for at, node in branches for one in self._of(node, f"{place}/{at}", depth + 1, data=data)
            ]
        if key in _CHOICES and isinstance(part, list):
            return self._choice(key, part, place, depth, data=data)
        if key == "properties" and not data and isinstance(part, dict):
            return self._fields(part, place, depth)
        self._refuse_hidden(key, part, place)
        return []

    def _fields(self, properties: dict[str, Any], place: str, depth: int) -> list[Check]:
        for name, field in properties.items():
            if name != "data":
                self._refuse_hidden("", field, place + token(name))
        checks = self._of(properties.get("data"), f"{place}/data", depth + 1, data=True)
        return [lambda event: _first(checks, event["data"])] if checks else []

    def _content(self, schema: dict[str, Any], pointer: str) -> list[Check]:
        """Give the check of what stands in a schema of the data itself."""
        declared = schema.get("contentMediaType")
        media = parse_media_type(declared.encode()) if isinstance(declared, str) else None
        if media is not None and media.kind == "json" and "contentEncoding" not in schema:
            place = f"{pointer}/contentSchema"
            return [_Json(self._schemas.compile(schema.get("contentSchema", True), self._direction, place))]
        if "contentSchema" in schema:
            raise refused("the data of an event is read as JSON alone, without a contentEncoding", pointer)
        return []

    def _choice(self, word: str, branches: list[Any], place: str, depth: int, *, data: bool) -> list[Check]:
        options: list[tuple[CompiledSchema | None, list[Check]]] = []
        for index, branch in enumerate(branches):
            checks = self._of(branch, f"{place}/{index}", depth + 1, data=data)
            options.append((self._schemas.compile(branch, self._direction, f"{place}/{index}"), checks))
        return [_Choice(word, options)] if any(checks for _, checks in options) else []

    def _referred(self, reference: Any, pointer: str) -> tuple[Any, str]:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise refused("in the schema of an event, a $ref goes by a JSON pointer", pointer)
        return lookup(self._schemas.root, reference), reference[1:]

    def _refuse_hidden(self, key: str, part: Any, pointer: str) -> None:
        """Refuse content that is declared where nothing asks for it: under `not` or `if`, or of another field."""
        if key in _SILENT:
            return
        if key in _NOT_FOLLOWED or self._mentions(key, part, pointer, set()):
            raise refused(
                "contentSchema is asserted of an event's `data`, also in allOf, anyOf, oneOf and behind $ref,"
                " and nowhere else",
                pointer,
            )

    def _mentions(self, key: str, part: Any, pointer: str, seen: set[str]) -> bool:
        """Whether a content schema stands anywhere in it."""
        self._left -= 1
        if self._left < 0:
            return True
        if key == "$ref":
            node, place = self._referred(part, pointer)
            if place in seen:
                return False
            seen.add(place)
            return self._mentions("", node, place, seen)
        if isinstance(part, list) or (key in _NAMED and isinstance(part, dict)):
            within = part if isinstance(part, list) else list(part.values())
            return any(self._mentions("", one, pointer, seen) for one in within)
        return isinstance(part, dict) and any(
            name in _NOT_FOLLOWED or (name not in _SILENT and self._mentions(name, one, pointer, seen))
            for name, one in part.items()
        )


class _Json:
    """Reads the data as strict JSON, and holds it to a schema (None: any value)."""

    __slots__ = ("_validator",)

    def __init__(self, validator: CompiledSchema | None) -> None:
        self._validator = validator

    def __call__(self, data: str) -> tuple[Violation, ...]:
        try:
            found = violations_in(data.encode(), self._validator)
        except Undecodable:
            return (Violation("body", "/data", "json"),)
        return tuple(Violation("body", f"/data{one.pointer}", one.keyword) for one in found)


class _Choice:
    """Asks for one branch that accepts the value and whose content conforms.

    Of a `oneOf` only one accepts the value, or the schema has refused it before.
    """

    __slots__ = ("_options", "_word")

    def __init__(self, word: str, options: list[tuple[CompiledSchema | None, list[Check]]]) -> None:
        self._word = word
        self._options = options

    def __call__(self, value: Any) -> tuple[Violation, ...]:
        found = []
        for schema, checks in self._options:
            if schema is None or schema.accepts(value):
                violations = _first(checks, value)
                if not violations:
                    return _FINE
                found.append(violations)
        return found[0] if len(found) == 1 else (Violation("body", "/data", self._word),)


def _first(checks: list[Check], value: Any) -> tuple[Violation, ...]:
    for check in checks:
        if found := check(value):
            return found
    return _FINE
