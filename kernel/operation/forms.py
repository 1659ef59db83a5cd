"""Form bodies: fields typed by the schema's properties, each read as its Encoding Object says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.operation.declarations import compile_member
from kernel.operation.fields import Fields, Groups
from kernel.operation.media_types import MediaType, parse_range
from kernel.operation.members import mapping, refused
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import Shape, dereference
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
        self._schemas = schemas
        self._limits = schemas.limits
        members = []
        for name in self._shape.member_names():
            member = self._shape.member_schema(name)
            spec = mapping(dereference(schemas.root, encoding.get(name)), pointer)
            styled = {key: spec[key] for key in _RFC6570 if key in spec}
            made = compile_member(name, member, styled, pointer, schemas)
            if not styled and _is_json(spec.get("contentType"), pointer):
                made.settle_json(each=made.shape.is_array)
            members.append(made)
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
            if name in self._shape.member_names():  # its fields bear the names of its properties
                raise Undecodable("style", self._shape.pointer_of(name))
            found[name] = self._further(name, groups[name])
        return found

    def _further(self, name: str, raws: list[bytes]) -> Any:
        """Read a field without a property of its own."""
        shape = self._shape.member(name)
        if not shape.is_array and len(raws) > 1:
            raise Undecodable("repeated", "/{key}")
        items = shape.positions(len(raws)) if shape.is_array else [shape]
        found = []
        for raw, item in zip(raws, items, strict=True):
            text = text_of(raw, plus=True)
            if not item.scalars:  # neither text nor a number: JSON, as for a property with a name
                found.append(at_place("/{key}", read_exactly, text.encode()))
                continue
            candidates = scalars_of(text, item.scalars, self._limits.number_digits)
            if not candidates:
                raise Undecodable("type", "/{key}")
            found.append(self._schemas.first_fitting(item, candidates))
        return found if shape.is_array else found[0]


def object_shape(schema: Any, pointer: str, schemas: Schemas) -> Shape:
    """Give the shape of a form; raises `ContractInvalid` when its schema admits no object."""
    shape = schemas.shape(schema)
    if "object" not in shape.types:
        raise refused("a form has the schema of an object", f"{pointer}/schema")
    return shape


def read_exactly(data: bytes) -> Any:
    """Read the JSON of a part; what its property says of numbers is not asked."""
    return read_json(data, exact=True)


def _is_json(declared: Any, pointer: str) -> bool:
    """Whether an Encoding Object says that a field is JSON and nothing else."""
    return isinstance(declared, str) and all(
        parse_range(piece.strip(), pointer).kind == "json" for piece in declared.split(",")
    )


def at_place(pointer: str, read: Any, data: Any) -> Any:
    """Read with a decoder, and put its complaint below a place."""
    try:
        return read(data)
    except Undecodable as error:
        raise Undecodable(error.keyword, pointer + error.pointer) from None
