"""What is denied at once: consumers and routes by an act of its own, keys by their revocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from kernel.bundle.deny import Denial, Denied
from registry.store.access_tables import denials, keys

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_D = denials.c


class SqlDenials:
    """See registry/review/shelves.py: DenialShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def standing(self) -> tuple[Denial, ...]:
        """Give what is denied now, oldest first: denials, and keys that were revoked."""
        query = select(denials).where(_D.lifted_at.is_(None)).order_by(_D.position)
        made = [
            Denial(Denied(row.kind, row.name), _text(row.denied_at), row.denied_by, row.reason)
            for row in self._connection.execute(query)
        ]
        revoked = select(keys).where(keys.c.revoked_at.is_not(None)).order_by(keys.c.revoked_at, keys.c.id)
        made += [
            Denial(Denied("key", row.id), _text(row.revoked_at), "registry", "revoked")
            for row in self._connection.execute(revoked)
        ]
        return tuple(made)

    def serial(self) -> int:
        """Count every denial, lifting and revocation there ever was: it grows with each."""
        denied, lifted = self._connection.execute(
            select(func.count(_D.position), func.count(_D.lifted_at))
        ).one()
        revoked = self._connection.execute(select(func.count(keys.c.revoked_at))).scalar_one()
        return int(denied) + int(lifted) + int(revoked)

    def add(self, what: Denied, at: datetime, by: str, reason: str) -> None:
        """Enter a denial."""
        row = {"kind": what.kind, "name": what.name, "reason": reason, "denied_at": at, "denied_by": by}
        self._connection.execute(insert(denials).values(row))

    def lift(self, what: Denied, at: datetime, by: str) -> bool:
        """Lift a denial; False when there was none."""
        which = (_D.kind == what.kind) & (_D.name == what.name) & _D.lifted_at.is_(None)
        changed = update(denials).where(which).values(lifted_at=at, lifted_by=by)
        return self._connection.execute(changed).rowcount > 0


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
