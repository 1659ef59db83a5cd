"""Who acts: a person or a machine, and the roles that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from registry.errors import NotAllowed


class Role(StrEnum):
    """What a principal may do; the table of operations and roles stands in registry/api/authority.py."""

    AUTHOR = "author"
    BOARD = "board"
    CI = "ci"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Principal:
    """One actor. `name` is the account's or the token's subject: approvals are counted by it."""

    name: str
    roles: frozenset[Role]
    via: str = "token"  # "token", "session" or "local" (the command line on the data folder itself)

    def holds(self, *roles: Role) -> bool:
        """Whether at least one of `roles` is held."""
        return not self.roles.isdisjoint(roles)

    def require(self, *roles: Role, act: str) -> None:
        """Raise `NotAllowed` naming the act and the roles that hold it."""
        if not self.holds(*roles):
            wanted = " or ".join(sorted(roles))
            raise NotAllowed(f"{self.name} may not {act}", hint=f"it takes the role {wanted}")
