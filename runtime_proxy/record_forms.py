"""Which form writes the audit records of a call: the plain ones', or none where there is more to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.audit.forms import ExchangeForm
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation


def form_of(exchange: Exchange, served: ServedOperation, journal: AuditJournal) -> ExchangeForm | None:
    """Give the form where it fits: a caller with a key, of whom no more is noted than how it was known."""
    if exchange.form is not None:
        return exchange.form
    identity = exchange.identity
    if identity is None or identity.key is None or identity.noted is None:
        return None
    how = identity.noted.get("auth")
    if how is None or len(identity.noted) > 1:
        return None
    form = served.forms.get(how)
    if form is None:
        form = journal.form({**served.audit, "auth": how})
        if form is None:
            return None
        served.forms[how] = form
    if form.takes(exchange.peer, identity.key.consumer.id, identity.key.id):
        exchange.form = form
    return exchange.form
