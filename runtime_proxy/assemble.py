"""Put compiled documents, routes, consumers and adapters together into one plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.resilience.repeating import Repeating
from kernel.audit.record import operation_fields
from kernel.bundle.introducing import ENFORCED
from runtime_proxy.addressing import addresses_of
from runtime_proxy.authenticate import compile_security
from runtime_proxy.browsers import browser_terms
from runtime_proxy.cache import cached, marks_health
from runtime_proxy.cache_store import CacheStore
from runtime_proxy.compiled import routed, unknown_of_route
from runtime_proxy.consumers import served_consumer
from runtime_proxy.credentials import (
    AUTHORIZATION,
    BasicReader,
    BearerReader,
    CookieReader,
    HeaderReader,
    QueryReader,
    reader_of,
)
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.forwarding import not_forwarded, refuses_slash
from runtime_proxy.idempotency import keyed_of
from runtime_proxy.lifecycle import (
    base_of,
    lifecycle_headers,
    route_audience,
    seconds_of,
)
from runtime_proxy.match import Mount, Router
from runtime_proxy.mock import mock_headers, mocked
from runtime_proxy.plan import (
    IDEMPOTENT,
    SAFE,
    AdapterSlot,
    KeyRow,
    Plan,
    ServedOperation,
    ServedRoute,
    ServedVersion,
)
from runtime_proxy.published import metadata_url, published_documents
from runtime_proxy.purpose import asked_purpose
from runtime_proxy.retired import retired_mounts
from runtime_proxy.serials import Serials
from runtime_proxy.stream_terms import StreamTerms
from runtime_proxy.streams import streams_of
from runtime_proxy.throttle import limit_set
from runtime_proxy.token_trust import TrustStore
from runtime_proxy.trusted import Callers, Trusted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kernel.bundle.model import Bundle, ContractEntry, Route
    from kernel.operation.operation import Operation
    from runtime_proxy.compiled import Compiled
    from runtime_proxy.plan import Header
    from runtime_proxy.throttle import Limiter


@dataclass(frozen=True, slots=True)
class Terms:
    """What all operations of this process have in common."""

    max_body: int  # bytes
    server: str
    streams: StreamTerms = field(default_factory=StreamTerms)
    open_reports: bool = False  # routes that report requests ask for no key; never where others can call
    certificates: bool = False  # the listener asks for client certificates
    cache: tuple[int, int] = (1024, 64 * 1024 * 1024)  # answers, bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan is made of besides its bundle; `now` in monotonic nanoseconds."""

    compiled: Mapping[str, Compiled]  # by digest
    slots: Mapping[str, AdapterSlot]  # started adapters by name
    limiter: Limiter
    terms: Terms
    now: int
    trust: TrustStore = field(default_factory=TrustStore)


def assemble(bundle: Bundle, parts: Parts) -> Plan:
    """Make the plan of a bundle; raises `ActivationFailed` for a route that cannot be served."""
    *_, plan = assembling(bundle, parts)
    assert plan is not None  # the last thing that it gives
    return plan


def assembling(bundle: Bundle, parts: Parts) -> Iterator[Plan | None]:
    """Make it route by route, giving None after each: a thousand contracts take half a second."""
    serials = Serials(bundle.contracts.serial, bundle.access.serial, bundle.routes.serial)
    http = {(entry.name, entry.version) for entry in routed(bundle) if entry.digest in parts.compiled}
    most, size = parts.terms.cache
    assembly = _Assembly(bundle, parts, serials, CacheStore(most, size) if most else None)
    made: list[ServedRoute] = []
    for given in bundle.routes.routes:
        kind = bundle.entry(given.contract, given.current).kind  # events may also go to a listener
        if (given.contract, given.current) in http and (kind == "openapi" or given.adapter in parts.slots):
            made.append(assembly.route(given))
            yield None
    routes = tuple(made)
    mounts = [Mount(route.base.decode(), route.current.trie, route, route.audience) for route in routes]
    mounts += retired_mounts(bundle, {(route.contract, route.major) for route in routes})
    consumers = {
        one.id: served_consumer(one, routes, parts.limiter, parts.now) for one in bundle.access.consumers
    }
    assembly.callers.bind(bundle.access.consumers, consumers)
    keys = {
        key.id.encode(): KeyRow(
            key.id, bytes.fromhex(key.sha256), consumers[one.id], seconds_of(key.expires_at)
        )
        for one in bundle.access.consumers
        for key in one.keys
    }
    slots = tuple(parts.slots.values())
    yield Plan(
        serials,
        bundle.routes.environment,
        Router(mounts),
        routes,
        consumers,
        keys,
        slots,
        tuple(mounts),
        addresses_of(routes, mounts),
        store=assembly.store,
        published=published_documents(routes),
    )


@dataclass(frozen=True, slots=True)
class _Assembly:
    bundle: Bundle
    parts: Parts
    serials: Serials
    store: CacheStore | None = None
    callers: Callers = field(default_factory=Callers)

    def route(self, given: Route) -> ServedRoute:
        slot = self.parts.slots.get(given.adapter)
        if slot is None:
            raise ActivationFailed(
                f"{given.contract} v{given.major} is routed to {given.adapter!r}, which takes no calls",
                hint="route it to an adapter that calls a provider, not to a listener",
            )
        name = f"{given.contract} v{given.major}"
        parts, shadow = self.parts, given.policy.shadow or ENFORCED
        held = parts.limiter.owner(f"route {name}", given.limits, given.policy.limits, parts.now)
        made = ServedRoute(
            contract=given.contract,
            major=given.major,
            base=base_of(given).encode(),
            adapter=_repeated(slot, given),
            versions={},
            held=held,
            limits=limit_set(parts.limiter, held),
            upstream_prefix=given.upstream_prefix.rstrip("/").encode(),
            timeout_seconds=given.timeout_seconds,
            report_only=given.report_only or shadow.answers,
            report_requests=given.report_requests or shadow.requests,
            refuses_slash=refuses_slash(given.policy),
            open=given.report_requests and self.parts.terms.open_reports,
            audience=route_audience(self.bundle, given),
            purpose=asked_purpose(given.policy.purpose),
            policy=given.policy,
            streams=self.parts.terms.streams.under(given.policy.streams),
            origins=frozenset(given.policy.channels.origins if given.policy.channels is not None else ()),
        )
        trust = given.policy.tokens
        trusted = Trusted(self.callers, self.parts.trust.verifier(trust) if trust is not None else None)
        for version in given.versions:
            entry = self.bundle.entry(given.contract, version)
            headers = lifecycle_headers(self.bundle, given, entry) + mock_headers(made)
            made.versions[version] = self.version(entry, made, headers, trusted)
        _weigh(made, given.policy.weights or {})
        made.current = made.versions[given.current]
        made.browsers = browser_terms(made, parts.compiled)
        return made

    def version(
        self, entry: ContractEntry, route: ServedRoute, headers: tuple[Header, ...], trusted: Trusted
    ) -> ServedVersion:
        document = self.parts.compiled[entry.digest]
        schemes = document.contract.security_schemes
        readers = [reader for scheme in schemes.values() if (reader := reader_of(scheme)) is not None]
        if route.open:
            readers = []  # nobody is asked for our keys, so what is shown is the provider's own
        version = ServedVersion(
            contract=entry.name,
            version=entry.version,
            digest=entry.digest,
            audience=entry.audience,
            trie=document.trie,
            operations={},
            headers=headers,
            queries=tuple(reader for reader in readers if isinstance(reader, QueryReader)),
            cookies=tuple(reader for reader in readers if isinstance(reader, CookieReader)),
        )
        secret = {reader.name for reader in readers if isinstance(reader, HeaderReader)}
        if any(isinstance(reader, (BasicReader, BearerReader)) for reader in readers):
            secret.add(AUTHORIZATION)
        for operation in document.contract.operations:
            served = self.operation(operation, document, version, route, trusted)
            served.dropped |= secret
            served.audit["data_category"] = str(entry.metadata.get("sensitivity", "unknown"))
            version.operations[operation] = served
        mocked(route, version, document)
        if self.store is not None and any(one.caching is not None for one in document.contract.operations):
            cached(route, version, self.store, health=marks_health(self.bundle, entry))
        return version

    def operation(
        self,
        operation: Operation,
        document: Compiled,
        version: ServedVersion,
        route: ServedRoute,
        trusted: Trusted,
    ) -> ServedOperation:
        facts, judge = document.facts[operation], operation.under(*unknown_of_route(route.policy))
        declared = facts.headers
        keeps = b"x-request-id" in declared
        dropped = not_forwarded(declared) | facts.conditions
        most, limit = operation.max_body, self.parts.terms.max_body
        return ServedOperation(
            operation=judge,
            route=route,
            version=version,
            security=compile_security(
                operation.security,
                document.contract.security_schemes,
                version.contract,
                trusted,
                certificates=self.parts.terms.certificates,
                metadata=metadata_url(route.policy.tokens),
            ),
            changes=operation.method not in SAFE,
            idempotent=operation.method in IDEMPOTENT,
            dropped=dropped,
            declared=declared,
            keeps_request_id=keeps,
            body_limit=limit if most is None else min(most, limit),
            reports=judge.unknown.reports,
            keyed=keyed_of(operation.idempotency, route.name, operation.id),
            weight=operation.weight,
            streams=streams_of(operation, document.facts[operation].flows, route.adapter, route.streams),
            channel=document.channels.get(operation.id),
            audit=operation_fields(
                contract=version.contract,
                version=version.version,
                digest=version.digest,
                operation=operation.id,
                method=operation.method.decode(),
                route=operation.template,
                adapter=route.adapter.name,
                server=self.parts.terms.server,
                environment=self.bundle.routes.environment,
                bundle=self.serials.short,
            ),
        )


def _repeated(slot: AdapterSlot, given: Route) -> AdapterSlot:
    """Give the slot as this route calls it: itself, but where its policy asks for retries or hedging."""
    retries, hedging = given.policy.retries, given.policy.hedging
    if retries is None and hedging is None:
        return slot
    return AdapterSlot(slot.name, Repeating(slot, retries, hedging), turns_away=slot.turns_away)


def _weigh(route: ServedRoute, weights: Mapping[str, int]) -> None:
    """Let the route's policy overrule what the contract says an operation weighs."""
    served = [one for version in route.versions.values() for one in version.operations.values()]
    unknown = weights.keys() - {one.operation.id for one in served}
    if unknown:
        raise ActivationFailed(
            f"the policy of {route.name} weighs {min(unknown)!r}, which no active version declares",
            hint="name operations by their operationId",
        )
    for one in served:
        one.weight = weights.get(one.operation.id, one.weight)
