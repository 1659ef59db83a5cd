"""How a body may be carried piece by piece: as bytes that nothing is declared about, or item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.operation.event_data import EventData
from kernel.operation.items import EventCut, ItemBroken, ItemReader, SequenceCut, cut_line, event_of
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.members import mapping, refused
from kernel.operation.reading import UNCHECKED
from kernel.operation.shapes import ANNOTATIONS, dereference, follow
from kernel.operation.strict_json import violations_in
from kernel.operation.violation import RequestProblem, Undecodable, Violation
from kernel.schema.dialects import Dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.items import Cut, Judge
    from kernel.operation.schemas import Direction, Schemas
    from kernel.schema.validator import CompiledSchema

_EVENTS: Final = "text/event-stream"
_SEQUENCE: Final = "json-seq"
_EVENT_STREAM: Final = MediaType(_EVENTS)
_NO_VIOLATIONS: Final[tuple[Violation, ...]] = ()


class Flow:
    """What may pass without being held as a whole; `judge` None: any bytes, for nothing is declared."""

    __slots__ = ("_cut", "judge")

    def __init__(self, cut: Callable[[], Cut] | None = None, judge: Judge | None = None) -> None:
        self._cut = cut
        self.judge = judge

    def reader(
        self, most: int, observe: Callable[[tuple[Violation, ...]], None] | None = None
    ) -> ItemReader | None:
        """Make a reader for one body whose items have at most `most` bytes; None where nothing is read."""
        if self._cut is None or self.judge is None:
            return None
        return ItemReader(self._cut(), self.judge, most, observe)

    def check(self, data: bytes) -> RequestProblem | None:
        """Judge a body that is whole."""
        reader = self.reader(len(data))
        try:
            if reader is not None:
                reader.feed(data)
                reader.finish()
        except ItemBroken as error:
            return RequestProblem(error.slug, error.violations)
        return None


OPAQUE: Final = Flow()


def flow_of_items(essence: str, judge_json: Judge, judge_event: Judge) -> Flow:
    """Give the flow of a sequential media type."""
    if essence == _EVENTS:
        return Flow(EventCut, judge_event)
    if essence.endswith(_SEQUENCE):
        return Flow(SequenceCut, judge_json)
    return Flow(lambda: cut_line, judge_json)


class ItemRule:
    """An `itemSchema`, compiled: judges the text of an item, or an event by its fields and its data."""

    __slots__ = ("_data", "_validator")

    def __init__(
        self, schema: Any, direction: Direction, pointer: str, schemas: Schemas, media: MediaType
    ) -> None:
        """Compile for bodies of a type or range; raises `ContractInvalid` as `EventData` does."""
        self._validator = schemas.compile(schema, direction, pointer)
        self._data = EventData(schema, direction, pointer, schemas) if media.covers(_EVENT_STREAM) else None

    def flow(self, essence: str) -> Flow:
        """Give the flow of a sequential media type whose items these are."""
        return flow_of_items(essence, self.judge_json, self.judge_event)

    def judge_json(self, text: bytes) -> tuple[Violation, ...]:
        """Judge one JSON text."""
        return judge_json(self._validator, text)

    def judge_event(self, text: bytes) -> tuple[Violation, ...]:
        """Judge one event by its fields, and its data by the `contentSchema` that the schema has for it."""
        event = event_of(text)
        if event is None:
            return _NO_VIOLATIONS
        found = judge_value(self._validator, event)
        return found or (_NO_VIOLATIONS if self._data is None else self._data.check(event))


def judge_json(validator: CompiledSchema | None, text: bytes) -> tuple[Violation, ...]:
    """Judge one JSON text by a schema (None: any value)."""
    try:
        found = violations_in(text, validator)
    except Undecodable as error:
        return (Violation("body", "", error.keyword),)
    return tuple(Violation("body", one.pointer, one.keyword) for one in found)


def judge_value(validator: CompiledSchema | None, value: Any) -> tuple[Violation, ...]:
    """Judge a decoded value by a schema (None: any value)."""
    if validator is None or validator.accepts(value):
        return _NO_VIOLATIONS
    return tuple(Violation("body", one.pointer, one.keyword) for one in validator.violations(value))


def item_schema(spec: dict[str, Any], pointer: str, schemas: Schemas) -> tuple[Any, str] | None:
    """Give the schema of each item and where it stands; None where the contract declares none.

    Raises `ContractInvalid` where both are declared: a sequence is held to its items, never to a whole.

    In OpenAPI 3.2 `schema` speaks of the whole sequence as an array, so that one which only says what the
    elements are is the same as `itemSchema`.
    """
    if "itemSchema" in spec:
        if spec.get("schema", True) is not True:
            raise refused(
                "beside an itemSchema, a schema of the whole would not be asked", f"{pointer}/schema"
            )
        return spec["itemSchema"], f"{pointer}/itemSchema"
    whole, place = follow(schemas.root, spec.get("schema"), f"{pointer}/schema")
    modern = schemas.dialect is Dialect.OPENAPI_31 and str(schemas.root.get("openapi")).startswith("3.2")
    plain = isinstance(whole, dict) and not whole.keys() - ANNOTATIONS - {"type", "items"}
    if modern and plain and whole.get("type") == "array" and "items" in whole:
        return whole["items"], f"{place}/items"
    return None


def may_flow(root: Any, content: Any) -> bool:
    """Whether any of the declared contents may be carried piece by piece; compiles nothing."""
    for key, declared in mapping(content, "").items():
        spec = dereference(root, declared)
        media = parse_range(key, "")
        if media.kind in {"stream", "binary"} or media.is_range:
            return True
        if isinstance(spec, dict) and spec.get(UNCHECKED) is True:
            return True
        schema = spec.get("schema", True) if isinstance(spec, dict) else True
        plain = dereference(root, schema)
        if media.kind != "json" and (plain is True or (isinstance(plain, dict) and "type" not in plain)):
            return True
    return False
