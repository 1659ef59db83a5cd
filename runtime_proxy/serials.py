"""Which parts of the bundle are served, as records, answers and logs write it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Serials:
    """Which parts of the bundle are served."""

    contracts: int
    access: int
    routes: int

    @property
    def short(self) -> str:
        """`3.7.2`: contracts, access, routes; the form of audit records."""
        return f"{self.contracts}.{self.access}.{self.routes}"

    def as_json(self) -> dict[str, int]:
        """Give the three numbers by name."""
        return {"contracts": self.contracts, "access": self.access, "routes": self.routes}

    def __str__(self) -> str:
        return f"contracts {self.contracts}, access {self.access}, routes {self.routes}"
