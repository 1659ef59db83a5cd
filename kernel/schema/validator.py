"""Schemas compiled once: judge a value in microseconds, say where it fails without saying what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from kernel.contract.positions import token
from kernel.errors import Place, SchemaRefused
from kernel.schema.bundling import Bundle, bundle
from kernel.schema.dialects import Dialect, dialect_of
from kernel.schema.explaining import Explaining, Path
from kernel.schema.lowering import RULE, Direction
from kernel.schema.skim import COMPILED, Skim
from kernel.schema.skimming import skim_of

__all__ = ["CompiledSchema", "Dialect", "Direction", "SchemaViolation", "compile_schema", "dialect_of"]

_OPTIONS: dict[str, Any] = {
    "validate_formats": True,
    "offline": True,
    "pattern_options": jsonschema_rs.RegexOptions(size_limit=64 * 1024 * 1024),
    "email_options": jsonschema_rs.EmailOptions(allow_display_text=False),
}
_UNEXPECTED = (
    jsonschema_rs.ValidationErrorKind.AdditionalProperties,
    jsonschema_rs.ValidationErrorKind.UnevaluatedProperties,
)
_WORTH_A_SKIM: Final = 8  # values of a schema that is in use
_ALL_AT_ONCE = 5_000  # nodes up to which every violation is looked for; beyond, the first


@dataclass(frozen=True, slots=True)
class SchemaViolation:
    """One reason for a refusal: a JSON pointer into the value, and the keyword that it breaks.

    Names that the schema does not know stand as `{key}`, since a key may be health data as any value.
    """

    pointer: str
    keyword: str


class CompiledSchema:
    """A schema ready to judge parsed values (None, bool, int, float, Decimal, str, list, dict).

    `accepts(value)` is the engine's own bound method, so that it costs nothing extra. `exact` is True
    where rounding could change the answer: then numbers are to be read as Decimal (`1.0000…01` is no
    integer); where it is False, doubles will do.
    """

    __slots__ = ("_explaining", "_names", "_schema", "_seen", "_skim", "accepts", "exact")

    accepts: Callable[[Any], bool]

    def __init__(
        self,
        validator: jsonschema_rs.Draft202012Validator,
        bundled: Bundle,
        explaining: Explaining,
    ) -> None:
        self._explaining = explaining
        self._names = bundled.names
        self._schema = bundled.schema
        self._skim: Skim | None = None
        self._seen = 0
        self.accepts = validator.is_valid
        self.exact = bundled.exact

    def conforms(self, data: bytes) -> bool:
        """Whether a text surely is strict JSON and its value conforms, as a skim tells; False says nothing.

        Whoever then finds that it does says so by `missed`.
        """
        if self._skim is None:
            self._seen += 1
            if self._seen == _WORTH_A_SKIM and COMPILED:
                self._skim = skim_of(self._schema)
            return False
        return self._skim.conforms(data)

    def missed(self) -> None:
        """Tell the skim that it did not know a value that conforms."""
        if self._skim is not None:
            self._skim.missed()

    def violations(self, value: Any, limit: int = 16) -> tuple[SchemaViolation, ...]:
        """Say where a value fails, at most `limit` places, the outer ones first; () when it does not.

        A value of more than some thousand nodes gets its first violation only: collecting all of them
        would let a sender buy seconds of work with one request.
        """
        if self.accepts(value):
            return ()
        found: dict[SchemaViolation, None] = {}
        for path, error in self._explaining.errors(value, every=_small(value)):
            found.update(dict.fromkeys(self._places(path, error)))
            if len(found) >= limit:
                break
        return tuple(islice(found, limit)) or (SchemaViolation("", "schema"),)

    def _places(self, path: Path, error: jsonschema_rs.ValidationError | None) -> Iterator[SchemaViolation]:
        if error is None:
            yield SchemaViolation("".join(map(self._step, path)), "schema")
            return
        kind, schema_path = error.kind, error.schema_path
        # The first step of the engine's own path is the part that was looked into.
        pointer = "".join(self._step(step) for step in (*path, *error.instance_path[1:]))
        if len(schema_path) > 1 and schema_path[0] == "$defs" and str(schema_path[1]).startswith(RULE):
            yield SchemaViolation(pointer, str(schema_path[1]).split(":")[1])
        elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            yield SchemaViolation(pointer + self._step(kind.property), "required")
        elif isinstance(kind, _UNEXPECTED):
            yield from (
                SchemaViolation(pointer + self._step(name), kind.name) for name in kind.unexpected[:16]
            )
        else:
            yield SchemaViolation(pointer, kind.name)

    def _step(self, step: str | int) -> str:
        if isinstance(step, int):
            return f"/{step}"
        return token(step) if step in self._names else "/{key}"


def compile_schema(
    schema: Any, *, root: Any, dialect: Dialect, direction: Direction | None = None
) -> CompiledSchema:
    """Compile a schema that stands in `root`, whose references it may use.

    `dialect` is what schemas of the document follow unless they name another by `$schema`. `direction`
    decides what OpenAPI 3.0's readOnly and writeOnly forbid. Raises `SchemaRefused` for what cannot be
    compiled without letting something through: patterns beyond linear time, unknown dialects, references
    that lead nowhere or in a circle, keywords with senseless values.
    """
    bundled = bundle(schema, root=root, dialect=dialect, direction=direction)
    try:
        validator = jsonschema_rs.Draft202012Validator(bundled.schema, **_OPTIONS)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = str(error).partition("\n")[0]
        path = error.instance_path if isinstance(error, jsonschema_rs.ValidationError) else []
        pointer = bundled.place_of(path, root)
        raise SchemaRefused(
            f"the schema is not valid: {reason[:300]}",
            hint="see JSON Schema 2020-12",
            place=Place(pointer=pointer) if pointer is not None else None,
        ) from None
    return CompiledSchema(validator, bundled, Explaining(bundled.schema, _OPTIONS))


def _small(value: Any) -> bool:
    left = _ALL_AT_ONCE
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict | list):
            left -= len(node)
            if left < 0:
                return False
            stack.extend(node.values() if isinstance(node, dict) else node)
    return True
