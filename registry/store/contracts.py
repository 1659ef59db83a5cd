"""Contracts, their versions, and the canonical bytes that digests name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, exists, func, insert, or_, select, update

from kernel.contract.lifecycle import FROZEN_FOR_EVER, State
from kernel.contract.version import Version
from registry.review.model import Contract, ContractVersion
from registry.store.access_tables import route_versions
from registry.store.tables import blobs, contract_versions, contracts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from registry.review.model import Kind

_V = contract_versions.c
# `statement` is left out: it is read by itself, and lists would carry it for nothing.
_COLUMNS = [column for column in _V if column.name != "statement"]


class SqlContracts:
    """See registry/review/shelves.py: ContractShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, kind: Kind, at: datetime, by: str) -> None:
        """Enter a new name."""
        row = {"name": name, "kind": kind, "created_at": at, "created_by": by}
        self._connection.execute(insert(contracts).values(row))

    def get(self, name: str) -> Contract | None:
        """Give a contract with its versions, newest first."""
        row = self._connection.execute(select(contracts).where(contracts.c.name == name)).one_or_none()
        return None if row is None else self._contracts([row])[0]

    def find(self, search: str, limit: int, after: str) -> tuple[Contract, ...]:
        """Give contracts by name whose name, title or owner holds `search`."""
        query = select(contracts).where(contracts.c.name > after).order_by(contracts.c.name).limit(limit)
        if search:
            wanted = func.lower(search)
            told = exists().where(
                _V.contract == contracts.c.name,
                or_(_contains(func.lower(_V.title), wanted), _contains(func.lower(_V.owner), wanted)),
            )
            query = query.where(or_(_contains(contracts.c.name, wanted), told))
        return tuple(self._contracts(self._connection.execute(query).all()))

    def version(self, name: str, number: str) -> ContractVersion | None:
        """Give one version."""
        query = _versions().where(_V.contract == name, _V.version == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _version(row)

    def for_ever(self) -> tuple[ContractVersion, ...]:
        """Give all versions that are frozen, deprecated or retired, by name and number."""
        query = _versions().where(_V.state.in_(sorted(FROZEN_FOR_EVER)))
        return _by_number(_version(row) for row in self._connection.execute(query))

    def put_draft(self, draft: ContractVersion) -> None:
        """Add a version as a draft, or make a version in review a draft again with another content."""
        content = {
            "state": State.DRAFT,
            "digest": draft.digest,
            "title": draft.title,
            "owner": draft.owner,
            "domain": str(draft.metadata.get("domain") or ""),
            "audience": draft.audience,
            "metadata": draft.metadata,
            "author": draft.author,
            "submitted_at": draft.submitted_at,
        }
        done = self._change(draft.contract, draft.version, **content)
        if not done:
            major = Version.parse(draft.version).major
            key = {"contract": draft.contract, "version": draft.version, "major": major}
            self._connection.execute(insert(contract_versions).values(**key, **content))

    def propose(self, name: str, number: str, review_id: int) -> None:
        """Put a draft in review."""
        self._change(name, number, state=State.IN_REVIEW, review_id=review_id)

    def freeze(self, name: str, number: str, at: datetime, statement: bytes) -> None:
        """Freeze a version in review, with its signed statement."""
        self._change(name, number, state=State.FROZEN, frozen_at=at, statement=statement)

    def end(self, name: str, number: str, state: State) -> None:
        """Reject or withdraw a version."""
        self._change(name, number, state=state)

    def deprecate(self, name: str, number: str, at: datetime, sunset: datetime | None) -> None:
        """Deprecate a frozen version."""
        self._change(name, number, state=State.DEPRECATED, deprecated_at=at, sunset_at=sunset)

    def retire(self, name: str, number: str, at: datetime) -> None:
        """Retire a deprecated version."""
        self._change(name, number, state=State.RETIRED, retired_at=at)

    def statement(self, name: str, number: str) -> bytes | None:
        """Give the signed freeze statement."""
        query = select(_V.statement).where(_V.contract == name, _V.version == number)
        found: bytes | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def keep_blob(self, digest: str, canonical: bytes) -> None:
        """Keep canonical bytes; the same bytes twice are kept once."""
        known = select(blobs.c.digest).where(blobs.c.digest == digest)
        if self._connection.execute(known).scalar_one_or_none() is None:
            self._connection.execute(insert(blobs).values(digest=digest, canonical=canonical))

    def blob(self, digest: str) -> bytes | None:
        """Give canonical bytes."""
        query = select(blobs.c.canonical).where(blobs.c.digest == digest)
        found: bytes | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def _change(self, name: str, number: str, **values: Any) -> bool:
        query = update(contract_versions).where(_V.contract == name, _V.version == number).values(**values)
        return self._connection.execute(query).rowcount == 1

    def _contracts(self, rows: Iterable[Row[Any]]) -> list[Contract]:
        rows = list(rows)
        query = _versions().where(_V.contract.in_([row.name for row in rows]))
        versions: dict[str, list[ContractVersion]] = {row.name: [] for row in rows}
        for found in self._connection.execute(query):
            versions[found.contract].append(_version(found))
        return [_contract(row, _by_number(versions[row.name])[::-1]) for row in rows]


def _contains(text: Any, wanted: Any) -> Any:
    # Not LIKE: `%` and `_` in a search word stand for themselves.
    return func.replace(text, wanted, "") != text


def _versions() -> Select[Any]:
    active = exists().where(
        and_(route_versions.c.contract == _V.contract, route_versions.c.version == _V.version)
    )
    query: Select[Any] = select(*_COLUMNS, contracts.c.kind, active.label("active"))
    return query.join(contracts, contracts.c.name == _V.contract)


def _version(row: Row[Any]) -> ContractVersion:
    return ContractVersion(
        contract=row.contract,
        version=row.version,
        kind=row.kind,
        state=State(row.state),
        digest=row.digest,
        audience=row.audience,
        title=row.title,
        owner=row.owner,
        metadata=row.metadata,
        author=row.author,
        review_id=row.review_id or 0,
        submitted_at=row.submitted_at,
        frozen_at=row.frozen_at,
        deprecated_at=row.deprecated_at,
        sunset_at=row.sunset_at,
        retired_at=row.retired_at,
        active=bool(row.active),
    )


def _contract(row: Row[Any], versions: tuple[ContractVersion, ...]) -> Contract:
    newest = versions[0]  # a name is entered together with its first version, which is never deleted
    return Contract(
        name=row.name,
        kind=row.kind,
        title=newest.title,
        owner=newest.owner,
        domain=str(newest.metadata.get("domain") or ""),
        audience=newest.audience,
        created_at=row.created_at,
        versions=versions,
    )


def _by_number(versions: Iterable[ContractVersion]) -> tuple[ContractVersion, ...]:
    return tuple(sorted(versions, key=lambda row: (row.contract, Version.parse(row.version))))
