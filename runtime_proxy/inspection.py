"""Answers what the proxy would do, without doing it: for `proxy check` and `proxy plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from adapters.port import Answer, Call
from adapters.resilience.repeating import Repeating
from kernel.bundle.deny import Denied
from kernel.bundle.introducing import ENFORCED
from kernel.bundle.policy_document import policy_document
from kernel.errors import InterlockError
from runtime_proxy.activate import probe
from runtime_proxy.assemble import Parts, Terms, assemble
from runtime_proxy.compiled import compile_routed
from runtime_proxy.declared import declared_checks
from runtime_proxy.exchange import Exchange
from runtime_proxy.fronts import seen_from
from runtime_proxy.match import Match, Miss
from runtime_proxy.plan import AdapterSlot
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.throttle import LocalLimiter
from runtime_proxy.validate_request import fault_of

if TYPE_CHECKING:
    from kernel.bundle.introducing import Shadow
    from kernel.bundle.model import Bundle
    from kernel.bundle.policy import RoutePolicy
    from kernel.operation.idempotency import Idempotency
    from kernel.operation.operation import Operation
    from runtime_proxy.compiled import Compiled
    from runtime_proxy.fronts import Front
    from runtime_proxy.plan import Access, LimitSet, Plan, ServedOperation, ServedRoute


class _Unstarted:
    """Stands where an adapter would; it is never called."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""

    async def call(self, call: Call) -> Answer:
        """Refuse: a plan under inspection carries nothing out."""
        raise InterlockError(f"{self.name} is only inspected; {call.operation_id} is not carried out")


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A plan that serves nobody, with the documents that it was made of."""

    plan: Plan
    compiled: dict[str, Compiled]
    policies: dict[tuple[str, int], RoutePolicy]


def trial_of(bundle: Bundle, max_body: int) -> Trial:
    """Compile and assemble a bundle as activation would, without adapters; raises `ActivationFailed`."""
    slots = {
        one.name: AdapterSlot(one.name, _Unstarted(one.name, one.kind)) for one in bundle.routes.adapters
    }
    compiled = compile_routed(bundle, {})
    plan = assemble(bundle, Parts(compiled, slots, LocalLimiter(), Terms(max_body, "inspection"), 0))
    probe(plan)
    return Trial(plan, compiled, {(one.contract, one.major): one.policy for one in bundle.routes.routes})


def describe_bundle(plan: Plan) -> dict[str, Any]:
    """Say what a plan serves: serials, routes, consumers; no key and no secret."""
    return {
        "serials": plan.serials.as_json(),
        "environment": plan.environment,
        "routes": [
            {
                "base": route.base.decode(),
                "contract": route.contract,
                "versions": list(route.versions),
                "current": route.current.version,
                "operations": len(route.current.operations),
                "adapter": f"{route.adapter.name} ({route.adapter.adapter.kind})"
                if route.policy.mock is None
                else "mock (the contract answers)",
                "limits": _limits(route.limits),
                "report_only": route.report_only,
                "timeout_seconds": route.timeout_seconds,
            }
            for route in plan.routes
        ],
        "consumers": len(plan.consumers),
        "keys": len(plan.keys),
    }


def unservable(plan: Plan) -> list[str]:
    """Compile every operation, and list those that the proxy would refuse with 501, with the reason."""
    faults: list[str] = []
    for route in plan.routes:
        for version in route.versions.values():
            for operation in version.operations:
                fault = _fault(operation)
                if fault:
                    method = operation.method.decode()
                    faults.append(
                        f"{version.contract} {version.version} {method} {operation.template}: {fault}"
                    )
    return faults


def _fault(operation: Operation) -> str:
    try:
        operation.prepare()
    except InterlockError as error:
        return fault_of(error)
    return ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where and as whom a call is asked about; `front` None: as if one address served everything."""

    consumer: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    front: Front | None = None
    denied: frozenset[Denied] = frozenset()  # by the deny lists


_PLAIN: Final = Asked()


def explain_call(trial: Trial, method: str, url: str, asked: Asked = _PLAIN) -> dict[str, Any]:
    """Say what would serve a call, or with which refusal it would end (`refusal`, `status`)."""
    plan = trial.plan if asked.front is None else seen_from(trial.plan, asked.front)
    found = _found(plan, method, url, asked)
    if isinstance(found, Miss) and found.target is not None:
        found = found.target.in_any_version(method.encode(), found)
    if isinstance(found, Miss):
        return _refused(found)
    route: ServedRoute = found.target
    access = _access(plan, route, asked)
    if isinstance(access, dict):
        return access
    version = route.current if access is None or access.version is None else access.version
    again = version.trie.match(method.encode(), found.rest, route)
    if not isinstance(again, Match):
        return _refused(again)
    limits = route.limits if access is None else access.limits
    served = version.operations[again.operation]
    checks = declared_checks(trial.compiled[version.digest].root(), again.operation)
    pin = access.pin if access is not None else ""
    policy = trial.policies[route.contract, route.major]
    watched = plan.consumers[asked.consumer].shadow if asked.consumer is not None else ENFORCED
    return (
        _described(served, again, limits, watched) | checks | {"pin": pin, "policy": policy_document(policy)}
    )


def _access(plan: Plan, route: ServedRoute, asked: Asked) -> Access | dict[str, Any] | None:
    """Give the access of the consumer that asks (None: nobody in particular), or the refusal it would get."""
    if Denied("route", f"{route.contract}/v{route.major}") in asked.denied:
        return {"refusal": "denied", "status": 403, "contract": route.contract, "denied": "the route"}
    name = asked.consumer
    if name is None:
        return None
    consumer = plan.consumers.get(name)
    if consumer is None:
        raise InterlockError(
            f"the bundle holds no consumer {name[:64]!r}",
            hint=f"one of: {', '.join(plan.consumers) or 'none'}",
        )
    if Denied("consumer", consumer.id) in asked.denied:
        return {"refusal": "denied", "status": 403, "contract": route.contract, "denied": "the consumer"}
    access = consumer.access.get(route)
    if access is None:
        return {"refusal": "not-granted", "status": 403, "contract": route.contract}
    if access.version is None:
        return {"refusal": "retired", "status": 410, "contract": route.contract, "pin": access.pin}
    return access


def _found(plan: Plan, method: str, url: str, asked: Asked) -> Match | Miss:
    """Find the operation by path, Host and headers, as the pipeline does."""
    parts = urlsplit(url)
    path = (parts.path or "/").encode("utf-8", "surrogateescape")
    found = plan.router.match(method.encode(), path)
    if plan.addresses is not None:
        lines = [(name.lower().encode(), value.encode()) for name, value in asked.headers]
        host = [(b"host", parts.netloc.encode())] if parts.netloc else []
        exchange = Exchange(method.encode(), path, [*lines, *host], "", 0.0)
        found = plan.addresses.choose(exchange, path, found)
    return found


def _described(served: ServedOperation, found: Match, limits: LimitSet, watched: Shadow) -> dict[str, Any]:
    route, version = served.route, served.version
    return {
        "contract": version.contract,
        "version": version.version,
        "digest": version.digest,
        "operation": served.operation.id,
        "template": found.operation.template,
        "method": found.operation.method.decode(),
        "audience": version.audience,
        "security": _security(found),
        "tokens": _issuers(route),
        "purpose": list(route.purpose.values.values()) if route.purpose is not None else [],
        "audit": ["received", "completed"] if served.changes else ["completed"],
        "body_limit": served.body_limit,
        "idempotency": _idempotency(found.operation.idempotency),
        "limits": _limits(limits),
        "requests": _enforced(route.report_requests or watched.requests),
        "answers": _enforced(route.report_only or watched.answers),
        "adapter": f"{route.adapter.name} ({route.adapter.adapter.kind})",
        "served_for": route.audience,
        "answers_say": [f"{name.decode()}: {value.decode()}" for name, value in version.headers],
        "forwarded_to": (route.upstream_prefix + b"/" + b"/".join(found.rest)).decode(),
        "browsers": list(route.browsers.origins) if route.browsers is not None else [],
        "answers_kept": _kept(served, found.operation),
        "timeout_seconds": route.timeout_seconds,
        "sent_again": _sent_again(route),
        "unservable": served.fault or _fault(found.operation),
    }


def _kept(served: ServedOperation, operation: Operation) -> str:
    terms = operation.caching
    if terms is None or served.route.policy.mock is not None:
        return "never"
    if served.instead is None:
        return "never: marked as health data, whatever the contract allows"
    bound = "" if terms.max_age is None else f", for {terms.max_age} s at most"
    return f"as the provider's Cache-Control says{bound}"


def _enforced(reported: bool) -> str:  # noqa: FBT001 - a word for it
    return "reported" if reported else "enforced"


def _sent_again(route: ServedRoute) -> str:
    adapter = route.adapter.adapter
    if not isinstance(adapter, Repeating):
        return "never"
    told = [f"{adapter.retries.tries} tries where that is safe"] if adapter.retries is not None else []
    if adapter.hedging is not None:
        told.append(f"a second time after {adapter.hedging.after_seconds:g} s where that is idempotent")
    return "; ".join(told)


def _idempotency(terms: Idempotency | None) -> str:
    if terms is None:
        return "no key is taken"
    needed = "required" if terms.required else "optional"
    return f"key {needed}, kept for {terms.ttl_seconds} s, unique in the {terms.scope}"


def _security(found: Match) -> list[str]:
    return [
        " and ".join(
            f"{name} ({' '.join(scopes)})" if scopes else name for name, scopes in alternative.items()
        )
        or "nobody in particular"
        for alternative in found.operation.security
    ] or ["none asked for"]


def _issuers(route: ServedRoute) -> list[str]:
    """Name whose tokens the route takes where a bearer is asked for."""
    trust = route.policy.tokens
    if trust is None:
        return []
    asked = [f"introspection at {trust.introspection.endpoint}"] if trust.introspection is not None else []
    return [one.issuer for one in trust.issuers] + asked


def _refused(miss: Miss) -> dict[str, Any]:
    if miss.slug == "options":
        return {"answer": "204, by the proxy itself", "allow": [name.decode() for name in miss.allow]}
    body: dict[str, Any] = {"refusal": miss.slug, "status": REFUSALS[miss.slug].status}
    if miss.allow:
        body["allow"] = [name.decode() for name in miss.allow]
    return body


def _limits(limits: LimitSet) -> list[str]:
    told = [text for one in limits.told for text in one.describe()]
    return told + ([] if limits.special is None else list(limits.special.describe_shadows()))
