"""Form bodies, urlencoded and multipart: fields and parts typed by the schema's properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.operation.declarations import compile_member
from kernel.operation.fields import Fields, Groups
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.members import mapping, refused
from kernel.operation.multipart import Part, split_parts
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference
from kernel.operation.strict_json import read_json
from kernel.operation.styles import pairs_of, text_of
from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.schemas import Schemas

_RFC6570 = ("style", "explode", "allowReserved")


class FormReader:
    """Reads `application/x-www-form-urlencoded` (WHATWG URL §5.1, but strictly) into an object.

    A property is read by its Encoding Object: `style` and `explode` as a query parameter has them, else
    text for scalars, repeated fields for arrays, JSON text for objects.
    """

    def __init__(self, schema: Any, encoding: Any, pointer: str, schemas: Schemas) -> None:
        self._shape = object_shape(schema, pointer, schemas)
        self._limits = schemas.limits
        members = []
        for name in self._shape.member_names():
            member = self._shape.member_schema(name)
            spec = mapping(dereference(schemas.root, encoding.get(name)), pointer)
            styled = {key: spec[key] for key in _RFC6570 if key in spec}
            members.append(compile_member(name, member, styled, pointer, schemas))
        self._fields = Fields(members)

    def read(self, media: MediaType, data: bytes) -> dict[str, Any]:
        """Decode the body; raises `Undecodable`."""
        if (charset := media.parameter("charset")) is not None and charset.lower() != "utf-8":
            raise Undecodable("charset")
        groups: Groups = {}
        for raw_name, value in pairs_of(data, self._limits.form_fields):
            groups.setdefault(text_of(raw_name, plus=True), []).append(value)
        found = self._fields.values(groups)
        for name in self._fields.undeclared(groups):
            found[name] = self._further(name, groups[name])
        return found

    def _further(self, name: str, raws: list[bytes]) -> Any:
        """Read a field without a property of its own."""
        shape = self._shape.member(name)
        if not shape.is_array and len(raws) > 1:
            raise Undecodable("repeated", "/{key}")
        types = shape.element().scalars if shape.is_array else shape.scalars
        found = []
        for raw in raws:
            candidates = scalars_of(text_of(raw, plus=True), types, self._limits.number_digits)
            if not candidates:
                raise Undecodable("type", "/{key}")
            found.append(candidates[0])
        return found if shape.is_array else found[0]


class MultipartReader:
    """Reads `multipart/form-data` (RFC 7578) into an object with one property for each name.

    A part is JSON where its property is an object, octets where it is binary or untyped (one character
    for one octet, so that lengths count), else text. `encoding.contentType` restricts its media type.
    """

    def __init__(self, schema: Any, encoding: Any, pointer: str, schemas: Schemas) -> None:
        self._shape = object_shape(schema, pointer, schemas)
        self._limits = schemas.limits
        self._root = schemas.root
        self._ranges: dict[str, tuple[MediaType, ...]] = {}
        for name, spec in encoding.items():
            declared = mapping(dereference(schemas.root, spec), pointer).get("contentType")
            if isinstance(declared, str):
                self._ranges[name] = tuple(
                    parse_range(piece.strip(), pointer) for piece in declared.split(",")
                )
        self._octets = {name for name in self._shape.member_names() if self._is_octets(name)}

    def read(self, media: MediaType, data: bytes) -> dict[str, Any]:
        """Decode the body; raises `Undecodable`."""
        boundary = media.parameter("boundary")
        if boundary is None:
            raise Undecodable("boundary")
        found: dict[str, Any] = {}
        for part in split_parts(data, boundary, self._limits):
            pointer = self._shape.pointer_of(part.name)
            shape = self._shape.member(part.name)
            value = self._value(part, shape, pointer)
            if shape.is_array:
                found.setdefault(part.name, []).append(value)
            elif part.name in found:
                raise Undecodable("repeated", pointer)
            else:
                found[part.name] = value
        return found

    def _value(self, part: Part, shape: Shape, pointer: str) -> Any:
        ranges = self._ranges.get(part.name)
        media = part.media
        if ranges and (media is None or not any(item.covers(media) for item in ranges)):
            raise Undecodable("contentType", pointer)
        item = shape.element() if shape.is_array else shape
        if part.name in self._octets:
            return part.data.decode("latin-1")
        if (media is not None and media.kind == "json") or not item.scalars:
            if media is not None and media.kind != "json":
                raise Undecodable("contentType", pointer)
            return _at(pointer, read_exactly, part.data)
        text = _at(pointer, text_of_part, part.data)
        candidates = scalars_of(text, item.scalars, self._limits.number_digits)
        if not candidates:
            raise Undecodable("type", pointer)
        return candidates[0]

    def _is_octets(self, name: str) -> bool:
        """Whether a property is a file: `format: binary`, a content encoding, or nothing said of its type."""
        schema = dereference(self._root, self._shape.member_schema(name))
        if self._shape.member(name).is_array and isinstance(schema, dict):
            schema = dereference(self._root, schema.get("items", True))
        if not isinstance(schema, dict):
            return True
        if schema.keys() - ANNOTATIONS <= {"contentMediaType", "contentEncoding"}:
            return True
        return schema.get("format") == "binary" or (
            "contentMediaType" in schema and "json" not in str(schema["contentMediaType"])
        )


def object_shape(schema: Any, pointer: str, schemas: Schemas) -> Shape:
    """Give the shape of a form; raises `ContractInvalid` when its schema admits no object."""
    shape = schemas.shape(schema)
    if "object" not in shape.types:
        raise refused("a form has the schema of an object", f"{pointer}/schema")
    return shape


def read_exactly(data: bytes) -> Any:
    """Read the JSON of a part; what its property says of numbers is not asked."""
    return read_json(data, exact=True)


def text_of_part(data: bytes) -> str:
    """Read the text of a part: UTF-8, whatever its charset parameter claims."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Undecodable("utf-8") from None


def _at(pointer: str, read: Any, data: bytes) -> Any:
    try:
        return read(data)
    except Undecodable as error:
        raise Undecodable(error.keyword, pointer) from None
