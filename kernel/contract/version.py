"""Semantic versions of contracts (semver 2.0.0) and the bump between two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from kernel.contract.finding import Bump
from kernel.errors import ContractInvalid

_SEMVER = re.compile(
    r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`major.minor.patch[-prerelease]`; build metadata is refused, since two digests would share a number."""

    major: int
    minor: int
    patch: int
    prerelease: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version; raises `ContractInvalid` naming what is wrong."""
        match = _SEMVER.fullmatch(text)
        if match is None:
            raise ContractInvalid(
                f"{text[:64]!r} is not a semantic version",
                hint="write MAJOR.MINOR.PATCH, for example 1.4.0 (build metadata such as +5 is not allowed)",
            )
        return cls(int(match[1]), int(match[2]), int(match[3]), match[4] or "")

    def __str__(self) -> str:
        """Write the version as it was read."""
        core = f"{self.major}.{self.minor}.{self.patch}"
        return f"{core}-{self.prerelease}" if self.prerelease else core

    def __lt__(self, other: Version) -> bool:
        """Order by semver 2.0.0 §11: a prerelease comes before its release."""
        return self._rank() < other._rank()

    def _rank(self) -> tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]:
        parts = tuple(
            (False, int(part), "") if part.isdigit() else (True, 0, part)
            for part in self.prerelease.split(".")
            if part
        )
        return (self.major, self.minor, self.patch, not self.prerelease, parts)

    def bump_from(self, older: Version) -> Bump:
        """Name the increment from `older` to this version (NONE when it is not newer)."""
        if self <= older:
            return Bump.NONE
        if self.major != older.major:
            return Bump.MAJOR
        if self.minor != older.minor:
            return Bump.MINOR
        return Bump.PATCH


BUMP_ORDER: tuple[Bump, ...] = (Bump.NONE, Bump.PATCH, Bump.MINOR, Bump.MAJOR)


def satisfies(declared: Bump, required: Bump) -> bool:
    """Whether a declared increment is at least the required one."""
    return BUMP_ORDER.index(declared) >= BUMP_ORDER.index(required)
