"""A document laid out for the rules: its typed parts, its operations and their parameters, with pointers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from kernel.contract.document import Kind, specification
from kernel.contract.grammar import Grammar, grammar_of, members
from kernel.contract.positions import token
from kernel.contract.references import lost_references
from kernel.contract.sites import Site, sites
from kernel.errors import ContractInvalid, ReferenceRefused
from kernel.operation.asyncapi_model import AsyncApi
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.operation.shapes import follow
from registry.lint.canon import NO_CANON, Canon

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
SCHEMAS = frozenset({"schema", "payload"})


class Hit(NamedTuple):
    """What a rule found: where (a JSON pointer), and what it is in words."""

    pointer: str
    what: str


class Part(NamedTuple):
    """One object that the specification gives a type: `parent` is the type of the object around it."""

    pointer: str
    node: Any
    type: str
    parent: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation: `pointer` where it is listed, `spec` with references followed."""

    pointer: str
    spec: dict[str, Any]
    home: str  # where `spec` really stands

    @property
    def place(self) -> str:
        """`path`, `query`, `header`, `cookie` or `querystring`."""
        return str(self.spec.get("in"))

    @property
    def name(self) -> str:
        """The name as it is written."""
        return str(self.spec.get("name"))


@dataclass(frozen=True, slots=True)
class Operation:
    """One OpenAPI operation; `lists` holds the parameters of the path item, then those of its own."""

    pointer: str
    template: str
    method: str
    spec: dict[str, Any]
    lists: tuple[tuple[Parameter, ...], tuple[Parameter, ...]]

    @property
    def title(self) -> str:
        """`GET /orders`."""
        return f"{self.method.upper()} {self.template}"

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in force: those of the operation override the path item's by name and place."""
        found = {(one.place, one.name): one for listed in self.lists for one in listed}
        return tuple(found.values())


class Subject:
    """A self-contained document under the rules; what several rules need is read once."""

    def __init__(
        self,
        root: Any,
        kind: Kind,
        name: str = "",
        *,
        canon: Canon = NO_CANON,
        embedded: tuple[str, ...] = (),
    ) -> None:
        self.root = root
        self.kind = kind
        self.name = name
        self.canon = canon
        self.version = specification(root)
        self.embedded = embedded  # where canonical schemas were put in
        self._shared: dict[str, Any] = {}

    def shared(self, name: str, read: Callable[[], Any]) -> Any:
        """Give what several rules need, read by the first that asks."""
        if name not in self._shared:
            self._shared[name] = read()
        return self._shared[name]

    def is_embedded(self, pointer: str) -> bool:
        """Whether a place lies in a canonical schema that is not written here."""
        return any(pointer == home or pointer.startswith(home + "/") for home in self.embedded)

    @cached_property
    def grammar(self) -> Grammar:
        """The grammar of the kernel for this document."""
        return grammar_of(self.root)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every typed object in the order of the document, references not followed."""
        return tuple(_walk(self.root, self.grammar))

    @cached_property
    def events(self) -> AsyncApi | None:
        """The one view of an AsyncAPI document; None for other kinds, and for what cannot be read into one."""
        try:
            return read_asyncapi(self.root) if self.kind == "asyncapi" else None
        except ContractInvalid:
            return None  # what is wrong is said by the rules, and by whoever compiles the document

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every reference that can be reached; those that lead nowhere too (`lost` says why)."""
        return tuple(sites(self.root, self.grammar, lost=[]))

    @cached_property
    def lost(self) -> tuple[ReferenceRefused, ...]:
        """An error for every reference that leads nowhere, out of the document, or round in a circle."""
        return tuple(lost_references(self.root))

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each object by its place."""
        return {part.pointer: part.type for part in self.parts}

    @cached_property
    def schemas(self) -> tuple[Part, ...]:
        """Every schema, those inside schemas too."""
        return tuple(part for part in self.parts if part.type in SCHEMAS)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations of OpenAPI below `paths`; () for other kinds."""
        return tuple(_operations(self.root)) if self.kind == "openapi" else ()

    @cached_property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """The addresses of AsyncAPI's channels with their places: keys in version 2, `address` in 3."""
        if self.kind != "asyncapi":
            return ()
        channels = mapping(self.root.get("channels"))
        if self.version.startswith("2."):
            return tuple((f"/channels{token(name)}", name) for name in channels)
        return tuple(
            (f"{part.pointer}/address", part.node["address"])
            for part in self.of("channel")
            if isinstance(part.node.get("address"), str)
        )

    @cached_property
    def speaks_fhir(self) -> bool:
        """Whether any body is of a FHIR media type: names are FHIR's own then."""
        return any(part.type == "media-type" and "~1fhir+" in part.pointer for part in self.parts)

    def of(self, *types: str) -> Iterator[Part]:
        """Give the parts of some types that are no references."""
        for part in self.parts:
            if part.type in types and isinstance(part.node, dict) and "$ref" not in part.node:
                yield part

    def follow(self, node: Any, pointer: str) -> tuple[Any, str]:
        """Follow local references and say where what is found really stands; {} for what is not there."""
        return follow(self.root, node, pointer)


def _walk(root: Any, grammar: Grammar) -> Iterator[Part]:
    stack = [Part("", root, grammar.root, "")]
    while stack:
        part = stack.pop()
        yield part
        if not isinstance(part.node, dict):
            continue
        below = []
        for key, value, row in grammar.fields(part.type, part.node):
            here = part.pointer + token(key)
            for step, item in members(row, value):
                pointer = here if step is None else here + token(step)
                below.append(Part(pointer, item, row.type, part.type))
        stack.extend(reversed(below))


def _operations(root: dict[str, Any]) -> Iterator[Operation]:
    for template, declared in _items(root.get("paths")):
        if template.startswith("x-"):
            continue
        item, home = follow(root, declared, "/paths" + token(template))
        shared = tuple(_parameters(root, item.get("parameters"), home)) if isinstance(item, dict) else ()
        for method, spec, pointer in _methods(item, home):
            own = tuple(_parameters(root, spec.get("parameters"), pointer))
            yield Operation(pointer, template, method, spec, (shared, own))


def _methods(item: Any, home: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    for method, spec in _items(item):
        if method in METHODS and isinstance(spec, dict):
            yield method, spec, f"{home}/{method}"
        elif method == "additionalOperations":
            for name, other in _items(spec):
                if isinstance(other, dict):
                    yield name, other, f"{home}/{method}{token(name)}"


def mapping(value: Any) -> dict[str, Any]:
    """Give an object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()


def _parameters(root: Any, listed: Any, home: str) -> Iterator[Parameter]:
    for index, declared in enumerate(listed if isinstance(listed, list) else ()):
        pointer = f"{home}/parameters/{index}"
        spec, place = follow(root, declared, pointer)
        if isinstance(spec, dict) and "name" in spec and "in" in spec:
            yield Parameter(pointer, spec, place)
