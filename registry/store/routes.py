"""Adapters and routes of this environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, insert, select, update

from kernel.bundle.model import Limit
from kernel.bundle.policy import RoutePolicy
from kernel.bundle.policy_document import policy_document
from kernel.contract.version import Version
from registry.review.environment import Adapter, Route
from registry.store.access_tables import adapters, route_versions, routes
from registry.store.policies import kept_policy

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_V = route_versions.c


class SqlRoutes:
    """See registry/review/shelves.py: RouteShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def adapters(self) -> tuple[Adapter, ...]:
        """Give all adapters by name."""
        rows = self._connection.execute(select(adapters).order_by(adapters.c.name))
        return tuple(_adapter(row) for row in rows)

    def adapter(self, name: str) -> Adapter | None:
        """Give one adapter."""
        row = self._connection.execute(select(adapters).where(adapters.c.name == name)).one_or_none()
        return None if row is None else _adapter(row)

    def put_adapter(self, adapter: Adapter) -> None:
        """Enter an adapter, or change its settings."""
        content = {"kind": adapter.kind, "settings": dict(adapter.settings)}
        changed = update(adapters).where(adapters.c.name == adapter.name).values(content)
        if self._connection.execute(changed).rowcount == 0:
            row = {
                "name": adapter.name,
                "created_at": adapter.created_at,
                "created_by": adapter.created_by,
                **content,
            }
            self._connection.execute(insert(adapters).values(row))

    def drop_adapter(self, name: str) -> None:
        """Remove an adapter that no route uses."""
        self._connection.execute(delete(adapters).where(adapters.c.name == name))

    def routes(self) -> tuple[Route, ...]:
        """Give all routes by contract and major."""
        query = select(routes).order_by(routes.c.contract, routes.c.major)
        return tuple(self._route(row) for row in self._connection.execute(query).all())

    def route(self, contract: str, major: int) -> Route | None:
        """Give one route."""
        query = select(routes).where(routes.c.contract == contract, routes.c.major == major)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else self._route(row)

    def put_route(self, route: Route) -> None:
        """Enter a route, or change it; active versions are left alone."""
        content = {
            "adapter": route.adapter,
            "current": route.current,
            "limits": [msgspec.to_builtins(limit) for limit in route.limits],
            "report_only": route.report_only,
            "timeout_seconds": route.timeout_seconds,
            "upstream_prefix": route.upstream_prefix,
            "policy": policy_document(route.policy),
        }
        which = (routes.c.contract == route.contract) & (routes.c.major == route.major)
        if self._connection.execute(update(routes).where(which).values(content)).rowcount == 0:
            self._connection.execute(
                insert(routes).values(contract=route.contract, major=route.major, **content)
            )

    def drop_route(self, contract: str, major: int) -> None:
        """Remove a route with its active versions."""
        self._connection.execute(delete(route_versions).where(_V.contract == contract, _V.major == major))
        self._connection.execute(delete(routes).where(routes.c.contract == contract, routes.c.major == major))

    def activate(self, contract: str, major: int, version: str, at: datetime, by: str) -> None:
        """Make a version active and the route's current one."""
        self.deactivate(contract, major, version)
        row = {
            "contract": contract,
            "major": major,
            "version": version,
            "activated_at": at,
            "activated_by": by,
        }
        self._connection.execute(insert(route_versions).values(row))
        which = (routes.c.contract == contract) & (routes.c.major == major)
        self._connection.execute(update(routes).where(which).values(current=version))

    def deactivate(self, contract: str, major: int, version: str) -> None:
        """Make a version inactive."""
        which = (_V.contract == contract) & (_V.major == major) & (_V.version == version)
        self._connection.execute(delete(route_versions).where(which))

    def _route(self, row: Row[Any]) -> Route:
        query = select(_V.version).where(_V.contract == row.contract, _V.major == row.major)
        versions = sorted(self._connection.execute(query).scalars(), key=Version.parse)
        return Route(
            contract=row.contract,
            major=row.major,
            adapter=row.adapter,
            current=row.current,
            versions=tuple(versions),
            limits=tuple(msgspec.convert(limit, type=Limit) for limit in row.limits),
            report_only=bool(row.report_only),
            timeout_seconds=row.timeout_seconds,
            upstream_prefix=row.upstream_prefix,
            policy=kept_policy(RoutePolicy, row.policy, f"the route of {row.contract} v{row.major}"),
        )


def _adapter(row: Row[Any]) -> Adapter:
    return Adapter(row.name, row.kind, row.settings, row.created_at, row.created_by)
