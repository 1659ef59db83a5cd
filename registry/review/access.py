"""Who may call what: consumers with their keys, grants, pins and limits."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

from kernel.bundle.model import Audience, Grant, Limit
from kernel.contract.lifecycle import SERVED
from kernel.contract.version import Version
from registry.errors import Conflict, NotFound, RequestRefused
from registry.review.acts import acting, record
from registry.review.catalogue import known_version
from registry.review.environment import Consumer, ConsumerKey, IssuedKey
from registry.review.limit_names import refuse_twin_limits
from registry.review.principal import Role

if TYPE_CHECKING:
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

KEY_PREFIX: Final = "ilk"
MOST_KEYS: Final = 2  # live at once: one in use, one that replaces it
MOST_LIMITS: Final = 16
# A consumer sees contracts of its own reach and of any wider one (runtime_proxy/authorize.py).
_REACH: Final[dict[Audience, int]] = {"public": 0, "partner": 1, "internal": 2}
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def consumers(services: Services) -> tuple[Consumer, ...]:
    """List all consumers by id."""
    with services.store.reading() as ledger:
        return ledger.consumers.all()


def consumer(services: Services, consumer_id: str) -> Consumer:
    """Give one consumer; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_consumer(ledger, consumer_id)


def add_consumer(
    services: Services, principal: Principal, *, consumer_id: str, name: str, audience: Audience
) -> Consumer:
    """Enter a new calling system; raises `Conflict` when the id is taken (ids are never reused)."""
    principal.require(Role.OPERATOR, act="add a consumer")
    checked_name(consumer_id, "a consumer's id")
    with acting(services, "access") as ledger:
        if ledger.consumers.get(consumer_id) is not None:
            raise Conflict(f"there is a consumer {consumer_id} already", hint="choose another id")
        ledger.consumers.add(Consumer(consumer_id, name, audience, services.now(), principal.name))
        detail = {"audience": str(audience)}
        record(services, ledger, principal, "consumer-add", f"consumer/{consumer_id}", detail=detail)
        return known_consumer(ledger, consumer_id)


def issue_key(
    services: Services, principal: Principal, consumer_id: str, *, expires_at: datetime | None = None
) -> IssuedKey:
    """Make a key; at most two are live at once, so that one can be replaced without a gap."""
    principal.require(Role.OPERATOR, act="issue a key")
    now = services.now()
    if expires_at is not None and expires_at <= now:
        raise RequestRefused("the key would have expired already", hint="name a later date")
    key = ConsumerKey(secrets.token_hex(8), now, principal.name, expires_at)
    presented = f"{KEY_PREFIX}_{key.id}_{secrets.token_hex(32)}"
    with acting(services, "access") as ledger:
        found = known_consumer(ledger, consumer_id)
        live = [one for one in found.keys if one.revoked_at is None and not _expired(one, now)]
        if len(live) >= MOST_KEYS:
            raise Conflict(
                f"{consumer_id} has {len(live)} live keys", hint="revoke the one that is not used any more"
            )
        ledger.consumers.add_key(consumer_id, key, hashlib.sha256(presented.encode()).hexdigest())
        record(services, ledger, principal, "key-add", f"consumer/{consumer_id}/key/{key.id}")
    return IssuedKey(key, presented)


def revoke_key(services: Services, principal: Principal, consumer_id: str, key_id: str) -> Consumer:
    """Revoke a key for good."""
    principal.require(Role.OPERATOR, act="revoke a key")
    with acting(services, "access") as ledger:
        found = known_consumer(ledger, consumer_id)
        key = next((one for one in found.keys if one.id == key_id), None)
        if key is None:
            raise NotFound(f"{consumer_id} has no key {key_id[:40]!r}")
        if key.revoked_at is not None:
            raise Conflict(f"the key {key_id} was revoked already")
        ledger.consumers.revoke_key(key_id, services.now())
        record(services, ledger, principal, "key-revoke", f"consumer/{consumer_id}/key/{key_id}")
        return known_consumer(ledger, consumer_id)


def grant(services: Services, principal: Principal, consumer_id: str, given: Grant) -> Consumer:
    """Let a consumer call one major of a contract, pinned or not; replaces the grant that stood.

    Raises `NotFound`, `Conflict` for a pin of another major or not in service, and where the contract's
    audience is narrower than the consumer's.
    """
    principal.require(Role.OPERATOR, act="grant a contract")
    with acting(services, "access") as ledger:
        found = known_consumer(ledger, consumer_id)
        _check_grant(ledger, found, given)
        ledger.consumers.put_grant(consumer_id, given)
        detail: dict[str, str | int] = {"contract": given.contract, "major": given.major}
        detail["pin"] = given.pin or ""
        record(services, ledger, principal, "grant", f"consumer/{consumer_id}", detail=detail)
        return known_consumer(ledger, consumer_id)


def withdraw_grant(
    services: Services, principal: Principal, consumer_id: str, contract: str, major: int
) -> Consumer:
    """Take a grant away."""
    principal.require(Role.OPERATOR, act="withdraw a grant")
    with acting(services, "access") as ledger:
        known_consumer(ledger, consumer_id)
        if not ledger.consumers.drop_grant(consumer_id, contract, major):
            raise NotFound(f"{consumer_id} has no grant for {contract} v{major}")
        detail: dict[str, str | int] = {"contract": contract, "major": major}
        record(services, ledger, principal, "grant-withdraw", f"consumer/{consumer_id}", detail=detail)
        return known_consumer(ledger, consumer_id)


def set_limit(services: Services, principal: Principal, consumer_id: str, limit: Limit) -> Consumer:
    """Set one named limit of a consumer; replaces the one of that name."""
    principal.require(Role.OPERATOR, act="set a limit")
    checked_name(limit.name, "a limit's name")
    with acting(services, "access") as ledger:
        found = known_consumer(ledger, consumer_id)
        others = [one for one in found.limits if one.name != limit.name]
        if len(others) >= MOST_LIMITS:
            raise Conflict(f"{consumer_id} has {len(others)} limits", hint="drop one first")
        refuse_twin_limits(f"consumer {consumer_id}", (*others, limit), found.policy.limits)
        ledger.consumers.put_limit(consumer_id, limit)
        detail = {"requests": limit.requests, "seconds": limit.seconds, "burst": limit.burst}
        subject = f"consumer/{consumer_id}/limit/{limit.name}"
        record(services, ledger, principal, "limit-set", subject, detail=detail)
        return known_consumer(ledger, consumer_id)


def drop_limit(services: Services, principal: Principal, consumer_id: str, name: str) -> Consumer:
    """Remove one named limit."""
    principal.require(Role.OPERATOR, act="drop a limit")
    with acting(services, "access") as ledger:
        known_consumer(ledger, consumer_id)
        if not ledger.consumers.drop_limit(consumer_id, name):
            raise NotFound(f"{consumer_id} has no limit {name[:64]!r}")
        record(services, ledger, principal, "limit-drop", f"consumer/{consumer_id}/limit/{name}")
        return known_consumer(ledger, consumer_id)


def checked_name(text: str, what: str) -> None:
    """Hold a name to the form that URLs, bundles and logs can carry; raises `RequestRefused`."""
    if len(text) > 64 or _NAME.fullmatch(text) is None:  # noqa: PLR2004 - as in URNs
        raise RequestRefused(
            f"{text[:64]!r} cannot be {what}", hint="lower-case letters, digits, single hyphens, at most 64"
        )


def known_consumer(ledger: Ledger, consumer_id: str) -> Consumer:
    """Give one consumer; raises `NotFound`."""
    found = ledger.consumers.get(consumer_id)
    if found is None:
        raise NotFound(
            f"there is no consumer {consumer_id[:64]!r}", hint="`interlock consumer list` lists them"
        )
    return found


def _check_grant(ledger: Ledger, found: Consumer, given: Grant) -> None:
    contract = ledger.contracts.get(given.contract)
    versions = contract.versions if contract else ()
    served = [
        row for row in versions if row.state in SERVED and Version.parse(row.version).major == given.major
    ]
    if not served:
        raise NotFound(
            f"no version of {given.contract[:64]} v{given.major} is frozen", hint="the board freezes it first"
        )
    if given.pin is not None:
        pinned = known_version(ledger, given.contract, given.pin)
        if pinned.label not in {row.label for row in served}:
            raise Conflict(f"{pinned.label} is {pinned.state}, and not a served version of v{given.major}")
    narrowest = max(_REACH[row.audience] for row in served)
    if _REACH[found.audience] < narrowest:
        raise Conflict(
            f"{given.contract} is not for the audience {found.audience}",
            hint="a consumer may see contracts of its own audience or of a wider one",
        )


def _expired(key: ConsumerKey, now: datetime) -> bool:
    return key.expires_at is not None and key.expires_at <= now
