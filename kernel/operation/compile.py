"""Turn an OpenAPI 3.0, 3.1 or 3.2 document into operations that freeze checks, CI and the proxy share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.operation.caching import compile_caching
from kernel.operation.cors import Cors, compile_cors
from kernel.operation.declared import Declared
from kernel.operation.faults import noted
from kernel.operation.idempotency import EXTENSION as IDEMPOTENCY
from kernel.operation.idempotency import compile_idempotency
from kernel.operation.limits import DEFAULT, OperationLimits
from kernel.operation.members import listing, mapping, refused
from kernel.operation.operation import Operation
from kernel.operation.schemas import Known, Schemas
from kernel.operation.security_schemes import (
    SecurityScheme,
    credentials_of,
    requirements,
    schemes_of,
    unverifiable,
)
from kernel.operation.shapes import dereference, follow
from kernel.operation.undeclared import LENIENT, Unknown, unknown_of
from kernel.schema.dialects import dialect_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kernel.contract.finding import Finding
    from kernel.operation.faults import Note

# What llhttp carries as a request with an answer; CONNECT opens a tunnel, others it does not know.
CARRIED_METHODS: Final = frozenset(
    b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY SEARCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK"
    b" UNLOCK ACL BIND REBIND UNBIND REPORT MKACTIVITY MKCALENDAR CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE"
    b" UNSUBSCRIBE PURGE LINK UNLINK SOURCE".split()
)
_FIXED: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_VERSION: Final = re.compile(r"3\.([012])\.[0-9]+(?:-[0-9A-Za-z.-]+)?")
HEAVIEST: Final = 1_000_000  # calls that one call may count as


@dataclass(frozen=True, slots=True)
class CompiledContract:
    """A contract's operations in the order of the document."""

    name: str
    openapi_version: str
    operations: tuple[Operation, ...]
    security_schemes: Mapping[str, SecurityScheme]
    declared: Declared
    cors: Cors | None = None  # which pages may call from a browser

    def let_go(self, root: Callable[[], Any]) -> None:
        """Hold nothing of the document any more while no operation is awake; `root` reads it again."""
        if self.declared.at_hand and not any(operation.awake for operation in self.operations):
            self.declared.let_go(lambda: compile_contract(root(), name=self.name).declared)

    def prepare(self) -> tuple[Finding, ...]:
        """Compile every operation (freeze does); raises as `Operation.prepare` does, at the first defect."""
        return self.prepare_noting(None)

    def prepare_noting(self, note: Note | None) -> tuple[Finding, ...]:
        """Compile every operation as `prepare` does, handing the defect of each to `note`."""
        for fault in unverifiable(self.operations, self.security_schemes):
            with noted(note):
                raise fault
        found: list[Finding] = []
        for operation in self.operations:
            with noted(note):
                found += operation.prepare()
        return tuple(dict.fromkeys(found))  # shared parts are one finding, however often they are referenced


def compile_contract(
    root: Any,
    *,
    name: str = "",
    limits: OperationLimits = DEFAULT,
    unknown: Unknown = LENIENT,
    note: Note | None = None,
    known: Known | None = None,
) -> CompiledContract:
    """Compile a self-contained document (URNs embedded, files inlined).

    Raises `ContractInvalid` with a pointer for what no router or parser could serve: a method that the
    HTTP parser cannot carry, two templates that match the same, a security scheme that nobody declares.
    `unknown` is for what neither the operation nor its path item nor the document says a policy for. With
    `note`, defects of single operations are handed to it, and these operations left out. `known` gives
    validators that were made elsewhere of schemas of this document.
    """
    version = root.get("openapi") if isinstance(root, dict) else None
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise refused("this is no OpenAPI 3.0, 3.1 or 3.2 document", "/openapi")
    schemes = dict(schemes_of(root))
    unknown = unknown_of(root, "").over(unknown).over(LENIENT)
    credentials = credentials_of(schemes)
    declared = Declared(Schemas(root, dialect_of(root), limits, known))
    made: list[Operation] = []
    taken: dict[tuple[str, bytes], str] = {}
    for template, item, place in _paths(root):
        with noted(note):
            names = _names(template, place)
            for method, spec, pointer in _methods(item, place, version):
                with noted(note):
                    shape = (_BRACES.sub("{}", template), method)
                    if shape in taken:
                        raise refused(f"{template} and {taken[shape]} are the same path to a router", pointer)
                    taken[shape] = template
                    if len(made) >= limits.operations:
                        raise refused(f"a contract may have {limits.operations} operations", "/paths")
                    parameters = _parameters(root, item, spec, place, pointer)
                    security = requirements(spec.get("security", root.get("security")), schemes, pointer)
                    number = declared.add((spec, parameters))
                    operation = Operation(declared, number, credentials)
                    _describe(operation, root, spec, pointer)
                    operation.unknown = unknown_of(spec, pointer).over(unknown_of(item, place)).over(unknown)
                    operation.method, operation.template, operation.pointer = method, template, pointer
                    operation.id = str(spec.get("operationId") or f"{method.decode()} {template}")
                    operation.segments = tuple(template.split("/")[1:])
                    operation.names, operation.security = names, security
                    operation.caching = compile_caching(spec, root, method, pointer)
                    operation.idempotency = compile_idempotency(spec.get(IDEMPOTENCY), method, pointer)
                    made.append(operation)
    return CompiledContract(name, version, tuple(made), schemes, declared, compile_cors(root))


def _paths(root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Walk the path items: template, item with its `$ref` followed, pointer."""
    for template, declared in mapping(root.get("paths"), "/paths").items():
        if template.startswith("x-"):
            continue
        item, place = follow(root, declared, "/paths" + token(template))
        if isinstance(item, dict) and isinstance(declared, dict):
            # OpenAPI leaves undefined what stands beside a `$ref`; here it adds to what is referenced.
            beside = {key: value for key, value in declared.items() if key != "$ref"}
            yield template, {**item, **beside}, place


def _methods(item: dict[str, Any], place: str, version: str) -> Iterator[tuple[bytes, dict[str, Any], str]]:
    """Walk the operations of a path item; raises `ContractInvalid` for a method that cannot be carried."""
    fixed = (*_FIXED, "query") if version.startswith("3.2") else _FIXED
    for key in fixed:
        if isinstance(item.get(key), dict):
            yield key.upper().encode(), item[key], f"{place}/{key}"
    additional = item.get("additionalOperations") if version.startswith("3.2") else None
    for key, spec in mapping(additional, f"{place}/additionalOperations").items():
        pointer = f"{place}/additionalOperations{token(key)}"
        if key.encode() not in CARRIED_METHODS or key.lower() in fixed:
            raise refused(f"the method {key[:40]!r} cannot be carried by the HTTP parser", pointer)
        if isinstance(spec, dict):
            yield key.encode(), spec, pointer


def _names(template: str, place: str) -> tuple[str, ...]:
    """List the braces of a template; raises `ContractInvalid` for one that no request could reach."""
    names = tuple(_BRACES.findall(template))
    rest = _BRACES.sub("{}", template)
    segments = rest.split("/")[1:]
    if not template.startswith("/") or "?" in rest or "#" in rest or "\\" in rest:
        raise refused(f"the path {template!r} must start with / and have no query or fragment", place)
    if "" in segments[:-1] or "." in segments or ".." in segments:
        raise refused(
            f"the path {template!r} has empty or dot segments, which are refused on the wire", place
        )
    if "{" in rest.replace("{}", "") or "}" in rest.replace("{}", "") or "" in names or "{}{}" in rest:
        raise refused(f"the braces of {template!r} name no parameters that could be told apart", place)
    if len(set(names)) != len(names):
        raise refused(f"the path {template!r} names a parameter twice", place)
    return names


def _parameters(
    root: dict[str, Any], item: dict[str, Any], spec: dict[str, Any], place: str, pointer: str
) -> tuple[tuple[dict[str, Any], str], ...]:
    """Join the parameters of the path item and of the operation, which override by name and place."""
    found: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
    for source, base in ((item.get("parameters"), place), (spec.get("parameters"), pointer)):
        listed: dict[tuple[str, str], Any] = {}
        for index, declared in enumerate(listing(source, f"{base}/parameters")):
            parameter, at = follow(root, declared, f"{base}/parameters/{index}")
            if not isinstance(parameter, dict) or not isinstance(parameter.get("in"), str):
                raise refused("a parameter leads to nothing", f"{base}/parameters/{index}")
            name = str(parameter.get("name"))
            key = name.lower() if parameter["in"] == "header" else name
            if listed.setdefault((parameter["in"], key), parameter) != parameter:
                key = f"{key} {index}"  # declared in two ways, which whoever compiles the parameters refuses
            found[parameter["in"], key] = (parameter, at)
    return tuple(found.values())


def _describe(operation: Operation, root: Any, spec: dict[str, Any], pointer: str) -> None:
    """Fill in what the head of a request is judged by."""
    body = dereference(root, spec.get("requestBody"))
    operation.takes_body = isinstance(body, dict) and bool(body.get("content"))
    operation.request_body_required = operation.takes_body and body.get("required") is True
    limit = spec.get("x-interlock-max-body")
    operation.max_body = (
        limit if isinstance(limit, int) and not isinstance(limit, bool) and limit >= 0 else None
    )
    operation.deprecated = spec.get("deprecated") is True
    operation.weight = _weight(spec.get("x-interlock-weight", 1), pointer)


def _weight(declared: Any, pointer: str) -> int:
    if isinstance(declared, bool) or not isinstance(declared, int) or not 1 <= declared <= HEAVIEST:
        raise refused(f"x-interlock-weight is a whole number from 1 to {HEAVIEST}", pointer)
    return declared
