"""Which form writes the audit records of a call: the plain ones', or none where there is more to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.audit.forms import ExchangeForm
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation


def form_of(
    exchange: Exchange, served: ServedOperation, make: Callable[[dict[str, Any]], ExchangeForm | None]
) -> ExchangeForm | None:
    """Give the form where it fits: a caller with a key, of whom no more is noted than how it was known."""
    identity = exchange.identity
    if identity is None or identity.key is None or identity.noted is None:
        return None
    how = identity.noted.get("auth")
    if how is None or len(identity.noted) > 1:
        return None
    form = served.forms.get(how)
    if form is None:
        form = make({**served.audit, "auth": how})
        if form is None:
            return None
        served.forms[how] = form
    return form if form.takes(exchange.peer, identity.key.consumer.id, identity.key.id) else None
