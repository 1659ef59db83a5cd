"""What the proxy says about itself outside the contracts' space: /-/healthz, /-/readyz, /-/metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson

from kernel.errors import AuditError
from runtime_proxy.exchange import LateReply, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime_proxy.plan import Plan
    from runtime_proxy.trail import Trail

_PATHS: Final = frozenset({b"/-/healthz", b"/-/readyz", b"/-/metrics"})
_OUTWARD: Final = frozenset({b"/-/healthz", b"/-/readyz"})
_OK: Final = 200
_JSON: Final = (b"content-type", b"application/json")
_TEXT: Final = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_NO_STORE: Final = (b"cache-control", b"no-store")


class SelfReport(Protocol):
    """What a pipeline asks for the proxy's own paths."""

    def reply(self, method: bytes, path: bytes, plan: Plan | None) -> Reply | None:
        """Answer one of our own paths; None: it is none of them."""


class Outward:
    """What an address for partners or the public says: whether we live and are ready, and nothing else."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def reply(self, method: bytes, path: bytes, plan: Plan | None) -> Reply | None:
        """Answer /-/healthz and /-/readyz without a word about bundles and contracts."""
        if path not in _OUTWARD:
            return None
        reply = self._health.reply(method, path, plan)
        if reply is not None and path == b"/-/readyz" and reply.body:
            reply.body = b'{"status":"ready"}' if reply.status == _OK else b'{"status":"not ready"}'
        return reply


class Health:
    """Alive is whoever answers; ready is who has a plan and can keep audit records."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self.trouble = ""  # why the last bundle was not taken; the one before keeps serving
        self.activations = 0
        self.refused_bundles = 0
        self.troubles: dict[str, str] = {}  # what else is out of order, by its name
        self.listener_faults = 0  # vain attempts of device listeners to listen
        self.denied: dict[str, int] = {}  # how much is denied by deny lists, by kind
        self.behind_since: float | None = None  # time.monotonic() when a bundle came that was not taken
        self.metrics: Callable[[], Iterator[bytes]] = lambda: iter((b"# this proxy keeps no metrics\n",))
        self.draining = False

    def reply(self, method: bytes, path: bytes, plan: Plan | None) -> Reply | None:
        """Answer one of our own paths; None: it is none of them."""
        if path not in _PATHS:
            return None
        if method not in {b"GET", b"HEAD"}:
            return Reply(405, [(b"allow", b"GET, HEAD"), _NO_STORE])
        if path == b"/-/metrics":
            pieces = self.metrics() if method == b"GET" else iter(())
            reply: Reply = LateReply(200, [_TEXT, _NO_STORE], pieces=pieces)
        elif path == b"/-/healthz":
            reply = Reply(200, [_JSON, _NO_STORE], b'{"status":"alive"}')
        else:
            reply = self._ready(plan)
        if method == b"HEAD":
            reply.body = b""
        return reply

    def _ready(self, plan: Plan | None) -> Reply:
        why = "draining" if self.draining else "" if plan is not None else "no bundle is active"
        try:
            self._trail.check()
        except AuditError as error:
            why = error.message
        body = {
            "status": "not ready" if why else "ready",
            "why": why,
            "bundle": _serials(plan),
            "trouble": self.trouble,
            "troubles": self.troubles,
            "denied": self.denied,
        }
        return Reply(503 if why else 200, [_JSON, _NO_STORE], orjson.dumps(body))


def _serials(plan: Plan | None) -> dict[str, int]:
    return plan.serials.as_json() if plan is not None else {}
