"""Which processes live, told by locks that the kernel takes back when a process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Owners:
    """One locked file for each process that may have calls under way; the name of the file is its owner id.

    Raises OSError where the folder cannot be used. Not for network file systems without flock.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.me = secrets.token_hex(8)
        draft = folder / f"{self.me}.draft"
        self._descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        draft.rename(folder / self.me)  # locked before anybody can see it

    def lives(self, owner: str) -> bool:
        """Say whether the process of this owner id runs."""
        if owner == self.me:
            return True
        try:
            descriptor = os.open(self._folder / owner, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def dead(self) -> list[str]:
        """List those who left their file and do not live."""
        return [path.name for path in self._folder.iterdir() if not path.suffix and not self.lives(path.name)]

    def forget(self, owner: str) -> None:
        """Take away the file of a dead one."""
        (self._folder / owner).unlink(missing_ok=True)

    def close(self) -> None:
        """Stop living."""
        self.forget(self.me)
        os.close(self._descriptor)
