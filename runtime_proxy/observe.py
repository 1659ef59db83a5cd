"""Report-only: what breaks the contract is counted and logged by its place, and passes (introductions)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kernel.operation.operation import Operation
from runtime_proxy.plan import IDEMPOTENT, SAFE

if TYPE_CHECKING:
    from adapters.port import Headers
    from kernel.operation.flows import Flow
    from kernel.operation.message import Remembered
    from kernel.operation.violation import RequestProblem, Violation
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation, ServedRoute
    from runtime_proxy.refusal import Refusal

log = logging.getLogger("interlock.observed")
VIOLATIONS: Final = b"x-interlock-violations"
_UNDECLARED: Final = "undeclared"
_OF_OPERATION: Final = frozenset({"operation", "method", "route", "action"})


def begin_observing(exchange: Exchange) -> None:
    """Say in the answer how much was let through: nothing, so far."""
    exchange.reply_headers.append((VIOLATIONS, b"0"))


def watches_request(served: ServedOperation, exchange: Exchange) -> bool:
    """Say whether what the request breaks is only counted: by its route, or for its consumer."""
    if served.route.report_requests:
        return True
    identity = exchange.identity
    return identity is not None and identity.key is not None and identity.key.consumer.shadow.requests


def watches_answer(served: ServedOperation, exchange: Exchange) -> bool:
    """Say whether what the answer breaks is only counted."""
    if served.route.report_only:
        return True
    identity = exchange.identity
    return identity is not None and identity.key is not None and identity.key.consumer.shadow.answers


def observe_request(served: ServedOperation, exchange: Exchange, refusal: Refusal) -> bool:
    """Count what a request breaks and say whether it passes; False: refuse it."""
    if not watches_request(served, exchange):
        return False
    if refusal.violations:
        for violation in refusal.violations:
            _note(exchange, "request", served.operation.id, refusal.slug, violation)
    else:
        _note(exchange, "request", served.operation.id, refusal.slug, None)
    return True


def observe_response(served: ServedOperation, exchange: Exchange, broken: tuple[Violation, ...]) -> bool:
    """Count what an answer breaks and say whether it passes; False: withhold it."""
    if not watches_answer(served, exchange):
        return False
    for violation in broken:
        _note(exchange, "response", served.operation.id, "provider-broke-contract", violation)
    return True


class Undeclared(Operation):
    """Stands where an operation would, for calls that the contract does not know; it asks for nothing."""

    __slots__ = ()

    def __init__(self) -> None:  # nothing is declared
        self.id = _UNDECLARED
        self.template = ""  # what was asked for may be anything

    def check_request(
        self,
        path_values: tuple[bytes, ...],
        query: bytes,
        headers: Headers,
        body: bytes | None,
        known: Remembered | None = None,
    ) -> RequestProblem | None:
        """Say nothing: that the operation is not declared has been said."""
        del path_values, query, headers, body, known
        return None

    def undeclared(self, query: bytes, headers: Headers) -> tuple[Violation, ...]:
        """Say nothing, as above."""
        del query, headers
        return ()

    def check_response(
        self, status: int, headers: Headers, body: bytes | None, *, head: bool = False
    ) -> tuple[Violation, ...]:
        """Say nothing: there is no promise to hold the answer to."""
        del status, headers, body, head
        return ()

    def answer_flow(self, status: int, headers: Headers) -> Flow | None:
        """Say that answers pass as a whole."""
        del status, headers
        return None


def observe_fields(served: ServedOperation, exchange: Exchange) -> None:
    """Count the fields that the contract does not declare, where its policy for them is `report`."""
    for violation in served.operation.undeclared(exchange.query, exchange.headers):
        _note(exchange, "request", served.operation.id, "parameter-invalid", violation)


def observe_undeclared(exchange: Exchange, route: ServedRoute, path: bytes, slug: str) -> None:
    """Let a call pass that the contract does not know; its path is not logged, for it may name somebody."""
    model = next(iter(route.current.operations.values()))
    audit = {name: value for name, value in model.audit.items() if name not in _OF_OPERATION}
    exchange.operation = replace(
        model,
        operation=Undeclared(),
        changes=exchange.method not in SAFE,
        idempotent=exchange.method in IDEMPOTENT,
        audit=audit | {"method": exchange.method.decode("ascii", "replace")},
        streams=None,
        channel=None,
        fault="",
        meter=None,
        keyed=None,
    )
    exchange.path = path[len(route.base) :] or b"/"
    exchange.body_limit = model.body_limit
    exchange.reply_headers += route.current.headers
    begin_observing(exchange)
    if slug != "options":  # what a contract leaves to HTTP breaks nothing
        _note(exchange, "request", _UNDECLARED, slug, None)


def _note(exchange: Exchange, side: str, operation: str, slug: str, violation: Violation | None) -> None:
    exchange.observed += 1
    exchange.observed_answers += side == "response"
    headers = exchange.reply_headers
    headers[:] = [line for line in headers if line[0] != VIOLATIONS]
    headers.append((VIOLATIONS, b"%d" % exchange.observed))
    where = ""
    if violation is not None:
        name = f" name={violation.name}" if violation.name else ""
        where = (
            f" in={violation.location}{name} pointer={violation.pointer or '-'} keyword={violation.keyword}"
        )
    log.warning("violation %s %s %s%s", side, operation, slug, where)
