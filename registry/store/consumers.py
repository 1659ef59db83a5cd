"""Consumers with keys, grants and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from kernel.bundle.model import Grant, Limit
from kernel.bundle.policy import ConsumerPolicy
from kernel.bundle.policy_document import policy_document
from registry.review.environment import Consumer, ConsumerKey
from registry.store.access_tables import consumers, grants, keys, limits
from registry.store.policies import kept_policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row


class SqlConsumers:
    """See registry/review/shelves.py: ConsumerShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Consumer, ...]:
        """Give all consumers by id."""
        rows = self._connection.execute(select(consumers).order_by(consumers.c.id)).all()
        return tuple(self._consumer(row) for row in rows)

    def get(self, consumer_id: str) -> Consumer | None:
        """Give one consumer."""
        query = select(consumers).where(consumers.c.id == consumer_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._consumer(row)

    def add(self, consumer: Consumer) -> None:
        """Enter a consumer."""
        row = {
            "id": consumer.id,
            "name": consumer.name,
            "audience": consumer.audience,
            "created_at": consumer.created_at,
            "created_by": consumer.created_by,
            "policy": policy_document(consumer.policy),
        }
        self._connection.execute(insert(consumers).values(row))

    def put_policy(self, consumer_id: str, policy: ConsumerPolicy) -> None:
        """Set a consumer's policy; replaces the one that stood."""
        changed = update(consumers).where(consumers.c.id == consumer_id)
        self._connection.execute(changed.values(policy=policy_document(policy)))

    def add_key(self, consumer_id: str, key: ConsumerKey, sha256: str) -> None:
        """Enter a key by the hash of the whole presented key."""
        row = {
            "id": key.id,
            "consumer": consumer_id,
            "sha256": sha256,
            "created_at": key.created_at,
            "created_by": key.created_by,
            "expires_at": key.expires_at,
        }
        self._connection.execute(insert(keys).values(row))

    def key_hashes(self) -> Mapping[str, str]:
        """Give key id → hex SHA-256 of the whole presented key."""
        return {row.id: row.sha256 for row in self._connection.execute(select(keys.c.id, keys.c.sha256))}

    def revoke_key(self, key_id: str, at: datetime) -> None:
        """Revoke a key."""
        self._connection.execute(update(keys).where(keys.c.id == key_id).values(revoked_at=at))

    def put_grant(self, consumer_id: str, grant: Grant) -> None:
        """Set the grant for one major of a contract."""
        self.drop_grant(consumer_id, grant.contract, grant.major)
        row = {
            "consumer": consumer_id,
            "contract": grant.contract,
            "major": grant.major,
            "pin": grant.pin,
            "scopes": list(grant.scopes),
        }
        self._connection.execute(insert(grants).values(row))

    def drop_grant(self, consumer_id: str, contract: str, major: int) -> bool:
        """Remove a grant; False when there was none."""
        which = (
            (grants.c.consumer == consumer_id) & (grants.c.contract == contract) & (grants.c.major == major)
        )
        return self._connection.execute(delete(grants).where(which)).rowcount == 1

    def put_limit(self, consumer_id: str, limit: Limit) -> None:
        """Set the limit of that name."""
        self.drop_limit(consumer_id, limit.name)
        row = {
            "consumer": consumer_id,
            "name": limit.name,
            "requests": limit.requests,
            "seconds": limit.seconds,
            "burst": limit.burst,
        }
        self._connection.execute(insert(limits).values(row))

    def drop_limit(self, consumer_id: str, name: str) -> bool:
        """Remove a limit; False when there was none."""
        which = (limits.c.consumer == consumer_id) & (limits.c.name == name)
        return self._connection.execute(delete(limits).where(which)).rowcount == 1

    def _consumer(self, row: Row[Any]) -> Consumer:
        its_keys = select(keys).where(keys.c.consumer == row.id).order_by(keys.c.created_at, keys.c.id)
        its_grants = select(grants).where(grants.c.consumer == row.id)
        its_limits = select(limits).where(limits.c.consumer == row.id).order_by(limits.c.name)
        return Consumer(
            id=row.id,
            name=row.name,
            audience=row.audience,
            created_at=row.created_at,
            created_by=row.created_by,
            keys=tuple(
                ConsumerKey(key.id, key.created_at, key.created_by, key.expires_at, key.revoked_at)
                for key in self._connection.execute(its_keys)
            ),
            grants=tuple(
                Grant(given.contract, given.major, given.pin, tuple(given.scopes))
                for given in self._connection.execute(its_grants.order_by(grants.c.contract, grants.c.major))
            ),
            limits=tuple(
                Limit(limit.name, limit.requests, limit.seconds, limit.burst)
                for limit in self._connection.execute(its_limits)
            ),
            policy=kept_policy(ConsumerPolicy, row.policy, f"the consumer {row.id}"),
        )
