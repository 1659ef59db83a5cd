"""What is said to a call that leads to no operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_proxy.observe import observe_undeclared
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_head import MethodNotAllowed
from runtime_proxy.replies import options_reply, published_reply

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.match import Miss
    from runtime_proxy.plan import Plan
    from runtime_proxy.refusal import Refusal


def missed(exchange: Exchange, miss: Miss, path: bytes, plan: Plan) -> Refusal | None:
    """Refuse, or prepare what is answered all the same; `path` b"": nothing but the contract counts."""
    allow = [(b"allow", b", ".join(miss.allow))] if miss.allow else []
    route = miss.target
    if route is not None and route.browsers is not None and route.browsers.greet(exchange, miss.rest):
        return None
    if route is not None and route.open and path:
        observe_undeclared(exchange, route, path, miss.slug)
        return None
    if miss.slug == "not-found":
        exchange.prepared = published_reply(exchange, plan, path)
        if exchange.prepared is not None:
            return None
    if miss.slug == "options":
        exchange.prepared = options_reply(allow, exchange)
        return None
    return MethodNotAllowed(headers=allow) if allow else REFUSALS[miss.slug]()
