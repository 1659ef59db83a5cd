"""The declared contents of a request or answer: choose by Content-Type, decode strictly, validate.

What is declared is checked, or the board is told at freeze: an operation never passes a body whose
media type nobody declared, and a declared one that cannot be looked into is a finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import token
from kernel.errors import ContractInvalid
from kernel.operation.forms import FormReader, MultipartReader
from kernel.operation.media_types import MediaType, parse_media_type, parse_range
from kernel.operation.members import mapping
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference, follow
from kernel.operation.strict_json import read_json
from kernel.operation.unchecked import unchecked
from kernel.operation.violation import ProblemSlug, RequestProblem, Undecodable, Violation
from kernel.operation.xml_bodies import XmlReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.schemas import Direction, Schemas

    Reader = Callable[[MediaType, bytes], Any]

_UTF8: Final = frozenset({"utf-8", "utf8"})
_CHARSETS: Final = frozenset({"us-ascii", "ascii", "iso-8859-1", "latin1"})
_OPAQUE: Final = ANNOTATIONS | {"type", "format", "nullable", "contentMediaType", "contentEncoding"}
# Spellings seen in the wild that need no parsing; each is resolved at compile time by the one parser.
_SPELLINGS: Final = (b"", b"; charset=utf-8", b";charset=utf-8", b"; charset=UTF-8", b";charset=UTF-8")

UNDECLARED: Final = RequestProblem("media-type-unsupported", (Violation("body", "", "media-type"),))


class Content:
    """One entry of a `content` object: a media range, its schema, and a reader for each kind of type."""

    __slots__ = (
        "_encoding",
        "_pointer",
        "_readers",
        "_schema",
        "_schemas",
        "exact",
        "findings",
        "range",
        "shape",
        "validator",
    )

    def __init__(
        self, media: MediaType, spec: Any, pointer: str, schemas: Schemas, direction: Direction
    ) -> None:
        spec = mapping(spec, pointer)
        self.range = media
        self.findings: list[Finding] = []
        self._pointer = pointer
        self._schemas = schemas
        self._schema = spec.get("schema", True)
        self._encoding = mapping(spec.get("encoding"), f"{pointer}/encoding")
        self.shape = schemas.shape(self._schema)
        self.validator = schemas.compile(self._schema, direction, f"{pointer}/schema")
        self.exact = getattr(self.validator, "exact", False)
        self._readers: dict[str, Reader | None] = {}
        if not media.is_range:
            self._readers[media.essence] = self._choose(media)
            if "itemSchema" in spec:
                self._note("content-unchecked", "the items of a stream are passed on unread")

    def check(self, media: MediaType, data: bytes) -> RequestProblem | None:
        """Judge the bytes of a body that belongs to this range."""
        essence = media.essence
        if essence not in self._readers:
            self._learn(media)
        reader = self._readers[essence]
        if reader is None:
            return UNDECLARED
        try:
            value = reader(media, data)
        except Undecodable as error:
            return _malformed(error)
        return None if value is _UNREAD else self.judge(value)

    def check_json(self, data: bytes) -> RequestProblem | None:
        """Judge a body that is known to be JSON in UTF-8: the way of nearly every call."""
        try:
            value = read_json(data, exact=self.exact)
        except Undecodable as error:
            return _malformed(error)
        validator = self.validator
        return None if validator is None or validator.accepts(value) else self.judge(value)

    def judge(self, value: Any) -> RequestProblem | None:
        """Judge a decoded value."""
        validator = self.validator
        if validator is None or validator.accepts(value):
            return None
        found = validator.violations(value)
        return RequestProblem(
            "body-invalid", tuple(Violation("body", item.pointer, item.keyword) for item in found)
        )

    def _learn(self, media: MediaType) -> None:
        """Choose the reader for a type that a range was asked for; none where the schema has no form in it."""
        if len(self._readers) > 64:  # noqa: PLR2004 - few types are asked for, or an attacker asks
            self._readers.clear()
        try:
            self._readers[media.essence] = self._choose(media)
        except ContractInvalid:
            self._readers[media.essence] = None

    @property
    def takes_nothing(self) -> bool:
        """Whether a body of no bytes can be a value (text and octets), rather than a missing one."""
        return self.range.kind in {"text", "binary", "stream"}

    def _choose(self, media: MediaType) -> Reader | None:
        """Pick the reader for an actual type; None when a body of it could not be judged."""
        kind = media.kind
        if kind == "json":
            return self._json
        if self._schema is True or self._is_empty():
            return _opaque
        if kind in {"form", "multipart", "xml"}:
            return self._choose_structured(media)
        if kind == "stream":
            self._note("content-unchecked", f"{media.essence} is passed on unread")
            return _opaque
        return self._choose_text(media, self.shape)

    def _choose_structured(self, media: MediaType) -> Reader:
        """Forms and XML, by a reader that is made for the schema."""
        if media.kind == "form":
            return FormReader(self._schema, self._encoding, self._pointer, self._schemas).read
        if media.essence == "multipart/form-data":
            return MultipartReader(self._schema, self._encoding, self._pointer, self._schemas).read
        if media.kind == "multipart":
            self._note("content-unchecked", f"{media.essence} is passed on unread")
            return _opaque
        plain = dereference(self._schemas.root, self._schema)
        if "string" in self.shape.types and isinstance(plain, dict) and plain.keys() <= _OPAQUE:
            return _opaque
        reader = XmlReader(self._schema, self._schemas)
        if media.essence == "application/fhir+xml":
            # FHIR XML has a mapping of its own (values in attributes), which no Schema Object describes.
            self._note("content-unchecked", "application/fhir+xml is only checked to be well-formed XML")
            return lambda media, data: (reader.parse(media, data), _UNREAD)[1]
        return reader.read

    def _choose_text(self, media: MediaType, shape: Shape) -> Reader | None:
        """Text, and whatever has no known format: octets, text of a scalar type, or assumed to be JSON."""
        if shape.scalars:
            plain = dereference(self._schemas.root, self._schema)
            keywords = plain.keys() if isinstance(plain, dict) else set()
            if media.kind == "binary" and "string" in shape.types:
                if keywords <= _OPAQUE:
                    return _opaque
                if keywords <= _OPAQUE | {"minLength", "maxLength"}:
                    return _octets
            return self._text
        if media.kind == "text":
            self._note(
                "content-undecodable",
                f"{media.essence} can carry no {' or '.join(shape.types)}: all is refused",
            )
            return None
        self._note(
            "content-assumed-json", f"{media.essence} is no known format and is read as JSON", Severity.INFO
        )
        return self._json

    def _json(self, media: MediaType, data: bytes) -> Any:
        if media.parameters and (charset := media.parameter("charset")) and charset.lower() not in _UTF8:
            raise Undecodable("charset")
        return read_json(data, exact=self.exact)

    def _text(self, media: MediaType, data: bytes) -> Any:
        charset = (media.parameter("charset") or "utf-8").lower()
        if charset not in _UTF8 | _CHARSETS:
            raise Undecodable("charset")
        try:
            text = data.decode(charset)
        except UnicodeDecodeError:
            raise Undecodable("utf-8" if charset in _UTF8 else "charset") from None
        found = scalars_of(text, self.shape.scalars, self._schemas.limits.number_digits)
        if not found:
            raise Undecodable("type")
        return found[0]

    def _is_empty(self) -> bool:
        """Whether the schema says nothing, so that there is nothing to look for."""
        return isinstance(self._schema, dict) and not self._schema.keys() - ANNOTATIONS

    def _note(self, rule: str, what: str, severity: Severity = Severity.WARNING) -> None:
        if not self.range.is_range:
            self.findings.append(unchecked(rule, self._pointer, what, severity))


_UNREAD: Final = object()  # a body that was looked at and has no value for a validator


class Body:
    """All contents of one request body or answer; the closest declared range decides (RFC 9110 §12.5.1)."""

    __slots__ = ("_json", "_known", "contents", "findings")

    def __init__(self, content: Any, pointer: str, schemas: Schemas, direction: Direction) -> None:
        found = []
        for key, declared in mapping(content, pointer).items():
            place = f"{pointer}{token(key)}"
            media = parse_range(key, place)
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

    def _remember(self, spelling: bytes) -> None:
        if (found := self.find(spelling)) is not None:
            self._known[spelling] = found
            if found[1].kind == "json":
                self._json[spelling] = found[0]


def _malformed(error: Undecodable) -> RequestProblem:
    slug: ProblemSlug = "media-type-unsupported" if error.keyword == "charset" else "body-malformed"
    return RequestProblem(slug, (Violation("body", error.pointer, error.keyword),))


def _opaque(_media: MediaType, _data: bytes) -> Any:
    """Take the bytes as they are: nothing is declared about them."""
    return _UNREAD


def _octets(_media: MediaType, data: bytes) -> str:
    """Make a string whose length is the number of octets (OpenAPI 3.0 `format: binary`)."""
    return data.decode("latin-1")
