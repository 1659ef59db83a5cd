"""Kept answers of one worker: bounded in number and bytes, the one that was longest not asked for goes first."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.port import Headers

Values = tuple[bytes, ...]
_OVERHEAD: Final = 512  # bytes that an entry costs beside its own text
_VARIANTS: Final = 8  # of one question
_SHARE: Final = 8  # no answer takes more than this part of all


@dataclass(frozen=True, slots=True)
class Kept:
    """One answer as it came; `made` is its birth and `fresh` how long it is fresh, in seconds of one clock."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    made: float
    fresh: float

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return _OVERHEAD + len(self.body) + sum(len(name) + len(value) + 64 for name, value in self.headers)

    def age(self, now: float) -> int:
        """Seconds since it was made."""
        return max(int(now - self.made), 0)


@dataclass(slots=True)
class _Question:
    """All that was answered to one question, by the values of the request headers that it depends on."""

    room: tuple[Hashable, bytes]
    names: tuple[bytes, ...] = ()
    answers: dict[Values, Kept] = field(default_factory=dict)
    size: int = 0


class CacheStore:
    """At most so many answers, and bytes; questions are any hashable, each about a path in a room (a route)."""

    def __init__(
        self,
        entries: int,
        size: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.clock = clock
        self.wall = wall
        self._most = entries
        self._most_bytes = size
        self._questions: dict[Hashable, _Question] = {}  # the one asked last stands last
        self._rooms: dict[Hashable, dict[bytes, set[Hashable]]] = {}
        self._turns: dict[Hashable, int] = {}
        self.entries = 0
        self.size = 0

    def find(self, question: Hashable, headers: Headers) -> Kept | None:
        """Give the answer for these request headers."""
        found = self._questions.pop(question, None)
        if found is None:
            return None
        self._questions[question] = found
        return found.answers.get(_values(found.names, headers))

    def turn(self, room: Hashable) -> int:
        """Say how often something was forgotten in a room: what was asked before that is not kept after it."""
        return self._turns.get(room, 0)

    def keep(
        self,
        question: Hashable,
        room: tuple[Hashable, bytes],
        names: tuple[bytes, ...],
        headers: Headers,
        answer: Kept,
    ) -> None:
        """Keep an answer in a room and under a path, in place of an older one; too large a one is not kept."""
        size = answer.size + len(room[1])
        if self._most < 1 or size * _SHARE > self._most_bytes:
            return
        found = self._questions.get(question)
        if found is not None and found.names != names:
            self._drop(question)  # it depends on other headers now
            found = None
        if found is None:
            found = self._questions[question] = _Question(room, names)
            self._rooms.setdefault(room[0], {}).setdefault(room[1], set()).add(question)
        values = _values(names, headers)
        old = found.answers.pop(values, None)
        if old is not None:
            self._count(found, -1, -(old.size + len(room[1])))
        elif len(found.answers) >= _VARIANTS:
            first = next(iter(found.answers))
            self._count(found, -1, -(found.answers.pop(first).size + len(room[1])))
        found.answers[values] = answer
        self._count(found, 1, size)
        while self.entries > self._most or self.size > self._most_bytes:
            self._drop(next(iter(self._questions)))

    def forget(self, room: Hashable, path: bytes) -> None:
        """Forget what is known of a path, of what it lies in and of what lies in it (RFC 9111 section 4.4, and more)."""
        self._turns[room] = self._turns.get(room, 0) + 1
        paths = self._rooms.get(room, {})
        for known in [known for known in paths if _related(known, path)]:
            for question in [*paths.get(known, ())]:
                self._drop(question)

    def close(self) -> None:
        """Let go of everything, and keep nothing more: the plan is no longer in force."""
        self._most = 0
        for question in [*self._questions]:
            self._drop(question)

    def _drop(self, question: Hashable) -> None:
        found = self._questions.pop(question)
        self._count(found, -len(found.answers), -found.size)
        paths = self._rooms[found.room[0]]
        paths[found.room[1]].discard(question)
        if not paths[found.room[1]]:
            del paths[found.room[1]]

    def _count(self, found: _Question, entries: int, size: int) -> None:
        self.entries += entries
        self.size += size
        found.size += size


def _related(one: bytes, other: bytes) -> bool:
    return one == other or one.startswith(other + b"/") or other.startswith(one + b"/")


def _values(names: Iterable[bytes], headers: Headers) -> Values:
    return tuple(b",".join(value.strip() for known, value in headers if known == name) for name in names)
