"""One declared parameter or header: from its raw bytes to a typed value that its schema has judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from kernel.operation.media_types import parse_range
from kernel.operation.members import refused
from kernel.operation.scalars import scalars_of
from kernel.operation.shapes import Shape
from kernel.operation.strict_json import read_json
from kernel.operation.styles import PERCENT, PLUS, bare, elements, members, text_of
from kernel.operation.unchecked import unchecked
from kernel.operation.violation import Undecodable, Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.contract.finding import Finding
    from kernel.operation.schemas import Schemas

Where = Literal["path", "query", "header", "cookie"]

STYLES: Final[dict[Where, tuple[str, ...]]] = {  # the default first (OpenAPI 3.x, "Style Values")
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}


class Parameter:
    """How one name is read: style, explode, types, validator.

    `read` gives the candidates for its typed value, best first: usually one, more where the schema
    admits several types for the same bytes. `check` judges them: one that conforms is enough.
    """

    __slots__ = (
        "_readers",
        "_schemas",
        "_single",
        "_types",
        "allow_empty",
        "depth",
        "encoded",
        "explode",
        "finding",
        "limit",
        "max_digits",
        "name",
        "others",
        "plus",
        "raw_name",
        "required",
        "shape",
        "spread",
        "style",
        "validator",
        "where",
    )

    def __init__(self, name: str, where: Where, schemas: Schemas, shape: Shape) -> None:
        self.name = name
        self.where = where
        self.raw_name = name.encode()
        self.style = STYLES[where][0]
        self.explode = self.style in {"form", "cookie"}
        self.required = False
        self.allow_empty = False
        self.plus = where == "query"
        # Headers are taken as they are: OpenAPI 3.0.4 and 3.1.1 percent-encode neither them nor `cookie`.
        self.encoded = where != "header"
        self._schemas = schemas
        self.limit = schemas.limits.items
        self.depth = schemas.limits.object_depth
        self.max_digits = schemas.limits.number_digits
        self.shape = shape
        # Whether an object comes as several fields of the query, form or cookie: each property under its
        # own name (`fields`), or as name[property] (`brackets`); kernel/operation/fields.py gathers them.
        self.spread: Literal["", "fields", "brackets"] = ""
        self.others: tuple[Parameter, ...] = ()  # the same name, read as one branch of the schema has it
        self.validator: Any = None
        self.finding: Finding | None = None
        self._types: tuple[str, ...] = ()
        self._readers: tuple[Callable[[list[bytes]], list[Any]], ...] = ()
        self._single = False

    def settle(self, pointer: str) -> None:
        """Choose the readers once style and shape are known; raises `ContractInvalid` when none can be."""
        shape = self.shape
        self._types = shape.scalars
        readers: list[Callable[[list[bytes]], list[Any]]] = []
        if set(self._types) - {"null"}:
            readers.append(self._scalar)
        listed = not shape.untyped and "array" in shape.types
        if listed:
            readers.append(self._array)
        if not shape.untyped and "object" in shape.types:
            if self.style == "deepObject":
                readers, self.spread = [self._object], "brackets"
            elif not (self.explode and self.where in {"query", "cookie"}):
                readers.append(self._object)
            elif not readers:
                readers, self.spread = [self._object], "fields"
        if self.style == "deepObject" and not self.spread:
            readers, self.spread = ([self._object], "brackets") if listed else ([], "")
            listed = False
        carried = bool(readers) and (not listed or bool(shape.element().scalars))
        if not carried and self.where == "header":
            # Real documents declare lists of objects here, for which `simple` has no form.
            what = f"the header {self.name!r} has a type that no style can carry and is passed on unread"
            self.finding = unchecked("parameter-unchecked", pointer, what)
            readers = []
        elif not carried:
            what = f"the {self.where} parameter {self.name!r} has a type that {self.style} cannot carry"
            raise refused(what, pointer)
        self._use(*readers)

    def settle_content(self, pointer: str, media: str) -> None:
        """Read the value as a text of a media type instead of by style (`content`)."""
        kind = parse_range(media, pointer).kind
        if kind not in {"json", "text"}:
            raise refused(f"a parameter of {media} cannot be decoded", pointer)
        self._types = self.shape.scalars
        self._use(self._json if kind == "json" else self._scalar)

    def settle_json(self, *, each: bool) -> None:
        """Read every occurrence as a JSON text: the elements of an array, or the only value."""
        self._use(self._json_each if each else self._json)

    def _use(self, *readers: Callable[[list[bytes]], list[Any]]) -> None:
        self._readers = readers
        self._single = len(readers) == 1

    def read(self, raws: list[bytes]) -> list[Any]:
        """Give the typed candidates for the raw occurrences; raises `Undecodable` when there are none."""
        if self._single:
            return self._readers[0](raws)
        found: list[Any] = []
        problem: Undecodable | None = None
        for reader in self._readers:
            try:
                found += reader(raws)
            except Undecodable as error:
                problem = problem or error
        if not found and problem is not None:
            raise problem
        return found

    def best(self, raws: list[bytes]) -> Any:
        """Give one typed value: the first reading that the schema admits, else the first."""
        found = self._readers[0](raws) if self._single else self.read(raws)
        return found[0] if len(found) == 1 else self._schemas.first_fitting(self.shape, found)

    def check(self, raws: list[bytes]) -> tuple[Violation, ...]:
        """Judge the raw occurrences (at least one)."""
        if self.allow_empty and raws == [b""]:
            return ()
        try:
            candidates = self._readers[0](raws) if self._single else self.read(raws)
        except Undecodable as error:
            found: tuple[Violation, ...] = (Violation(self.where, error.pointer, error.keyword, self.name),)
        else:
            found = self.judge(candidates)
        return () if found and self.others and self.fits_other(lambda one: one.read(raws)) else found

    def fits_other(self, read: Callable[[Parameter], list[Any]]) -> bool:
        """Whether the value conforms when it is read as one of the schema's branches has it."""
        for other in self.others:
            try:
                if self.validator is None or any(map(self.validator.accepts, read(other))):
                    return True
            except Undecodable:
                continue
        return False

    def judge(self, candidates: list[Any]) -> tuple[Violation, ...]:
        """Judge typed candidates: none of them conforms when something is given back."""
        validator = self.validator
        if validator is None:
            return ()
        for candidate in candidates:
            if validator.accepts(candidate):
                return ()
        return tuple(
            Violation(self.where, found.pointer, found.keyword, self.name)
            for found in validator.violations(candidates[0])
        )

    def missing(self) -> Violation:
        """Say that a required parameter is not there."""
        return Violation(self.where, "", "missing", self.name)

    def text(self, raw: bytes) -> str:
        """Decode one piece, escapes taken off exactly once where the place has any."""
        if self.encoded and (PERCENT in raw or (self.plus and PLUS in raw)):
            return text_of(raw, plus=self.plus)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Undecodable("utf-8") from None

    def _scalar(self, raws: list[bytes]) -> list[Any]:
        raw = self._only(raws)
        if self.where == "path" and self.style != "simple":
            raw = bare(self.style, self.raw_name, raw)
        return self.typed(raw, self._types, "")

    def _array(self, raws: list[bytes]) -> list[Any]:
        if self.explode and self.where in {"query", "cookie"}:
            if len(raws) > self.limit:
                raise Undecodable("limit")
            pieces = raws
        elif self.where == "header":
            # RFC 9110 §5.3: a list may come in several field lines.
            joined = b",".join(raws)
            pieces = elements("simple", self.raw_name, joined, self.limit, explode=False)
            pieces = [piece.strip(b" \t") for piece in pieces]
        else:
            pieces = elements(self.style, self.raw_name, self._only(raws), self.limit, explode=self.explode)
        return [self.each(pieces, self.shape, "")]

    def _object(self, raws: list[bytes]) -> list[Any]:
        raw = b",".join(raws) if self.where == "header" else self._only(raws)
        pairs = members(self.style, self.raw_name, raw, self.limit, explode=self.explode)
        if self.where == "header":
            pairs = [(name.strip(b" \t"), value.strip(b" \t")) for name, value in pairs]
        found: dict[str, Any] = {}
        for raw_name, value in pairs:
            name = self.text(raw_name)
            if name in found:
                raise Undecodable("duplicate", self.shape.pointer_of(name))
            found[name] = self.one(value, self.shape.member(name), self.shape.pointer_of(name))
        return [found]

    def _json(self, raws: list[bytes]) -> list[Any]:
        return [read_json(self.text(self._only(raws)).encode(), exact=True)]

    def _json_each(self, raws: list[bytes]) -> list[Any]:
        return [[self._json([raw])[0] for raw in raws]]

    def typed(self, raw: bytes, types: tuple[str, ...], pointer: str) -> list[Any]:
        """Read one piece as each of the types; raises `Undecodable` at `pointer` when it is none of them."""
        try:
            found = scalars_of(self.text(raw), types, self.max_digits)
        except Undecodable as error:
            raise Undecodable(error.keyword, pointer) from None
        if not found:
            raise Undecodable("type", pointer)
        return found

    def one(self, raw: bytes, shape: Shape, pointer: str) -> Any:
        """Read one element or property; where several types fit, the first that its schema admits."""
        found = self.typed(raw, shape.scalars, pointer)
        return found[0] if len(found) == 1 else self._schemas.first_fitting(shape, found)

    def each(self, raws: list[bytes], shape: Shape, pointer: str) -> list[Any]:
        """Read the elements of an array, each by the shape of its position."""
        placed = zip(raws, shape.positions(len(raws)), strict=True)
        return [self.one(raw, item, f"{pointer}/{index}") for index, (raw, item) in enumerate(placed)]

    def _only(self, raws: list[bytes]) -> bytes:
        """Give the single occurrence; which of several counts would be up to each reader."""
        if len(raws) != 1:
            raise Undecodable("repeated")
        return raws[0]
