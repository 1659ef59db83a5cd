"""The schemas of one contract, each compiled once however often it is referenced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from kernel.operation.shapes import ANNOTATIONS, Shape, dereference

if TYPE_CHECKING:
    from kernel.operation.limits import OperationLimits
    from kernel.schema.dialects import Dialect
    from kernel.schema.validator import CompiledSchema

Direction = Literal["request", "response"]


class Schemas:
    """Compiles schemas of `root`; what is reached by the same `$ref` or is the same node is shared."""

    __slots__ = ("_compiled", "dialect", "limits", "root")

    def __init__(self, root: Any, dialect: Dialect, limits: OperationLimits) -> None:
        self.root = root
        self.dialect = dialect
        self.limits = limits
        # The node itself is kept beside, so that its id stays its own.
        self._compiled: dict[tuple[int | str, Direction], tuple[Any, CompiledSchema | None]] = {}

    def shape(self, schema: Any) -> Shape:
        """Give what decoders need to know of a schema."""
        return Shape(self.root, (schema,))

    def compile(self, schema: Any, direction: Direction) -> CompiledSchema | None:
        """Compile a schema; None for one that admits everything. Raises `SchemaRefused`."""
        if schema is True or not schema.keys() - ANNOTATIONS if isinstance(schema, dict) else schema is True:
            return None
        key: tuple[int | str, Direction] = (id(schema), direction)
        if isinstance(schema, dict) and schema.keys() == {"$ref"}:
            key = (schema["$ref"], direction)
        if key not in self._compiled:
            from kernel.schema.validator import compile_schema  # noqa: PLC0415 - until kernel.schema stands

            made = compile_schema(schema, root=self.root, dialect=self.dialect, direction=direction)
            self._compiled[key] = (schema, made)
        return self._compiled[key][1]

    def compile_scalar(self, schema: Any, direction: Direction) -> CompiledSchema | None:
        """Compile what decoding by type leaves to judge; None when the type was all there is."""
        plain = dereference(self.root, schema)
        if isinstance(plain, dict) and plain.keys() - ANNOTATIONS <= {"type", "nullable"}:
            return None
        return self.compile(schema, direction)
