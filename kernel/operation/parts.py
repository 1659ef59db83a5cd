"""Multipart bodies: each part read by its media type into a property, or into an item by its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.operation.charsets import UTF8, charset_of, text_in
from kernel.operation.declarations import compile_header
from kernel.operation.forms import FormReader, at_place, object_shape, read_exactly
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.members import listing, mapping, refused
from kernel.operation.multipart import Part, split_parts
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference, follow
from kernel.operation.violation import Undecodable
from kernel.operation.xml_bodies import XmlReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.parameters import Parameter
    from kernel.operation.schemas import Schemas

    Read = Callable[[MediaType, bytes], Any]

_TEXT: Final = MediaType("text/plain")  # RFC 2046 §5.2: what a part without Content-Type is


class PartRule:
    """How the parts of one name or position are read: media types, headers, and the schema of each.

    A part is JSON where its schema is an object or an array, octets where it is binary or untyped (one
    character for one octet, so that lengths count), XML or a form where its Encoding Object says so, else
    text.
    """

    def __init__(self, schema: Any, encoding: Any, pointer: str, schemas: Schemas) -> None:
        """Compile; raises `ContractInvalid` where no declared media type could carry the schema."""
        spec, place = follow(schemas.root, encoding, pointer)
        spec = mapping(spec, place)
        self._schemas = schemas
        self._shape = schemas.shape(schema)
        declared = spec.get("contentType")
        pieces = declared.split(",") if isinstance(declared, str) else []
        self._ranges = tuple(parse_range(piece.strip(), place) for piece in pieces)
        if any(one.kind == "multipart" for one in self._ranges):
            raise refused("a part that is multipart itself cannot be read", place)
        self._octets = _is_octets(schemas.root, schema) or self._is_file()
        self._readers: dict[str, Read] = {} if self._octets else dict(self._structured(schema, place))
        if self._ranges and not self._octets and not any(map(self._reads, self._ranges)):
            raise refused(
                f"a part of {str(declared)[:80]} cannot be read into {' or '.join(self._shape.types)}", place
            )
        self._headers: list[tuple[bytes, Parameter]] = []
        for name, header in mapping(spec.get("headers"), f"{place}/headers").items():
            if name.lower() != "content-type":  # OpenAPI 3.x, "Encoding Object": it is described by itself
                found, at = follow(schemas.root, header, f"{place}/headers{token(name)}")
                made = compile_header(name, mapping(found, at), at, schemas)
                self._headers.append((name.lower().encode(), made))

    def read(self, part: Part, pointer: str) -> Any:
        """Give the value of a part; raises `Undecodable` at `pointer`."""
        media = part.media
        if self._ranges and not any(one.covers(media or _TEXT) for one in self._ranges):
            raise Undecodable("contentType", pointer)
        for name, header in self._headers:
            if header.check([part.headers[name]]) if name in part.headers else header.required:
                raise Undecodable("headers", pointer)
        if self._octets:
            return part.data.decode("latin-1")
        kind = media.kind if media is not None else "text"
        reader = self._readers.get(kind)
        if media is not None and reader is not None:
            return at_place(pointer, lambda data: reader(media, data), part.data)
        if kind == "json" or not self._shape.scalars:
            if media is not None and kind != "json":
                raise Undecodable("contentType", pointer)
            at_place(pointer, lambda known: charset_of(media, known), UTF8)
            return at_place(pointer, read_exactly, part.data)
        text = at_place(pointer, lambda data: text_in(media, data), part.data)
        candidates = scalars_of(text, self._shape.scalars, self._schemas.limits.number_digits)
        if not candidates:
            raise Undecodable("type", pointer)
        return self._schemas.first_fitting(self._shape, candidates)

    def _structured(self, schema: Any, pointer: str) -> list[tuple[str, Read]]:
        """Make the readers that only an Encoding Object asks for."""
        kinds = {one.kind for one in self._ranges}
        found: list[tuple[str, Read]] = []
        if "xml" in kinds:
            found.append(("xml", XmlReader(schema, self._schemas).read))
        if "form" in kinds and "object" in self._shape.types:
            found.append(("form", FormReader(schema, {}, pointer, self._schemas).read))
        return found

    def _reads(self, declared: MediaType) -> bool:
        kind = declared.kind
        return kind == "json" or kind in self._readers or bool(self._shape.scalars) or declared.is_range

    def _is_file(self) -> bool:
        """Whether a string is declared as a type that is no text, as files are."""
        opaque = all(one.kind == "binary" for one in self._ranges)
        return bool(self._ranges) and opaque and "string" in self._shape.types


class MultipartReader:
    """Reads `multipart/*` into an object with one property for each name (RFC 7578)."""

    def __init__(self, schema: Any, encoding: Any, pointer: str, schemas: Schemas) -> None:
        """Compile; raises `ContractInvalid`."""
        self._shape = object_shape(schema, pointer, schemas)
        self._limits = schemas.limits
        self._rules: dict[str, list[PartRule]] = {}
        for name in self._shape.member_names():
            place = f"{pointer}/encoding{token(name)}"
            self._rules[name] = self._of(name, encoding.get(name), place, schemas)
        self._schemas, self._pointer = schemas, pointer
        self._further: dict[tuple[str, ...] | None, list[PartRule]] = {}

    def _of(self, name: str, encoding: Any, pointer: str, schemas: Schemas) -> list[PartRule]:
        """Make the rules for the parts of one name: the last one is for all further ones."""
        member = self._shape.member(name)
        if not member.is_array:
            return [PartRule(self._shape.member_schema(name), encoding, pointer, schemas)]
        # Each part is one element (OpenAPI 3.x, "Encoding Object").
        return [PartRule(_either(item), encoding, pointer, schemas) for item in member.spelled()]

    def _unspelled(self, name: str) -> list[PartRule]:
        """Give the rules for a name that the schema does not spell out; names of one kind share them."""
        kind = self._shape.matching(name)
        if kind not in self._further:
            self._further[kind] = self._of(name, None, self._pointer, self._schemas)
        return self._further[kind]

    def read(self, media: MediaType, data: bytes) -> dict[str, Any]:
        """Decode the body; raises `Undecodable`."""
        found: dict[str, Any] = {}
        for part in split_parts(data, _boundary(media), self._limits):
            pointer = self._shape.pointer_of(part.name)
            listed = self._shape.member(part.name).is_array
            rules = self._rules.get(part.name) or self._unspelled(part.name)
            at = len(found.get(part.name, ())) if listed else 0
            value = rules[min(at, len(rules) - 1)].read(part, pointer)
            if listed:
                found.setdefault(part.name, []).append(value)
            elif part.name in found:
                raise Undecodable("repeated", pointer)
            else:
                found[part.name] = value
        return found


class PositionReader:
    """Reads `multipart/*` into an array: a part is an item by its position (OpenAPI 3.2 §4.15)."""

    def __init__(self, schema: Any, spec: Any, pointer: str, schemas: Schemas) -> None:
        """Compile, from the schema and the Media Type Object; raises `ContractInvalid`."""
        self._limits = schemas.limits
        shape = schemas.shape(schema)
        plain = dereference(schemas.root, schema)
        first = plain.get("prefixItems", ()) if isinstance(plain, dict) else ()
        encodings = listing(spec.get("prefixEncoding"), f"{pointer}/prefixEncoding")
        self._first = [
            PartRule(item, _listed(encodings, at), f"{pointer}/prefixEncoding/{at}", schemas)
            for at, item in enumerate(first)
        ]
        self._further = PartRule(
            _either(shape.spelled()[-1]), spec.get("itemEncoding"), f"{pointer}/itemEncoding", schemas
        )

    def read(self, media: MediaType, data: bytes) -> list[Any]:
        """Decode the body; raises `Undecodable`."""
        parts = split_parts(data, _boundary(media), self._limits, named=False)
        rules = [*self._first, *[self._further] * len(parts)]
        return [rules[at].read(part, f"/{at}") for at, part in enumerate(parts)]


def _boundary(media: MediaType) -> str:
    boundary = media.parameter("boundary")
    if boundary is None:
        raise Undecodable("boundary")
    return boundary


def _either(shape: Shape) -> Any:
    return shape.schemas[0] if len(shape.schemas) == 1 else {"anyOf": list(shape.schemas)}


def _listed(encodings: list[Any], at: int) -> Any:
    return encodings[at] if at < len(encodings) else None


def _is_octets(root: Any, schema: Any) -> bool:
    """Whether a schema means a file: `format: binary`, a content encoding, or nothing said of its type."""
    schema = dereference(root, schema)
    if not isinstance(schema, dict):
        return True
    if schema.keys() - ANNOTATIONS <= {"contentMediaType", "contentEncoding"}:
        return True
    return schema.get("format") == "binary" or (
        "contentMediaType" in schema and "json" not in str(schema["contentMediaType"])
    )
