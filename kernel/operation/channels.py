"""What may pass on a channel of an event contract: its messages by their way, each judged by its schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from kernel.operation.flows import judge_json, judge_value
from kernel.operation.limits import OperationLimits
from kernel.operation.media_types import parse_media_type
from kernel.operation.members import refused
from kernel.operation.schemas import Schemas
from kernel.operation.violation import Violation
from kernel.schema.dialects import Dialect

if TYPE_CHECKING:
    from kernel.schema.validator import CompiledSchema

Way = Literal["inbound", "outbound"]  # from the consumer to the provider, and back
_UNDECLARED: Final = (Violation("body", "", "undeclared"),)
_KIND: Final = (Violation("body", "", "message"),)


@dataclass(frozen=True, slots=True)
class Payload:
    """One declared message: where its schema stands, in which dialect, and how it is written."""

    schema: Any
    pointer: str
    dialect: Dialect
    content_type: str


@dataclass(slots=True, eq=False)
class Channel:
    """What may pass on one channel; validators are made on first use or by `prepare`.

    `inbound` is what the consumer may send, `outbound` what the provider may; `sockets` and `events` say
    which of the two ways the contract offers.
    """

    id: str
    sockets: bool
    events: bool
    inbound: tuple[Payload, ...]
    outbound: tuple[Payload, ...]
    _root: Any
    _limits: OperationLimits
    _judges: dict[Way, tuple[_Judge, ...]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Compile all messages; raises `ContractInvalid` or `SchemaRefused`."""
        self._compiled("inbound")
        self._compiled("outbound")

    def check(self, way: Way, data: bytes, *, text: bool) -> tuple[Violation, ...]:
        """Judge one message; it must be one of those that are declared for its way.

        Of several candidates none is said to be the one that was meant: the keyword is `message` then.
        """
        judges = self._compiled(way)
        found: tuple[Violation, ...] = _UNDECLARED
        for judge in judges:
            found = judge.check(data, text=text)
            if not found:
                return ()
        return found if len(judges) < 2 else _KIND  # noqa: PLR2004 - one candidate was meant

    def _compiled(self, way: Way) -> tuple[_Judge, ...]:
        if way not in self._judges:
            payloads = self.inbound if way == "inbound" else self.outbound
            self._judges[way] = tuple(_Judge(payload, self._root, self._limits) for payload in payloads)
        return self._judges[way]


class _Judge:
    """Judges messages of one kind: JSON, text of a string schema, or octets."""

    def __init__(self, payload: Payload, root: Any, limits: OperationLimits) -> None:
        media = parse_media_type(payload.content_type.encode("latin-1", "replace"))
        if media is None or media.kind not in {"json", "text", "binary"}:
            raise refused("a message of this content type cannot be checked", payload.pointer)
        self._kind = media.kind
        schemas = Schemas(root, payload.dialect, limits)
        self._validator: CompiledSchema | None = schemas.compile(payload.schema, "request", payload.pointer)

    def check(self, data: bytes, *, text: bool) -> tuple[Violation, ...]:
        if self._kind == "json":
            return judge_json(self._validator, data)
        if self._kind == "binary":
            return _KIND if text else ()
        if not text:
            return _KIND
        return judge_value(self._validator, data.decode())
