"""Compile the documents that a bundle routes; a document is known by its digest and compiled once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.document import kind_of, parse
from kernel.contract.references import embed_urns
from kernel.contract.urn import PREFIX
from kernel.errors import BundleError, InterlockError, Place
from kernel.operation.channel_contract import compile_channels
from kernel.operation.compile import compile_contract
from kernel.operation.undeclared import Unknown
from runtime_proxy.declared import declared_headers, undeclared_conditions
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.match import PathTrie

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernel.bundle.model import Bundle, ContractEntry
    from kernel.bundle.policy import RoutePolicy
    from kernel.contract.urn import Urn
    from kernel.operation.channels import Channel
    from kernel.operation.compile import CompiledContract
    from kernel.operation.operation import Operation

LARGEST_ASLEEP: Final = (
    512 * 1024
)  # bytes of a document; to read a larger one again would hold up other calls
_URN: Final = PREFIX.encode()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan needs to know of an operation's text."""

    headers: frozenset[bytes]  # declared ones, in lower case
    conditions: frozenset[bytes]  # request headers whose answers the contract does not declare
    flows: tuple[bool, bool]  # whether some request, and some answer, may pass in pieces


# Of frozen contracts that say nothing themselves: a query field that nobody declared is a misspelt filter, or
# somebody's way around the contract. Headers and cookies belong to many hands on the way.
UNKNOWN: Final = Unknown(query="strict")


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A contract document with its operations and their trie; the same for every route and bundle.

    The document itself is not held: `root` reads it from its bytes (canonical schemas embedded).
    """

    root: Callable[[], Any]
    contract: CompiledContract
    trie: PathTrie
    facts: Mapping[Operation, Facts]
    size: int  # bytes of the document
    channels: Mapping[str, Channel] = field(default_factory=dict)  # by operation id: of an AsyncAPI contract

    def let_go(self) -> None:
        """Hold nothing of the document while no operation is awake, if reading it again is no long pause."""
        if self.size <= LARGEST_ASLEEP:
            self.contract.let_go(self.root)


def compile_routed(bundle: Bundle, known: Mapping[str, Compiled]) -> dict[str, Compiled]:
    """Compile every document that a route serves, by digest; `known` ones are taken over.

    An event contract without a WebSocket or SSE channel is left out: what serves it is a listener. Runs in a thread of its
    own, beside the serving loop. Raises `ActivationFailed` naming contract and place.
    """
    result: dict[str, Compiled] = {}
    for entry in routed(bundle):
        if entry.digest not in result:
            made = known.get(entry.digest) or _compile(bundle, entry)
            if made is not None:
                result[entry.digest] = made
    return result


def routed(bundle: Bundle) -> list[ContractEntry]:
    """List the OpenAPI and AsyncAPI versions that routes serve."""
    entries = [
        bundle.entry(route.contract, version) for route in bundle.routes.routes for version in route.versions
    ]
    return [entry for entry in entries if entry.kind in {"openapi", "asyncapi"}]


def _compile(bundle: Bundle, entry: ContractEntry) -> Compiled | None:
    where = f"{entry.name} {entry.version}"
    document = bundle.blobs[entry.digest]
    schemas: dict[
        str, bytes
    ] = {}  # only what this document needs: it is held as long as the contract is served

    def lookup(urn: Urn) -> Any:
        if urn.digest not in schemas:
            if urn.digest not in bundle.blobs:
                raise BundleError(f"{where} needs {urn.name} {urn.version}, which the bundle does not hold")
            schemas[urn.digest] = bundle.blobs[urn.digest]
        return parse(schemas[urn.digest], name=f"{urn.name} {urn.version}", media="json").root

    try:
        root = _root(document, where, lookup)
        if entry.kind == "asyncapi":
            return _channels(root, entry, len(document))
        contract = compile_contract(root, name=entry.name, unknown=UNKNOWN)
        facts = _facts(root, contract)
        again = _reader(document, where, schemas)
        made = Compiled(again, contract, PathTrie(contract.operations), facts, len(document))
        made.let_go()  # at once: a thousand of them are never here together
        return made
    except InterlockError as error:
        pointer = error.place.pointer if error.place is not None else None
        raise ActivationFailed(
            f"{where} cannot be served: {error.message}", hint=error.hint, place=Place(where, pointer=pointer)
        ) from error


def _reader(document: bytes, where: str, schemas: Mapping[str, bytes]) -> Callable[[], Any]:
    """Give what reads the document again; it knows its bytes, and nothing of the bundle that they came with."""

    def lookup(urn: Urn) -> Any:
        return parse(schemas[urn.digest], name=f"{urn.name} {urn.version}", media="json").root

    return lambda: _root(document, where, lookup)


def _root(document: bytes, where: str, lookup: Callable[[Urn], Any]) -> Any:
    root = parse(document, name=where, media="json").root
    return embed_urns(root, lookup) if _URN in document else root


def _channels(root: Any, entry: ContractEntry, size: int) -> Compiled | None:
    """Compile an event contract; what the router is given instead of it is held."""
    if kind_of(root) != "asyncapi":
        return None
    made = compile_channels(root, name=entry.name)
    if not made.channels:
        return None
    facts = _facts(made.root, made.contract)
    trie = PathTrie(made.contract.operations)
    return Compiled(lambda: made.root, made.contract, trie, facts, size, made.channels)


def _facts(root: Any, contract: CompiledContract) -> dict[Operation, Facts]:
    return {
        operation: Facts(
            declared_headers(root, operation), undeclared_conditions(root, operation), _flows(operation)
        )
        for operation in contract.operations
    }


def _flows(operation: Operation) -> tuple[bool, bool]:
    try:
        return operation.may_flow()
    except InterlockError:  # as it stands it is refused at its first call
        return False, False


def unknown_of_route(policy: RoutePolicy) -> tuple[Unknown, frozenset[bytes]]:
    """Give the route's policy for undeclared fields, and the header that it reads itself."""
    said, name = policy.unknown, policy.address.header if policy.address is not None else None
    return (
        Unknown() if said is None else Unknown(said.query, said.header, said.cookie),
        frozenset() if name is None else frozenset({name.lower().encode()}),
    )
