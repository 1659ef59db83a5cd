"""A deny list as its reader sees it over time: the newest good one counts, over restarts too.

What was accepted is kept as it was signed (`<data>/run/denied-<origin>.dsse.json`), so that a list which is
removed, damaged or put back to an older state lifts nothing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kernel.bundle.deny import LARGEST_LIST, DenyList, Origin, open_list
from kernel.bundle.read import read_plain, stamp_of
from kernel.errors import BundleError, Place, SealingError
from kernel.sealing.private_files import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kernel.sealing.keys import Trust


class DenySource:
    """One list's file; not for use from several threads. `trust` is asked at every read.

    `kept` is where the last good one is kept; None keeps it in memory only. `keeps` False only reads it.
    """

    def __init__(
        self,
        path: Path,
        origin: Origin,
        trust: Callable[[], Trust],
        kept: Path | None = None,
        *,
        keeps: bool = True,
    ) -> None:
        self.origin = origin
        self._path = path
        self._trust = trust
        self._kept = kept
        self._keeps = keeps
        self._stamp: tuple[int, int, int] | None = None
        self.last: DenyList | None = None  # the last good one
        self._kept_serial = -1
        self._remembered = False

    def changed(self) -> bool:
        """Whether the file changed since the last `read` (one stat, no reading)."""
        return stamp_of(self._path) != self._stamp

    def read(self) -> DenyList | None:
        """Give the list in force now, None before there was any.

        Raises `BundleError` for a file that must not count; `last` is then what still does.
        """
        if not self._remembered:
            self._recall()
        stamp, self._stamp = stamp_of(self._path), None  # before reading: what is written meanwhile shows
        given = self._read()
        self._stamp = stamp  # a refused one is looked at again: the list of trusted keys may change
        return given

    def _read(self) -> DenyList | None:
        if not self._path.exists():
            if self.last is not None:
                raise BundleError(
                    "the deny list was removed: the last one counts on", place=Place(str(self._path))
                )
            return None
        envelope = read_plain(self._path, LARGEST_LIST, "the deny list")
        given = open_list(envelope, self.origin, self._trust(), Place(str(self._path)))
        self._not_older(given)
        self.last = given
        if self._kept_serial != given.serial:
            self._keep(envelope, given.serial)
        return given

    def _not_older(self, given: DenyList) -> None:
        last = self.last
        if last is None or given.serial > last.serial or given == last:
            return
        raise BundleError(
            f"the deny list has serial {given.serial}, and {last.serial} was seen before: the last one counts on",
            hint="lift entries with the command that made them; after restoring a backup, see docs/guide/operator.md",
            place=Place(str(self._path)),
        )

    def _recall(self) -> None:
        if self._kept is not None and self._kept.exists():
            # One that cannot be read is as one that is not there: whoever can spoil it can remove it too.
            with contextlib.suppress(BundleError):
                envelope = read_plain(self._kept, LARGEST_LIST, "the kept deny list")
                self.last = open_list(envelope, self.origin, self._trust(), Place(str(self._kept)))
                self._kept_serial = self.last.serial
        self._remembered = True

    def _keep(self, envelope: bytes, serial: int) -> None:
        """Keep it for the next start; that it counts now does not depend on the disk."""
        if self._kept is None or not self._keeps:
            return
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._kept, envelope, 0o600)
            self._kept_serial = serial
        except (OSError, SealingError):
            self._stamp = None  # tried again at the next look
