"""What the data plane runs from: a bundle compiled once, so that a request looks nothing up by name twice.

Dataclasses of a compiled module: their fields' types must be imported when the module is (ADR 25).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from adapters.errors import CallShed
from adapters.port import Adapter, Headers
from kernel.audit.forms import ExchangeForm
from kernel.bundle.introducing import ENFORCED, Shadow
from kernel.bundle.model import Audience
from kernel.bundle.policy import RoutePolicy
from kernel.operation.channels import Channel
from kernel.operation.idempotency import Idempotency
from kernel.operation.operation import Operation
from runtime_proxy.cache_store import CacheStore
from runtime_proxy.client_certificates import ClientCertificate
from runtime_proxy.counting import Counting
from runtime_proxy.credentials import CookieReader, QueryReader, Reader
from runtime_proxy.gcra import Cell
from runtime_proxy.match import Match, Miss, Mount, PathTrie, Router
from runtime_proxy.meter import Meter, OwnerLimits
from runtime_proxy.refusal import Refusal
from runtime_proxy.roles import Browsers, FurtherWays, Instead, Special, Streams
from runtime_proxy.serials import Serials
from runtime_proxy.stream_terms import StreamTerms

Header = tuple[bytes, bytes]
SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"QUERY"})  # RFC 9110 section 9.2.1
IDEMPOTENT: Final = SAFE | {b"PUT", b"DELETE"}  # section 9.2.2


class Trust(Protocol):
    """What may meet an alternative besides keys of ours (runtime_proxy/trusted.py)."""

    def meet(  # noqa: PLR0917 - hot
        self,
        alternative: Alternative,
        headers: Headers,
        query: bytes,
        keys: dict[bytes, KeyRow],
        now: float,
        certificate: ClientCertificate | None,
    ) -> Identity | Refusal:
        """Meet one alternative of which a token or a certificate may be part."""


@dataclass(frozen=True, eq=False)
class Alternative:
    """Schemes that must all be met by one consumer, and the scopes that its grant must hold.

    `trusted` is None where keys of ours alone can meet it, which is the plain case. `in_headers`: it is met by
    one key that stands in a header, so that the same headers meet it again.
    """

    readers: tuple[Reader, ...]
    scopes: frozenset[str]
    trusted: Trust | None = None
    certificate: bool = False  # a client certificate too
    noted: dict[str, Any] | None = None  # for the audit record, where keys met it
    in_headers: bool = False


@dataclass(frozen=True)
class Security:
    """What an operation asks for: one of `alternatives`, or nothing where `open_to_all`."""

    alternatives: tuple[Alternative, ...]
    open_to_all: bool
    challenges: tuple[tuple[bytes, bytes], ...]  # WWW-Authenticate lines
    rejections: tuple[tuple[bytes, bytes], ...]  # the same after bad credentials: with an error code
    unverifiable: bool  # something is declared, and nothing of it can be verified here


@dataclass(frozen=True)
class Keyed:
    """What an operation needs for its idempotency keys; `space` names what a key is unique in."""

    terms: Idempotency
    space: bytes


@dataclass(eq=False)
class AdapterSlot:
    """A started adapter and the exchanges that are on it; out of use, it is stopped when they have ended."""

    name: str
    adapter: Adapter
    in_flight: int = 0
    turns_away: Callable[[], CallShed | None] | None = None  # of an adapter with guards


@dataclass(frozen=True)
class AskedPurpose:
    """A purpose of use that must be stated: `header` in lower case; `values` by what may be sent."""

    header: bytes
    claim: str
    values: Mapping[bytes, str]


@dataclass(eq=False)
class LimitSet:
    """The limits that one call must pass together, and the line that announces them.

    `told` are all that are announced. They are `cells` where these are all there is; else `special` decides.
    """

    cells: tuple[Cell, ...]
    policy: Header
    told: tuple[Meter, ...] = ()
    special: Special | None = None


@dataclass(eq=False)
class ServedVersion:
    """One exact version of a contract on a route."""

    contract: str
    version: str
    digest: str
    audience: Audience
    trie: PathTrie
    operations: dict[Operation, ServedOperation]
    headers: tuple[Header, ...]  # X-Interlock-Contract and, where it is deprecated, Deprecation and Sunset
    queries: tuple[QueryReader, ...]  # where keys may stand: they are never forwarded,
    cookies: tuple[CookieReader, ...]  # whatever the operation itself asks for


@dataclass(eq=False)
class ServedRoute:
    """One contract major in this environment."""

    contract: str
    major: int
    base: bytes
    adapter: AdapterSlot
    versions: dict[str, ServedVersion]
    current: ServedVersion = field(init=False)  # it points back to its route
    held: OwnerLimits
    limits: LimitSet  # of the route alone: for calls without consumer
    upstream_prefix: bytes
    timeout_seconds: float
    report_only: bool
    report_requests: bool  # requests outside the contract pass too, and are counted
    refuses_slash: bool  # `%2F` in a path is refused, for a provider that decodes it too early
    streams: StreamTerms  # bounds of what passes in pieces
    origins: frozenset[str]  # of pages that may open its channels
    open: bool  # nobody is asked for a key, and undeclared calls pass: `proxy run --report-only` alone
    audience: Audience  # the narrowest of its versions: which listener it is served on
    policy: RoutePolicy
    denied: bool = False  # by a deny list: nobody is let through
    purpose: AskedPurpose | None = None  # it is used for stated purposes only
    browsers: Browsers | None = None  # what pages of other origins are told (CORS)

    @property
    def name(self) -> str:
        """`lab-orders v1`."""
        return f"{self.contract} v{self.major}"

    def in_any_version(self, method: bytes, miss: Miss) -> Match | Miss:
        """Look for what the current version does not know in the other active ones (newer, for a pin)."""
        if miss.slug in {"not-found", "method-not-allowed"}:
            for version in self.versions.values():
                if version is not self.current:
                    found = version.trie.match(method, miss.rest, self)
                    if isinstance(found, Match):
                        return found
        return miss

    def probe(self, found: Match) -> ServedOperation:
        """Give the matched operation, of the current version wherever that knows it."""
        return self.current.operations.get(found.operation) or next(
            version.operations[found.operation]
            for version in self.versions.values()
            if found.operation in version.operations
        )


@dataclass(eq=False)
class ServedOperation:
    """One operation of one exact version, with all that a call of it needs."""

    operation: Operation
    route: ServedRoute
    version: ServedVersion
    security: Security
    changes: bool  # it may change something: *received* is recorded before it is forwarded
    idempotent: bool
    dropped: frozenset[bytes]  # request headers that are not forwarded
    declared: frozenset[bytes]  # request headers that the contract declares
    keeps_request_id: bool  # the contract declares X-Request-Id: the caller's goes on to the provider
    body_limit: int
    audit: dict[str, Any]  # fields of every audit record of this operation
    weight: int = 1  # how many calls one call counts as
    # They write its plain audit records, by how the caller was known; each is made with its first call.
    forms: dict[str, ExchangeForm] = field(default_factory=dict, init=False)
    streams: Streams | None = None  # what of it may pass in pieces
    channel: Channel | None = None  # it opens a channel of an AsyncAPI contract
    fault: str = ""  # why the operation cannot be served: found when it was first compiled
    meter: Counting | None = None  # where its calls are counted, once one came
    keyed: Keyed | None = None  # it takes an Idempotency-Key
    instead: Instead | None = None  # who is asked before the adapter, or in its place
    reports: bool = False  # fields that the contract does not declare are told, and pass


@dataclass(frozen=True, eq=False)
class Access:
    """What one consumer may do on one route; `version` None: its pin is not served."""

    version: ServedVersion | None
    pin: str
    scopes: frozenset[str]
    limits: LimitSet


@dataclass(eq=False)
class ServedConsumer:
    """A calling system with its access by route."""

    id: str
    audience: Audience
    limits: LimitSet  # of the consumer alone: for calls that it holds no grant for
    denied: bool = False  # by a deny list: nothing is authorized
    access: dict[ServedRoute, Access] = field(default_factory=dict)
    priority: int = 1  # runtime_proxy.shedding: 0 critical, 1 normal, 2 background
    shadow: Shadow = ENFORCED  # what of its calls is only watched


@dataclass(frozen=True)
class KeyRow:
    """One API key: the digest of the whole key, whose it is, and when it ends (seconds since the epoch)."""

    id: str
    digest: bytes
    consumer: ServedConsumer
    expires_at: float | None


class Identity:
    """Who calls: the row of a key or token (None: nobody in particular), and the scopes that the call needs.

    `held` are the scopes of a token (None: no token was shown), `noted` are fields for the audit record,
    `claims` the texts in a token. A plain class, since calls with a token make one each.
    """

    __slots__ = ("claims", "held", "key", "noted", "scopes")

    def __init__(
        self,
        key: KeyRow | None,
        scopes: frozenset[str],
        held: frozenset[str] | None = None,
        noted: dict[str, Any] | None = None,
        claims: Mapping[str, str] | None = None,
    ) -> None:
        self.key = key
        self.scopes = scopes
        self.held = held
        self.noted = noted
        self.claims = claims

    def noting(self, name: str, value: str) -> Identity:
        """Give the same caller with one more field for the audit record."""
        return Identity(self.key, self.scopes, self.held, {**(self.noted or {}), name: value}, self.claims)


NOBODY: Final = Identity(None, frozenset())


@dataclass(frozen=True, eq=False)
class Plan:
    """One activated bundle; the pipeline holds one reference to it and swaps that."""

    serials: Serials
    environment: str
    router: Router
    routes: tuple[ServedRoute, ...]
    consumers: Mapping[str, ServedConsumer]
    keys: dict[bytes, KeyRow]  # by key id; denied ones are taken out (runtime_proxy/denials.py)
    slots: tuple[AdapterSlot, ...]
    mounts: tuple[Mount, ...] = ()  # what the router was made of
    addresses: FurtherWays | None = None  # Host names and headers that lead to routes too
    store: CacheStore | None = None  # of kept answers
    published: Mapping[bytes, bytes] = field(default_factory=dict)  # discovery documents by path
