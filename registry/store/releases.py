"""Environments, releases and deployments in the registry's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from registry.review.release import Deployment, Environment, Need, Provided, Release
from registry.store.release_tables import deployments, environments, release_contracts, releases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_E, _R, _C, _D = environments.c, releases.c, release_contracts.c, deployments.c


class SqlReleases:
    """See registry/review/release_shelves.py: ReleaseShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def environments(self) -> tuple[Environment, ...]:
        """Give all environments in the order in which they were entered."""
        rows = self._connection.execute(select(environments).order_by(_E.created_at, _E.name))
        return tuple(Environment(row.name, row.note, row.created_at, row.created_by) for row in rows)

    def add_environment(self, environment: Environment) -> None:
        """Enter an environment."""
        row = {name: getattr(environment, name) for name in ("name", "note", "created_at", "created_by")}
        self._connection.execute(insert(environments).values(row))

    def release(self, application: str, version: str) -> Release | None:
        """Give one release."""
        which = (_R.application == application) & (_R.version == version)
        row = self._connection.execute(select(releases).where(which)).one_or_none()
        return None if row is None else self._release(row)

    def releases(self, application: str, limit: int) -> tuple[Release, ...]:
        """Give the releases of an application, newest first."""
        query = select(releases).where(_R.application == application)
        rows = self._connection.execute(query.order_by(_R.recorded_at.desc(), _R.version).limit(limit)).all()
        return tuple(self._release(row) for row in rows)

    def add_release(self, release: Release) -> None:
        """Enter a release."""
        key = {"application": release.application, "version": release.version}
        known = {"recorded_at": release.recorded_at, "recorded_by": release.recorded_by}
        self._connection.execute(insert(releases).values({**key, **known}))
        rows: list[dict[str, Any]] = [
            {
                **key,
                "side": "provides",
                "contract": one.contract,
                "contract_version": one.version,
                "operations": [],
            }
            for one in release.provides
        ]
        rows += [
            {
                **key,
                "side": "needs",
                "contract": one.contract,
                "contract_version": one.version,
                "operations": list(one.operations),
            }
            for one in release.needs
        ]
        if rows:
            self._connection.execute(insert(release_contracts), rows)

    def standing(self, environment: str | None = None) -> tuple[Deployment, ...]:
        """Give what is deployed now, by environment and application."""
        query = select(deployments).where(_D.ended_at.is_(None))
        if environment is not None:
            query = query.where(_D.environment == environment)
        query = query.order_by(_D.environment, _D.application)
        return tuple(map(_deployment, self._connection.execute(query)))

    def history(self, environment: str, application: str | None, limit: int) -> tuple[Deployment, ...]:
        """Give the deployments that there were, newest first."""
        query = select(deployments).where(_D.environment == environment)
        if application is not None:
            query = query.where(_D.application == application)
        query = query.order_by(_D.id.desc()).limit(limit)
        return tuple(map(_deployment, self._connection.execute(query)))

    def ever_provided(self, environment: str, contract: str) -> bool:
        """Whether a release that provides a contract was ever deployed there."""
        same = (_C.application == _D.application) & (_C.version == _D.version)
        which = same & (_D.environment == environment) & (_C.contract == contract) & (_C.side == "provides")
        query = select(_D.id).select_from(deployments).join(release_contracts, same).where(which).limit(1)
        return self._connection.execute(query).first() is not None

    def deploy(self, deployment: Deployment) -> None:
        """Enter a deployment; its `id` is ignored."""
        names = ("environment", "application", "version", "deployed_at", "deployed_by")
        self._connection.execute(
            insert(deployments).values({name: getattr(deployment, name) for name in names})
        )

    def end(self, deployment_id: int, at: datetime, by: str) -> None:
        """End a deployment that stands."""
        which = (_D.id == deployment_id) & _D.ended_at.is_(None)
        self._connection.execute(update(deployments).where(which).values(ended_at=at, ended_by=by))

    def _release(self, row: Row[Any]) -> Release:
        which = (_C.application == row.application) & (_C.version == row.version)
        query = select(release_contracts).where(which).order_by(_C.side, _C.contract, _C.contract_version)
        sides = self._connection.execute(query).all()
        return Release(
            row.application,
            row.version,
            tuple(Provided(one.contract, one.contract_version) for one in sides if one.side == "provides"),
            tuple(
                Need(one.contract, one.contract_version, tuple(one.operations))
                for one in sides
                if one.side == "needs"
            ),
            row.recorded_at,
            row.recorded_by,
        )


def _deployment(row: Row[Any]) -> Deployment:
    return Deployment(
        row.id,
        row.environment,
        row.application,
        row.version,
        row.deployed_at,
        row.deployed_by,
        row.ended_at,
        row.ended_by,
    )
