"""What the proxy says about itself outside the contracts' space: /-/healthz, /-/readyz, /-/metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson

from kernel.errors import AuditError
from runtime_proxy.exchange import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self.draining = False
        self.more: list[Callable[[], list[str]]] = []  # further metrics, as lines

    def reply(self, method: bytes, path: bytes, plan: Plan | None) -> Reply | None:
        """Answer one of our own paths; None: it is none of them."""
        if path not in _PATHS:
            return None
        if method not in {b"GET", b"HEAD"}:
            return Reply(405, [(b"allow", b"GET, HEAD"), _NO_STORE])
        if path == b"/-/metrics":
            reply = Reply(200, [_TEXT, _NO_STORE], self._metrics(plan))
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

    def _metrics(self, plan: Plan | None) -> bytes:
        in_flight = sum(slot.in_flight for slot in plan.slots) if plan is not None else 0
        lines = [
            "# HELP interlock_bundle_activations_total Bundles that were taken up.",
            "# TYPE interlock_bundle_activations_total counter",
            f"interlock_bundle_activations_total {self.activations}",
            "# HELP interlock_bundle_refused_total Bundles that were not taken, and why stands in /-/readyz.",
            "# TYPE interlock_bundle_refused_total counter",
            f"interlock_bundle_refused_total {self.refused_bundles}",
            "# HELP interlock_exchanges_in_flight Calls that are on their way to providers.",
            "# TYPE interlock_exchanges_in_flight gauge",
            f"interlock_exchanges_in_flight {in_flight}",
        ]
        lines += [
            "# HELP interlock_bundle_serial Serial of each part in force.",
            "# TYPE interlock_bundle_serial gauge",
        ]
        lines += [
            f'interlock_bundle_serial{{part="{part}"}} {serial}' for part, serial in _serials(plan).items()
        ]
        out = sum(name.startswith("listener ") for name in self.troubles)
        lines += [
            "# HELP interlock_listeners_out Device listeners that cannot listen now; which, and why, says /-/readyz.",
            "# TYPE interlock_listeners_out gauge",
            f"interlock_listeners_out {out}",
            "# HELP interlock_listener_faults_total Vain attempts of device listeners to listen.",
            "# TYPE interlock_listener_faults_total counter",
            f"interlock_listener_faults_total {self.listener_faults}",
        ]
        lines += [
            "# HELP interlock_denied Keys, consumers and routes that the deny lists name.",
            "# TYPE interlock_denied gauge",
        ]
        lines += [f'interlock_denied{{kind="{kind}"}} {count}' for kind, count in self.denied.items()]
        for source in self.more:
            lines += source()
        return ("\n".join(lines) + "\n").encode()


def _serials(plan: Plan | None) -> dict[str, int]:
    return plan.serials.as_json() if plan is not None else {}
