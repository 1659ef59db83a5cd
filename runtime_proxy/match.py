"""Find the operation for a method and a raw path: a trie per contract version, O(depth), no regex."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kernel.operation.operation import Operation


@dataclass(frozen=True, slots=True)
class Miss:
    """No operation: 404, 405 (or 204 for an OPTIONS nobody declares) with `allow`, 410 retired, 400 target-invalid."""

    status: int
    slug: str  # not-found, method-not-allowed, retired, target-invalid; "options" with 204
    allow: tuple[bytes, ...] = ()
    target: Any = None  # of the mount, where the path lies below one


@dataclass(frozen=True, slots=True)
class Match:
    """The operation, the raw undecoded values of its path parameters, and what is mounted there."""

    operation: Operation
    path_values: tuple[bytes, ...]
    head: bool = False  # HEAD asked where GET is declared
    target: Any = None
    rest: tuple[bytes, ...] = ()  # raw segments below the base: for `PathTrie.match` of a pinned version


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a contract's major is served: `base` is "" or "/name/v1"; `trie` None means retired (410)."""

    base: str
    trie: PathTrie | None
    target: Any = field(default=None)


class PathTrie:
    """The operations of one contract version by raw path segments."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        raise NotImplementedError

    def match(self, method: bytes, segments: tuple[bytes, ...], target: Any = None) -> Match | Miss:
        """Match raw segments (of `split_path`, without the base); `target` is handed through."""
        raise NotImplementedError


class Router:
    """All mounts of a data plane; the longest base wins."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        raise NotImplementedError

    def match(self, method: bytes, raw_path: bytes) -> Match | Miss:
        """Match a raw path, without query, as it came over the wire."""
        raise NotImplementedError
