"""Choose how the bytes of a media type become the value that a schema judges, or refuse what has no way."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import ContractInvalid, Place
from kernel.operation.charsets import UTF8, charset_of, text_in
from kernel.operation.declarations import alternatives
from kernel.operation.forms import FormReader
from kernel.operation.media_types import MediaType
from kernel.operation.members import mapping
from kernel.operation.parts import MultipartReader, PositionReader
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import ANNOTATIONS, Shape, dereference
from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable
from kernel.operation.xml_bodies import XmlReader
from kernel.schema.formats import ASSERTED, LOWERED

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.schemas import Schemas

    Reader = Callable[[MediaType, bytes], Any]
    Branch = tuple[Reader, dict[str, Any]]

UNCHECKED: Final = "x-interlock-unchecked"  # in a Media Type Object: its content is passed on unread
UNREAD: Final = object()  # a body that is passed on as it is, and has no value for a validator
_OPAQUE: Final = ANNOTATIONS | {"type", "format", "nullable", "contentMediaType", "contentEncoding"}
_MANY: Final = 4  # types that are not listed in a message


class Reading:
    """The readers for one Media Type Object: one for each type that its range may be asked for."""

    def __init__(
        self,
        spec: dict[str, Any],
        schema: Any,
        pointer: str,
        schemas: Schemas,
        note: Callable[[str], None],
        *,
        exact: bool,
    ) -> None:
        """Keep what readers are made of; `note` takes what the board must know of a choice."""
        self._spec = spec
        self._schema = schema
        self._pointer = pointer
        self._schemas = schemas
        self._note = note
        self._exact = exact
        self._encoding = mapping(spec.get("encoding"), f"{pointer}/encoding")
        self._shape = schemas.shape(schema)
        self._alternatives = alternatives(schemas.root, schema)

    def choose(self, media: MediaType) -> tuple[Reader, tuple[Branch, ...]]:
        """Give the reader for a type that is not JSON, and one for each branch of the schema, beside that branch.

        Raises `ContractInvalid` where a body of the type could not be judged.
        """
        if media.kind in {"form", "multipart", "xml"}:
            return self._choose_structured(media)
        if media.kind == "stream":
            raise self._unreadable(media, "declare its items by `itemSchema` (OpenAPI 3.2)")
        return self._choose_text(media, self._shape), ()

    def _choose_structured(self, media: MediaType) -> tuple[Reader, tuple[Branch, ...]]:
        """Forms and XML, by a reader that is made for the schema, and one for each of its branches."""
        if media.kind == "xml":
            plain = dereference(self._schemas.root, self._schema)
            if "string" in self._shape.types and isinstance(plain, dict) and plain.keys() <= _OPAQUE:
                return opaque, ()
            if media.essence == "application/fhir+xml":
                # FHIR XML has a mapping of its own (values in attributes), which no Schema Object describes.
                raise self._unreadable(media, "leave its schema out")
        found: list[Branch] = []
        for branch in self._alternatives:
            with suppress(ContractInvalid):
                found.append((self._structured(media, branch), branch))
        return self._structured(media, self._schema), tuple(found)

    def _structured(self, media: MediaType, schema: Any) -> Reader:
        if media.kind == "xml":
            return XmlReader(schema, self._schemas, root=self._schema).read
        if media.kind == "form":
            return FormReader(schema, self._encoding, self._pointer, self._schemas).read
        if media.essence != "multipart/form-data" and self._schemas.shape(schema).is_array:
            return PositionReader(schema, self._spec, self._pointer, self._schemas).read
        return MultipartReader(schema, self._encoding, self._pointer, self._schemas).read

    def _choose_text(self, media: MediaType, shape: Shape) -> Reader:
        """Text, and whatever has no known format: octets, text of a scalar type, or assumed to be JSON."""
        if shape.scalars:
            plain = dereference(self._schemas.root, self._schema)
            keywords = plain.keys() if isinstance(plain, dict) else set()
            if media.kind == "binary" and "string" in shape.types and not _is_asserted(plain):
                if keywords <= _OPAQUE:
                    return opaque
                if keywords <= _OPAQUE | {"minLength", "maxLength"}:
                    return _octets
            return self._text
        if media.kind == "text" or media.is_foreign:
            raise self._unreadable(media, "give it the schema of a string, or declare JSON")
        self._note(f"{media.essence} is no known format and is read as JSON")
        return self.json

    def _unreadable(self, media: MediaType, instead: str) -> ContractInvalid:
        """Refuse what is declared and cannot be held to its schema, unless the contract says so itself."""
        types = " or ".join(self._shape.types) if len(self._shape.types) < _MANY else "anything"
        return ContractInvalid(
            f"{media.essence} cannot be read into {types}, so that its content could not be checked",
            hint=f"{instead}; or write `{UNCHECKED}: true` beside the schema: then it is passed on unread",
            place=Place(pointer=self._pointer),
        )

    def json(self, media: MediaType, data: bytes) -> Any:
        """Read strict JSON; raises `Undecodable`."""
        if media.parameters:
            charset_of(media, UTF8)
        return read_json(data, exact=self._exact)

    def _text(self, media: MediaType, data: bytes) -> Any:
        found = scalars_of(text_in(media, data), self._shape.scalars, self._schemas.limits.number_digits)
        if not found:
            raise Undecodable("type")
        return self._schemas.first_fitting(self._shape, found)


def _is_asserted(schema: Any) -> bool:
    """Whether a schema has a format that says something of the octets, as `byte` does and `binary` does not."""
    return isinstance(schema, dict) and schema.get("format") in ASSERTED | LOWERED.keys()


def opaque(_media: MediaType, _data: bytes) -> Any:
    """Take the bytes as they are: nothing is declared about them."""
    return UNREAD


def _octets(_media: MediaType, data: bytes) -> str:
    """Make a string whose length is the number of octets (OpenAPI 3.0 `format: binary`)."""
    return data.decode("latin-1")
