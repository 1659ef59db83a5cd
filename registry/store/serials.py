"""Serial numbers of the bundle's three parts; they never go back (the database sees to it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from sqlalchemy import insert, select, update

from kernel.bundle.model import PartKind
from registry.review.shelves import Serial
from registry.store.access_tables import bundle_serials

if TYPE_CHECKING:
    from sqlalchemy import Connection

_S = bundle_serials.c


class SqlSerials:
    """See registry/review/shelves.py: SerialShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Serial, ...]:
        """Give the three parts; one that was never asked for has serial 0."""
        rows = {row.part: row for row in self._connection.execute(select(bundle_serials))}
        return tuple(
            Serial(part, rows[part].serial, rows[part].published) if part in rows else Serial(part, 0, 0)
            for part in get_args(PartKind)
        )

    def bump(self, part: PartKind) -> None:
        """Ask for a new edition of a part, in the same transaction as the change that needs it."""
        changed = update(bundle_serials).where(_S.part == part).values(serial=_S.serial + 1)
        if self._connection.execute(changed).rowcount == 0:
            self._connection.execute(insert(bundle_serials).values(part=part, serial=1, published=0))

    def published(self, part: PartKind, serial: int) -> None:
        """Note that this edition lies in the bundle folder."""
        newer = (_S.part == part) & (_S.published < serial)
        self._connection.execute(update(bundle_serials).where(newer).values(published=serial))
