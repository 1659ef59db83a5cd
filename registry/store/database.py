"""Transactions on the registry's database: the only border at which the driver's errors are translated."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError

from registry.errors import Conflict, StoreFailed
from registry.store.consumers import SqlConsumers
from registry.store.contracts import SqlContracts
from registry.store.denials import SqlDenials
from registry.store.evidence import SqlEvidence
from registry.store.outbox import SqlOutbox
from registry.store.people import SqlPeople
from registry.store.releases import SqlReleases
from registry.store.reviews import SqlReviews
from registry.store.routes import SqlRoutes
from registry.store.serials import SqlSerials
from registry.store.waivers import SqlWaivers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_SERIALIZATION_FAILURE = "40001"  # PostgreSQL: another transaction changed what this one had read


class SqlLedger:
    """One transaction, shelf by shelf (registry/review/ports.py: Ledger)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def contracts(self) -> SqlContracts:
        """Contracts, versions, blobs."""
        return SqlContracts(self._connection)

    @cached_property
    def reviews(self) -> SqlReviews:
        """Reviews and approvals."""
        return SqlReviews(self._connection)

    @cached_property
    def consumers(self) -> SqlConsumers:
        """Consumers, keys, grants, limits."""
        return SqlConsumers(self._connection)

    @cached_property
    def routes(self) -> SqlRoutes:
        """Adapters and routes."""
        return SqlRoutes(self._connection)

    @cached_property
    def denials(self) -> SqlDenials:
        """What is denied at once."""
        return SqlDenials(self._connection)

    @cached_property
    def releases(self) -> SqlReleases:
        """Environments, releases, deployments."""
        return SqlReleases(self._connection)

    @cached_property
    def evidence(self) -> SqlEvidence:
        """Conformance evidence."""
        return SqlEvidence(self._connection)

    @cached_property
    def waivers(self) -> SqlWaivers:
        """What the board accepted."""
        return SqlWaivers(self._connection)

    @cached_property
    def people(self) -> SqlPeople:
        """Accounts, sessions, tokens."""
        return SqlPeople(self._connection)

    @cached_property
    def serials(self) -> SqlSerials:
        """Editions of the bundle."""
        return SqlSerials(self._connection)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Audit records on their way."""
        return SqlOutbox(self._connection)


class SqlStore:
    """The registry's database over one engine (registry/review/ports.py: Store)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def reading(self) -> Iterator[SqlLedger]:
        """Give one consistent view; raises `StoreFailed`."""
        with self._transaction(writes=False) as ledger:
            yield ledger

    @contextmanager
    def writing(self) -> Iterator[SqlLedger]:
        """Give one durable transaction; raises `StoreFailed`, `Conflict` when somebody was faster."""
        with self._transaction(writes=True) as ledger:
            yield ledger

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[SqlLedger]:
        try:
            connect = self._engine.connect().execution_options(interlock_writes=writes)
            with connect as connection, connection.begin():
                if writes and connection.dialect.name == "postgresql":
                    # Acts are rare and must see each other: one at a time, as SQLite has it by itself.
                    connection.exec_driver_sql("LOCK TABLE registry.bundle_serials IN EXCLUSIVE MODE")
                yield SqlLedger(connection)
        except IntegrityError as error:
            raise Conflict(
                "the database refused the change: another one was faster, or a rule of the schema forbids it",
                hint="look at what stands now, and repeat if it is still wanted",
            ) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _SERIALIZATION_FAILURE:
                raise Conflict("another change was faster", hint="repeat it if it is still wanted") from error
            raise StoreFailed(
                f"the registry's database cannot be reached or written ({type(error.orig).__name__})",
                hint="nothing was recorded; check the setting database, or the data folder's space",
            ) from error
