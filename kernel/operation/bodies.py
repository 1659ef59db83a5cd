"""The declared contents of a request or answer: choose by Content-Type, decode strictly, validate.

What is declared is checked, or refused at freeze: an operation never passes a body whose media type nobody
declared, and one that cannot be looked into only where the contract itself says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import token
from kernel.errors import ContractInvalid
from kernel.operation.flows import OPAQUE, Flow, ItemRule, item_schema
from kernel.operation.media_types import MediaType, parse_media_type, parse_range
from kernel.operation.members import mapping, refused
from kernel.operation.reading import UNCHECKED, UNREAD, Reading, opaque
from kernel.operation.shapes import ANNOTATIONS, follow
from kernel.operation.strict_json import violations_in
from kernel.operation.unchecked import unchecked
from kernel.operation.violation import ProblemSlug, RequestProblem, Undecodable, Violation

if TYPE_CHECKING:
    from kernel.operation.reading import Reader
    from kernel.operation.schemas import Direction, Schemas
    from kernel.schema.validator import CompiledSchema, SchemaViolation

# Spellings seen in the wild that need no parsing; each is resolved at compile time by the one parser.
_SPELLINGS: Final = (b"", b"; charset=utf-8", b";charset=utf-8", b"; charset=UTF-8", b";charset=UTF-8")

_BRANCH_BYTES: Final = 2 * 1024 * 1024  # read again for the branches of one schema, all of them together
_UNFIT: Final = frozenset(
    {"type", "element"}
)  # said of text that could be read, and is no value of the schema
UNDECLARED: Final = RequestProblem("media-type-unsupported", (Violation("body", "", "media-type"),))


class Content:
    """One entry of a `content` object: a media range, its schema, and a reader for each kind of type."""

    __slots__ = (
        "_branches",
        "_direction",
        "_items",
        "_pointer",
        "_readers",
        "_reading",
        "_schema",
        "_schemas",
        "exact",
        "findings",
        "range",
        "shape",
        "unchecked",
        "validator",
    )

    def __init__(
        self, media: MediaType, spec: Any, pointer: str, schemas: Schemas, direction: Direction
    ) -> None:
        spec = mapping(spec, pointer)
        self.range = media
        self.findings: list[Finding] = []
        self._pointer = pointer
        self._schemas, self._direction = schemas, direction
        self._schema = spec.get("schema", True)
        if "itemSchema" in spec and "schema" not in spec and media.kind == "multipart":
            self._schema = {"type": "array", "items": spec["itemSchema"]}
        self.unchecked = spec.get(UNCHECKED) is True
        self.shape = schemas.shape(self._schema)
        self.validator = schemas.compile(self._schema, direction, f"{pointer}/schema")
        self.exact = getattr(self.validator, "exact", False)
        self._reading = Reading(spec, self._schema, pointer, schemas, self._assumed, exact=self.exact)
        items = None if self.unchecked else item_schema(spec, pointer, schemas)
        self._items = None if items is None else ItemRule(items[0], direction, items[1], schemas, media)
        self._readers: dict[str, Reader | None] = {}
        self._branches: dict[str, list[tuple[Reader, CompiledSchema | None]]] = {}
        if self.unchecked:
            self._note("content-unchecked", "the contract says that the content is not checked")
        if not media.is_range:
            self._readers[media.essence] = self._choose(media)

    def check(self, media: MediaType, data: bytes) -> RequestProblem | None:
        """Judge the bytes of a body that belongs to this range."""
        essence = media.essence
        if self._items is not None and media.kind == "stream" and not self.unchecked:
            return self._items.flow(essence).check(data)
        if essence not in self._readers:
            self._learn(media)
        reader = self._readers[essence]
        if reader is None:
            return UNDECLARED
        try:
            value = reader(media, data)
        except Undecodable as error:
            problem: RequestProblem | None = _undecoded(error)
        else:
            problem = None if value is UNREAD else self.judge(value)
        if problem is not None and self._fits_branch(media, data):
            return None
        return problem

    def _fits_branch(self, media: MediaType, data: bytes) -> bool:
        """Whether text conforms when it is typed as one branch of the schema has it, and not as all of them.

        That branch must take what was read as its own: what it does not name was read without its type, so
        that no other branch may speak for it.
        """
        branches = self._branches.get(media.essence, ())
        if len(data) * len(branches) > _BRANCH_BYTES:
            return False
        for reader, own in branches:
            try:
                value = reader(media, data)
                if (own is None or own.accepts(value)) and self.judge(value) is None:
                    return True
            except Undecodable:
                continue
        return False

    def check_json(self, data: bytes) -> RequestProblem | None:
        """Judge a body that is known to be JSON in UTF-8: the way of nearly every call."""
        try:
            found = violations_in(data, self.validator)
        except Undecodable as error:
            return _undecoded(error)
        return _invalid(found) if found else None

    def judge(self, value: Any) -> RequestProblem | None:
        """Judge a decoded value."""
        validator = self.validator
        if validator is None or validator.accepts(value):
            return None
        return _invalid(validator.violations(value))

    def _learn(self, media: MediaType) -> None:
        """Choose the reader for a type that a range was asked for; none where the schema has no form in it."""
        if len(self._readers) > 64:  # noqa: PLR2004 - few types are asked for, or an attacker asks
            self._readers.clear()
            self._branches.clear()
        try:
            self._readers[media.essence] = self._choose(media)
        except ContractInvalid:
            self._readers[media.essence] = None

    def flow(self, media: MediaType) -> Flow | None:
        """Say how a body of this type may be carried piece by piece; None: only as a whole."""
        if self._items is not None and media.kind == "stream" and not self.unchecked:
            return self._items.flow(media.essence)
        if media.essence not in self._readers:
            self._learn(media)
        return OPAQUE if self._readers[media.essence] is opaque else None

    @property
    def takes_nothing(self) -> bool:
        """Whether a body of no bytes can be a value (text and octets), rather than a missing one."""
        return self.range.kind in {"text", "binary", "stream"}

    def _choose(self, media: MediaType) -> Reader | None:
        """Pick the reader for an actual type; raises `ContractInvalid` when a body of it could not be judged."""
        kind = media.kind
        if self.unchecked:
            return opaque
        if kind == "stream" and self._items is not None:
            return opaque  # never asked: `check` and `flow` read it item by item
        if self._items is not None and self._schema is True:
            raise refused(
                f"{media.essence} is no sequence, so that its itemSchema means nothing", self._pointer
            )
        if kind == "json":
            return self._reading.json
        if self._schema is True or self._is_empty():
            return opaque
        reader, branches = self._reading.choose(media)
        self._branches[media.essence] = [
            (read, self._schemas.compile(branch, self._direction, f"{self._pointer}/schema"))
            for read, branch in branches
        ]
        return reader

    def _is_empty(self) -> bool:
        """Whether the schema says nothing, so that there is nothing to look for."""
        return isinstance(self._schema, dict) and not self._schema.keys() - ANNOTATIONS

    def _assumed(self, what: str) -> None:
        self._note("content-assumed-json", what, Severity.INFO)

    def _note(self, rule: str, what: str, severity: Severity = Severity.WARNING) -> None:
        if not self.range.is_range or self.unchecked:
            self.findings.append(unchecked(rule, self._pointer, what, severity))


class Body:
    """All contents of one request body or answer; the closest declared range decides (RFC 9110 §12.5.1)."""

    __slots__ = ("_json", "_known", "contents", "findings")

    def __init__(self, content: Any, pointer: str, schemas: Schemas, direction: Direction) -> None:
        found = []
        declared_once: dict[MediaType, Any] = {}
        for key, declared in mapping(content, pointer).items():
            place = f"{pointer}{token(key)}"
            media = parse_range(key, place)
            if declared_once.setdefault(media.spelled_alike, declared) != declared:
                raise refused(f"{key[:80]!r} is declared twice, and in two ways", place)
            spec, place = follow(schemas.root, declared, place)
            found.append(Content(media, spec, place, schemas, direction))
        self.contents = tuple(sorted(found, key=lambda item: item.range.rank))
        self.findings: tuple[Finding, ...] = tuple(note for item in found for note in item.findings)
        self._known: dict[bytes, tuple[Content, MediaType]] = {}
        self._json: dict[bytes | None, Content] = {}
        for item in self.contents:
            for spelling in _SPELLINGS:
                self._remember(item.range.essence.encode() + spelling)

    def check(self, content_type: bytes | None, data: bytes) -> RequestProblem | None:
        """Judge a body by its one Content-Type field value (None: there is none, or more than one)."""
        if content_type in self._json:
            return self._json[content_type].check_json(data)
        entry = self.find(content_type)
        return UNDECLARED if entry is None else entry[0].check(entry[1], data)

    def find(self, content_type: bytes | None) -> tuple[Content, MediaType] | None:
        """Find the closest declared content for a Content-Type, and what it was parsed into."""
        if content_type is None:
            return None
        known = self._known.get(content_type)
        if known is not None:
            return known
        media = parse_media_type(content_type)
        if media is None:
            return None
        for item in self.contents:
            if item.range.covers(media):
                return item, media
        return None

    def flow(self, content_type: bytes | None) -> Flow | None:
        """Say how a body of this Content-Type may be carried piece by piece; None: only as a whole."""
        entry = self.find(content_type)
        return None if entry is None else entry[0].flow(entry[1])

    def _remember(self, spelling: bytes) -> None:
        if (found := self.find(spelling)) is not None:
            self._known[spelling] = found
            if found[1].kind == "json" and not found[0].unchecked:
                self._json[spelling] = found[0]


def _invalid(found: tuple[SchemaViolation, ...]) -> RequestProblem:
    return RequestProblem(
        "body-invalid", tuple(Violation("body", item.pointer, item.keyword) for item in found)
    )


def _undecoded(error: Undecodable) -> RequestProblem:
    """Tell a body that is not well formed from one that is, and holds something else than was declared."""
    slug: ProblemSlug = "body-invalid" if error.keyword in _UNFIT else "body-malformed"
    if error.keyword == "charset":
        slug = "media-type-unsupported"
    return RequestProblem(slug, (Violation("body", error.pointer, error.keyword),))
