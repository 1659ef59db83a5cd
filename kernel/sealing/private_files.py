"""Files that hold secrets: created whole with mode 0600, and never read when others could have read them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from typing import TYPE_CHECKING

from kernel.errors import Place, SealingError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 1024 * 1024  # bytes; a key file is a few hundred


def private_folder(folder: Path) -> Path:
    """Create `folder` with mode 0700 when it is missing, and return it; raises `SealingError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SealingError(
            f"the key folder cannot be made: {error.strerror}", place=Place(str(folder))
        ) from error
    return folder


def read_private(path: Path) -> bytes:
    """Read a secret; raises `SealingError` when it is missing, a link, not ours, or open to others."""
    return _read(
        path, forbidden=0o077, fix=f"chmod 600 {path}; and make a new key if others could have read it"
    )


def read_guarded(path: Path) -> bytes:
    """Read a public file that decides about trust; raises `SealingError` when others may write it."""
    return _read(path, forbidden=0o022, fix=f"chmod 644 {path}, after making sure that its content is yours")


def _read(path: Path, *, forbidden: int, fix: str) -> bytes:
    where = Place(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise SealingError(
            "the key file is missing", hint="restore it from its backup", place=where
        ) from None
    except OSError as error:
        raise SealingError(f"the key file cannot be opened: {error.strerror}", place=where) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SealingError("the key file is not a plain file", place=where)
        if status.st_uid not in (0, os.geteuid()):
            raise SealingError(
                "the key file belongs to somebody else", hint="chown it to this user", place=where
            )
        if stat.S_IMODE(status.st_mode) & forbidden:
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            raise SealingError(
                f"the key file has mode {mode}, so others can get at it", hint=fix, place=where
            )
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise SealingError("the key file is larger than any key", place=where)
    return data


def create_private(path: Path, data: bytes) -> bool:
    """Write a new secret whole and durably; False when the file is there already (it is left alone)."""
    draft = _draft(path, data, 0o600)
    try:
        os.link(draft, path)  # unlike a rename, a link never replaces what another process just made
    except FileExistsError:
        return False
    except OSError as error:
        raise SealingError(
            f"the key file cannot be made: {error.strerror}", place=Place(str(path))
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def replace_file(path: Path, data: bytes, mode: int) -> None:
    """Replace a file whole and durably: draft, fsync, rename, fsync of the folder."""
    draft = _draft(path, data, mode)
    try:
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SealingError(
            f"the file cannot be replaced: {error.strerror}", place=Place(str(path))
        ) from error
    sync_folder(path.parent)


def _draft(path: Path, data: bytes, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)  # the umask may have taken bits away, never added any
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SealingError(f"the file cannot be written: {error.strerror}", place=Place(str(path))) from error
    return draft


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two processes do not overwrite each other's change."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
