"""Compatibility modes of canonical schemas: in which direction a version is held to which earlier ones.

The words are Confluent's. BACKWARD: who reads with the new version understands what was written with the old one,
so the new schema accepts at least as much. FORWARD: who reads with the old version understands what is written
with the new one, so the new schema allows at most as much. FULL is both. Without `_TRANSITIVE` only the version
before counts, with it every one of the major that is not retired. NONE promises nothing. CONTRACT promises what
the contracts that use the schema need: what they read, what they write, or both; unused, it is FULL_TRANSITIVE.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeVar

from registry.compat.bare_schema import Role

T = TypeVar("T")


class Mode(StrEnum):
    """One mode, as meta.yaml (`compatibility`) and `--mode` write it."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    BACKWARD_TRANSITIVE = "BACKWARD_TRANSITIVE"
    FORWARD = "FORWARD"
    FORWARD_TRANSITIVE = "FORWARD_TRANSITIVE"
    FULL = "FULL"
    FULL_TRANSITIVE = "FULL_TRANSITIVE"
    CONTRACT = "CONTRACT"


DEFAULT_MODE: Final = Mode.FULL_TRANSITIVE  # nobody knows who reads and who writes, so both are protected
_ROLES: Final[dict[str, Role]] = {"BACKWARD": "accepts", "FORWARD": "emits"}


def mode_named(word: str | None) -> Mode:
    """Give the mode that a meta.yaml declares, the default where it declares none or what is no mode."""
    return Mode(word) if word is not None and word in Mode.__members__ else DEFAULT_MODE


def role_of(mode: Mode, used: frozenset[str] = frozenset()) -> Role:
    """Say which directions a mode protects; `used` are those in which contracts use the schema (for CONTRACT).

    NONE gives both too: the change is told, and what follows from it is the policy's matter.
    """
    if mode is Mode.CONTRACT and len(used) == 1:
        return "accepts" if "accepts" in used else "emits"
    return _ROLES.get(mode.removesuffix("_TRANSITIVE"), "both")


def held_to(mode: Mode, earlier: Sequence[T]) -> Sequence[T]:
    """Choose from the earlier versions of the major, oldest first, those that the mode compares with."""
    transitive = mode.endswith("_TRANSITIVE") or mode in {Mode.CONTRACT, Mode.NONE}
    return earlier if transitive else earlier[-1:]


def weakened(old: Mode, new: Mode) -> bool:
    """Whether a version promises its users less than the one before: a direction, or the versions further back."""
    if old is new or new is Mode.FULL_TRANSITIVE:
        return False
    if Mode.CONTRACT in {old, new}:
        return old is not Mode.NONE  # who uses it may change: nobody can compare the two promises
    return not _promises(old) <= _promises(new)


def _promises(mode: Mode) -> frozenset[tuple[str, str]]:
    if mode is Mode.NONE:
        return frozenset()
    role = role_of(mode)
    reach = ("before", "all") if mode.endswith("_TRANSITIVE") else ("before",)
    directions = ("accepts", "emits") if role == "both" else (role,)
    return frozenset((direction, far) for direction in directions for far in reach)
