"""Numbers of one worker in a file that is mapped into memory, so that any worker can tell those of all.

Layout, native byte order: 64 bytes of head (magic, beat in monotonic nanoseconds, bytes of names, numbers in
use), names (JSON lines `[metric, [labels], index]`, append only), then unsigned numbers of 64 bits. Times are
kept in microseconds and gauges in millionths. The file lives on when its worker ends, and the next one of the
same name goes on counting in it: a counter never goes back but by what a crash cut off, a second at most.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import time
from array import array
from typing import TYPE_CHECKING, Final

import orjson

from runtime_proxy.console.table import BY_NAME, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runtime_proxy.console.table import Metric

SUFFIX: Final = ".series"
MILLION: Final = 1_000_000
_MAGIC: Final = b"ilkmet01"
_HEAD: Final = struct.Struct("=8sQQQ")
_NAMES_AT: Final = 64
_NAMES_BYTES: Final = 16 * 1024 * 1024  # both parts are sparse: what is not used takes no room
_NUMBERS: Final = 1024 * 1024
_NUMBERS_AT: Final = _NAMES_AT + _NAMES_BYTES
_SIZE: Final = _NUMBERS_AT + 8 * _NUMBERS
AT_ONCE: Final = 40  # rows that are read, or written, without giving way to others
ALIVE_SECONDS: Final = 10.0  # a worker whose last beat is older has no gauges


class Series:
    """The rows of one worker; `numbers[row(…)] += 1` is all that counting costs."""

    def __init__(self, path: Path, *, most_rows: int) -> None:
        self._most = most_rows
        self._rows: dict[tuple[str, tuple[str, ...]], int] = {}
        self._count: dict[str, int] = {}  # rows by metric
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            os.ftruncate(number, _SIZE)
            self._map = mmap.mmap(number, _SIZE)
        finally:
            os.close(number)
        magic, _, names, numbers = _HEAD.unpack_from(self._map)
        known = magic == _MAGIC
        self._names_used: int = names if known else 0
        self._numbers_used: int = numbers if known else 0
        # Counting happens in a list, for adding to a mapped number costs three times as much; `beat` copies it.
        self.numbers: list[int] = array(
            "Q", self._map[_NUMBERS_AT : _NUMBERS_AT + 8 * self._numbers_used]
        ).tolist()
        self._take_up()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def row(self, metric: Metric, *labels: str) -> int:
        """Give the index of the first number of a row; made at its first use.

        When a metric has as many rows as it may, or the file is full, what is new is counted together in
        the row whose labels are all `other`.
        """
        found = self._rows.get((metric.name, labels))
        if found is not None:
            return found
        other = (OTHER,) * len(labels)
        full = self._numbers_used + metric.width > _NUMBERS - 64 * len(BY_NAME)
        if labels != other and (full or self._count.get(metric.name, 0) >= self._most):
            return self.row(metric, *other)
        line = orjson.dumps([metric.name, labels, self._numbers_used]) + b"\n"
        at = _NAMES_AT + self._names_used
        if labels != other and self._names_used + len(line) > _NAMES_BYTES - 64 * 1024:
            return self.row(metric, *other)
        self._map[at : at + len(line)] = line
        made = self._numbers_used
        self._know(metric.name, labels, made)
        self._names_used += len(line)
        self._numbers_used += metric.width
        self.numbers += [0] * metric.width
        return made

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self.numbers[self.row(metric, *labels)] = max(int(value * MILLION), 0)

    def beat(self) -> None:
        """Let readers see what was counted, and that the worker lives; once a second is enough."""
        data = array("Q", self.numbers).tobytes()
        self._map[_NUMBERS_AT : _NUMBERS_AT + len(data)] = data
        _HEAD.pack_into(self._map, 0, _MAGIC, time.monotonic_ns(), self._names_used, self._numbers_used)

    def close(self) -> None:
        """Let go of the file; its counters stay, its gauges do not count any more."""
        self.beat()
        _HEAD.pack_into(self._map, 0, _MAGIC, 0, self._names_used, self._numbers_used)
        self._map.close()

    def _take_up(self) -> None:
        for name, labels, index in _lines(self._map, self._names_used):
            self._know(name, tuple(labels), index)
            metric = BY_NAME.get(name)
            if metric is not None and metric.kind == "gauge":
                self.numbers[index] = 0

    def _know(self, name: str, labels: tuple[str, ...], index: int) -> None:
        self._rows[name, labels] = index
        self._count[name] = self._count.get(name, 0) + 1


Totals = dict[str, dict[tuple[str, ...], list[int]]]  # metric → labels → its numbers


def gather(folder: Path, totals: Totals) -> Iterator[None]:
    """Add the rows of all workers' files in a folder to `totals`, stopping for others after some dozens of rows.

    Gauges count only of workers that live.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with contextlib.suppress(OSError, ValueError), path.open("rb") as file:
            held = mmap.mmap(file.fileno(), _SIZE, access=mmap.ACCESS_READ)
            try:
                yield from _add(held, totals)
            finally:
                held.close()


def _add(held: mmap.mmap, totals: Totals) -> Iterator[None]:
    magic, beat, names_used, numbers_used = _HEAD.unpack_from(held)
    if magic != _MAGIC or names_used > _NAMES_BYTES or numbers_used > _NUMBERS:
        return  # of another version, or none of ours
    alive = time.monotonic_ns() - beat < ALIVE_SECONDS * 1e9
    numbers = memoryview(held[_NUMBERS_AT : _NUMBERS_AT + 8 * numbers_used]).cast("Q")
    for count, (name, labels, index) in enumerate(_lines(held, names_used)):
        if count % AT_ONCE == 0:
            yield
        metric = BY_NAME.get(name)
        if metric is None or (metric.kind == "gauge" and not alive):
            continue
        row = totals.setdefault(name, {}).setdefault(tuple(labels), [0] * metric.width)
        for at in range(metric.width):
            row[at] += numbers[index + at]


def _lines(held: mmap.mmap, used: int) -> Iterator[tuple[str, Sequence[str], int]]:
    for line in held[_NAMES_AT : _NAMES_AT + used].splitlines():
        name, labels, index = orjson.loads(line)
        yield name, labels, index
