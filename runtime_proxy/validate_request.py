"""Hold a request to the contract, and turn what the operation says into a refusal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kernel.errors import InterlockError
from kernel.operation.codings import ACCEPTED
from runtime_proxy.observe import observe_fields
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_call import ContentCodingUnsupported, OperationUnservable

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal

log = logging.getLogger("interlock.proxy")


def validate_request(served: ServedOperation, exchange: Exchange) -> Refusal | None:
    """Judge path, query, headers and body; None: the request is what the contract declares.

    An operation that turns out not to be compilable is refused now and at every later call.
    """
    if served.fault:
        return OperationUnservable(served.fault)
    try:
        problem = served.operation.check_request(
            exchange.path_values,
            exchange.query,
            exchange.headers,
            exchange.body if exchange.upload is None else None,
            exchange.known,
        )
    except InterlockError as error:
        served.fault = fault_of(error)
        log.warning("%s %s cannot be served: %s", served.version.contract, served.operation.id, error)
        return OperationUnservable(served.fault)
    if problem is None:
        if served.reports:
            observe_fields(served, exchange)
        return None
    refusal = REFUSALS[problem.slug](violations=problem.violations)
    if isinstance(refusal, ContentCodingUnsupported):
        refusal.headers.append((b"accept-encoding", ACCEPTED))  # RFC 9110 section 12.5.3
    return refusal


def fault_of(error: InterlockError) -> str:
    """Say what in the contract cannot be compiled; the contract is no secret to its consumer."""
    pointer = error.place.pointer if error.place is not None else None
    return f"{error.message} ({pointer})" if pointer else error.message
