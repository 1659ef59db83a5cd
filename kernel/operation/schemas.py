"""The schemas of one contract, each compiled once however often it is referenced."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from kernel.errors import Place, SchemaRefused
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference
from kernel.schema.validator import compile_schema

if TYPE_CHECKING:
    from kernel.operation.limits import OperationLimits
    from kernel.schema.dialects import Dialect
    from kernel.schema.validator import CompiledSchema

Direction = Literal["request", "response"]
# Gives the validator of a schema of the document that was compiled elsewhere already, None where none was.
Known = Callable[[Any, "Dialect", Direction], "CompiledSchema | None"]


class Schemas:
    """Compiles schemas of `root`; what is reached by the same `$ref` or is the same node is shared."""

    __slots__ = ("_compiled", "_kept", "_known", "answers", "dialect", "limits", "root")

    def __init__(
        self, root: Any, dialect: Dialect, limits: OperationLimits, known: Known | None = None
    ) -> None:
        self.root = root
        self.dialect = dialect
        self.limits = limits
        self._known = known
        self.answers: dict[str, Any] = {}  # compiled Response Objects by their pointers; answers.py fills it
        self._kept: list[Any] = []  # nodes of our own making, whose ids must stay theirs
        # The node itself is kept beside, so that its id stays its own.
        self._compiled: dict[tuple[int | str, Direction], tuple[Any, CompiledSchema | None]] = {}

    def shape(self, schema: Any) -> Shape:
        """Give what decoders need to know of a schema."""
        return Shape(self.root, (schema,))

    def compile(self, schema: Any, direction: Direction, pointer: str) -> CompiledSchema | None:
        """Compile the schema that stands at `pointer`; None for one that admits everything.

        Raises `SchemaRefused` with a pointer into the document.
        """
        if schema is True or (isinstance(schema, dict) and not schema.keys() - ANNOTATIONS):
            return None
        key: tuple[int | str, Direction] = (id(schema), direction)
        if isinstance(schema, dict) and schema.keys() == {"$ref"} and isinstance(schema["$ref"], str):
            key = (schema["$ref"], direction)
        if key not in self._compiled:
            try:
                made = self._compile(schema, direction)
            except SchemaRefused as error:
                raise self._placed(error, direction, pointer) from None
            self._compiled[key] = (schema, made)
        return self._compiled[key][1]

    def compile_scalar(self, schema: Any, direction: Direction, pointer: str) -> CompiledSchema | None:
        """Compile what decoding by type leaves to judge; None when the type was all there is."""
        plain = dereference(self.root, schema)
        if isinstance(plain, dict) and plain.keys() - ANNOTATIONS <= {"type", "nullable"}:
            return None
        return self.compile(schema, direction, pointer)

    def first_fitting(self, shape: Shape, candidates: list[Any]) -> Any:
        """Choose among the readings of one piece of text: the first that its own schema admits, else the first.

        The judge is made when it is needed for the first time, and kept by the shape.
        """
        if len(candidates) == 1:
            return candidates[0]
        if shape.accepts is None:
            either = shape.schemas[0] if len(shape.schemas) == 1 else {"anyOf": list(shape.schemas)}
            made = self.compile(either, "request", "")
            self._kept.append(either)
            shape.accepts = made.accepts if made is not None else _anything
        return next(filter(shape.accepts, candidates), candidates[0])

    def _compile(self, schema: Any, direction: Direction) -> CompiledSchema:
        found = self._known(schema, self.dialect, direction) if self._known is not None else None
        return found or compile_schema(schema, root=self.root, dialect=self.dialect, direction=direction)

    def _placed(self, error: SchemaRefused, direction: Direction, pointer: str) -> SchemaRefused:
        """Say the place in the document: a schema compiled by itself counts pointers from itself."""
        try:
            self._compile({"$ref": "#" + quote(pointer, safe="/~{}+:@")}, direction)
        except SchemaRefused as found:
            if found.place is not None and found.place.pointer:
                return found
        return SchemaRefused(error.message, hint=error.hint, place=Place(pointer=pointer))


def _anything(_value: Any) -> bool:
    return True
