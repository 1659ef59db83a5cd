"""Every act of governance: one transaction holding the change and its audit record, then publication."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kernel.audit.record import act_record
from registry.errors import RequestRefused
from registry.review.principal import Role
from registry.review.publication import ORDER, publish

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kernel.bundle.model import PartKind
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

LONGEST_REASON = 2_000


@contextmanager
def acting(services: Services, *parts: PartKind) -> Iterator[Ledger]:
    """Give the transaction of one act; afterwards the bundle parts that it changes are published.

    Raises `PublicationFailed` when the act is recorded and the bundle could not be written.
    """
    with services.store.writing() as ledger:
        yield ledger
        for part in parts:
            ledger.serials.bump(part)
    services.recorded()
    publish(services)


def republish(services: Services, principal: Principal) -> None:
    """Write all three parts of the bundle again under new serials, as after a restore of the bundle folder."""
    principal.require(Role.OPERATOR, act="republish the bundle")
    with acting(services, *ORDER) as ledger:
        record(services, ledger, principal, "republish", "bundle")


def record(
    services: Services,
    ledger: Ledger,
    principal: Principal,
    act: str,
    subject: str,
    *,
    digest: str = "",
    note: str = "",
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Put an audit record into the outbox, in the transaction of the act that it tells of.

    `subject` names what was acted on; `note` is the reason that a person gave.
    """
    more: dict[str, Any] = {"auth": principal.via}
    if digest:
        more["subject_digest"] = digest
    if note:
        more["note"] = note
    if detail:
        more["detail"] = dict(detail)
    ledger.outbox.add(act_record(actor=principal.name, act=act, subject=subject, **more), services.now())


def reasoned(reason: str) -> str:
    """Hold a reason to be there and to be short enough; raises `RequestRefused`."""
    text = reason.strip()
    if not text or len(text) > LONGEST_REASON:
        raise RequestRefused(
            "a reason is missing" if not text else f"a reason has more than {LONGEST_REASON} characters",
            hint="say in a sentence why; it stands in the audit log, so name no patient",
        )
    return text
