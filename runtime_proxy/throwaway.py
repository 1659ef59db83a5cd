"""A whole bundle out of one OpenAPI file, signed by a key that nobody keeps: what `proxy run` serves."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Key,
    Route,
    RoutesPart,
)
from kernel.bundle.policy import Channels, ConsumerPolicy, RoutePolicy
from kernel.bundle.trust import CertificateBinding, TokenBinding
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import kind_of, parse
from kernel.contract.local_files import inline_files
from kernel.contract.references import embed_urns
from kernel.contract.urn import NAME, Urn
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, InterlockError, Place, ReferenceRefused
from kernel.operation.channel_contract import compile_channels
from kernel.operation.compile import compile_contract
from kernel.sealing.keys import SigningKey, Trust
from runtime_proxy.credentials import describe_place, reader_of
from runtime_proxy.match import PathTrie
from runtime_proxy.validate_request import fault_of

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.contract.document import Document
    from kernel.operation.compile import CompiledContract
    from runtime_proxy.plan import Plan

_PURPOSES: Final = ("contracts", "access", "routes", "audit-heads")
_NUMBERS: Final = re.compile(r"[vV]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:\D.*)?")
_LONGEST_NAME: Final = 64
_CONSUMER: Final = "local"
_ADAPTER: Final = "upstream"


@dataclass(frozen=True, slots=True)
class Way:
    """How one file is to be served; `prefix` is "" or like "/api"."""

    upstream: str  # http(s)://host[:port][/path]
    prefix: str = ""
    report_only: bool = False
    timeout_seconds: float = 30.0
    policy: RoutePolicy = field(default_factory=RoutePolicy)
    pins: tuple[CertificateBinding, ...] = ()  # client certificates that open what asks for mutual TLS
    secure: bool = False  # the proxy itself speaks TLS


@dataclass(frozen=True, slots=True)
class Throwaway:
    """What was made: the folder of the bundle, who signed it, and the key that opens what asks for one."""

    folder: Path
    trust: Trust
    signer: SigningKey
    contract: str
    version: str
    operations: int
    key: str  # "" where the file declares no security
    places: tuple[str, ...]  # how to present the key, in words
    document: Document
    beyond: int = 0  # operations that the key does not open


def make_bundle(file: Path, way: Way, folder: Path) -> Throwaway:
    """Read, compile and sign one OpenAPI file (with the local files that it refers to) into `folder`.

    Raises `InterlockError` with the place in the file where it is no contract that can be served.
    """
    document = _read(file)
    name, version = _name_of(document.root, file), _version_of(document.root)
    schemas = _Schemas(file)
    kind = kind_of(document.root)
    contract = _compiled(document, name, schemas)
    signer = SigningKey.generate("throw-away")
    root = document.root
    if kind == "openapi":
        # A stranger's file may rely on query fields that it does not declare; it can ask for `strict` itself.
        root = {"x-interlock-unknown-query": "allow", **root}
    contracts = [_entry(folder, name, version, kind, root)]
    contracts += [
        _entry(folder, urn.name, str(urn.version), "schema", root) for urn, root in schemas.found.values()
    ]
    key, consumer = _consumer(contract, name, Version.parse(version).major, way)
    places = tuple(dict.fromkeys(_places(contract))) if key else ()
    route = Route(
        contract=name,
        major=Version.parse(version).major,
        current=version,
        versions=(version,),
        adapter=_ADAPTER,
        report_only=way.report_only,
        report_requests=way.report_only,
        timeout_seconds=way.timeout_seconds,
        base_path=way.prefix,
        policy=_for_channels(way.policy) if kind == "asyncapi" else way.policy,
    )
    adapter = AdapterInstance(_ADAPTER, "http", {"base_url": way.upstream})
    for part in (
        ContractsPart(1, tuple(contracts)),
        AccessPart(1, (consumer,)),
        RoutesPart(1, "local", (adapter,), (route,)),
    ):
        write_part(folder, part, signer)
    return Throwaway(
        folder=folder,
        trust=Trust.of(signer, *_PURPOSES),
        signer=signer,
        contract=name,
        version=version,
        operations=len(contract.operations),
        key="" if way.report_only else key,
        places=places,
        document=document,
        beyond=_beyond(contract),
    )


def _read(file: Path) -> Document:
    try:
        document = inline_files(file)
    except InterlockError as error:
        if error.place is None or not error.place.source:
            error.place = Place(str(file))
        raise
    if kind_of(document.root) not in {"openapi", "asyncapi"}:
        raise ContractInvalid(
            "this is no OpenAPI or AsyncAPI document",
            hint="the proxy serves paths and channels; give it an OpenAPI 3 or AsyncAPI file",
            place=Place(str(file)),
        )
    return document


class _Schemas:
    """Canonical schemas by URN, where they lie beside the file as in our own contracts folder."""

    def __init__(self, file: Path) -> None:
        self._folder = file.resolve().parent.parent.parent
        self.found: dict[str, tuple[Urn, Any]] = {}

    def lookup(self, urn: Urn) -> Any:
        """Read <folder>/<name>/<version>/schema.json; raises `ReferenceRefused` where there is none."""
        path = self._folder / urn.name / str(urn.version) / "schema.json"
        if not path.is_file():
            raise ReferenceRefused(
                f"canonical schema {urn.name} {urn.version} is not at hand",
                hint="a file on its own cannot name registry URNs; serve the contract from a registry",
            )
        root = parse(path.read_bytes(), name=path.name).root
        self.found[urn.digest] = (urn, root)
        return root


def prepare_all(plan: Plan, document: Document) -> list[InterlockError]:
    """Compile everything now; gives an error with its place for each operation that can never be served."""
    faults: list[InterlockError] = []
    for route in plan.routes:
        for operation, served in route.current.operations.items():
            try:
                operation.prepare()
                if served.channel is not None:
                    served.channel.prepare()
            except InterlockError as error:
                served.fault = fault_of(error)
                error.message = f"{operation.method.decode()} {operation.template}: {error.message}"
                faults.append(_placed(error, document))
    return faults


def _compiled(document: Document, name: str, schemas: _Schemas) -> CompiledContract:
    try:
        root = embed_urns(document.root, schemas.lookup)
        if kind_of(root) == "asyncapi":
            contract = compile_channels(root, name=name).contract
        else:
            contract = compile_contract(root, name=name)
        PathTrie(contract.operations)
    except InterlockError as error:
        raise _placed(error, document) from None
    if not contract.operations:
        raise ContractInvalid(
            "the file declares no operation",
            hint="declare at least one under `paths`, or a channel and a server of protocol ws or http",
            place=document.position("/paths" if kind_of(document.root) == "openapi" else "/channels"),
        )
    return contract


def _for_channels(policy: RoutePolicy) -> RoutePolicy:
    """Let pages of any origin in, where nobody says whose: the proxy is for trying out."""
    return (
        policy
        if policy.channels is not None
        else msgspec.structs.replace(policy, channels=Channels(origins=("*",)))
    )


def _placed(error: InterlockError, document: Document) -> InterlockError:
    """Give the same error with file, line and column."""
    pointer = error.place.pointer if error.place is not None else None
    if pointer is not None and error.place is not None and error.place.line is None:
        error.place = document.position(pointer)
    elif error.place is None or not error.place.source:
        error.place = Place(document.name, pointer=pointer)
    error.hint = error.hint or "correct the file there; `interlock check FILE` lists everything it finds"
    return error


def _entry(folder: Path, name: str, version: str, kind: Any, root: Any) -> ContractEntry:
    digest = write_blob(folder, canonical_bytes(root))
    return ContractEntry(name, version, kind, "frozen", "public", digest)


def _consumer(contract: CompiledContract, name: str, major: int, way: Way) -> tuple[str, Consumer]:
    """Make one consumer that may do everything the file names, and its key where one is asked for.

    Every token that the route trusts is this consumer's; scopes and audience are the token's own.
    """
    scopes = {
        scope
        for operation in contract.operations
        for alternative in operation.security
        for needed in alternative.values()
        for scope in needed
    }
    grants = (Grant(name, major, scopes=tuple(sorted(scopes))),)
    if not any(operation.security for operation in contract.operations):
        return "", Consumer(_CONSUMER, "whoever calls", "internal", (), grants)
    key_id = secrets.token_hex(4)
    key = f"ilk_{key_id}_{secrets.token_hex(16)}"
    row = Key(key_id, hashlib.sha256(key.encode()).hexdigest())
    issuers = way.policy.tokens.issuers if way.policy.tokens is not None else ()
    tokens = tuple(TokenBinding(one.issuer, one.issuer, "iss") for one in issuers)
    bound = ConsumerPolicy(tokens=tokens or None, certificates=way.pins or None)
    holder = "holder of the throw-away key"
    return key, Consumer(_CONSUMER, holder, "internal", (row,), grants, policy=bound)


def _places(contract: CompiledContract) -> list[str]:
    used = {
        name: None
        for operation in contract.operations
        for alternative in operation.security
        for name in alternative
    }
    schemes = [contract.security_schemes[name] for name in used if name in contract.security_schemes]
    return [describe_place(scheme) for scheme in schemes if reader_of(scheme) is not None]


def _beyond(contract: CompiledContract) -> int:
    """Count the operations each of whose alternatives asks for what is no key, as mutualTLS does."""
    readable = {name for name, one in contract.security_schemes.items() if reader_of(one) is not None}
    return sum(
        bool(operation.security) and not any(set(needed) <= readable for needed in operation.security)
        for operation in contract.operations
    )


def _name_of(root: Any, file: Path) -> str:
    info = root.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    for text in (title, file.stem):
        words = re.findall(r"[a-z0-9]+", str(text or "").lower())
        name = "-".join(words)[:_LONGEST_NAME].strip("-")
        name = name if name[:1].isalpha() else f"api-{name}"[:_LONGEST_NAME].strip("-")
        if words and NAME.fullmatch(name):
            return name
    return "api"


def _version_of(root: Any) -> str:
    """Read info.version as a semantic version, however it is written; the proxy needs some number."""
    info = root.get("info")
    text = str(info.get("version", "")) if isinstance(info, dict) else ""
    try:
        return str(Version.parse(text))
    except InterlockError:
        found = _NUMBERS.fullmatch(text.strip())
        numbers = [int(part or 0) for part in found.groups()] if found else [1, 0, 0]
        return ".".join(map(str, numbers))
