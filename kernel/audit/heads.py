"""Signed heads: once a second the end of each journal is signed, and kept in a folder apart.

A head says "the record number `seq` of this journal had this chain": nobody can alter, remove or reorder
anything before it without the key. Keep the folder on another disk, or copy it away.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LARGEST_FILE = 8 * 1024 * 1024  # bytes; then the file becomes <writer>.heads.1 and a new one begins
_LARGEST_LINE = 4096


class HeadSigner(Protocol):
    """What signs heads: an Ed25519 key (kernel.sealing.keys.SigningKey)."""

    @property
    def key_id(self) -> str:
        """Name of the key."""

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""


class HeadVerifier(Protocol):
    """The public half (kernel.sealing.keys.VerifyingKey)."""

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature holds."""


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a journal at one time; `segment` and `offset` say where its last record ends."""

    writer: str
    journal: str
    epoch: int
    segment: int
    offset: int
    seq: int
    chain: str
    recorded: str
    key: str = ""
    signature: str = ""

    def signed_text(self) -> bytes:
        """Write the bytes that are signed: one fact a line, so that nothing can be confused."""
        facts = (
            self.writer,
            self.journal,
            self.epoch,
            self.segment,
            self.offset,
            self.seq,
            self.chain,
            self.recorded,
        )
        return ("interlock.audit.head/v1\n" + "".join(f"{fact}\n" for fact in facts)).encode()


@dataclass(frozen=True, slots=True)
class HeadLine:
    """One line of a heads file: `head` is None when the line cannot be read."""

    number: int
    head: Head | None


def sign_head(head: Head, signer: HeadSigner) -> Head:
    """Sign a head."""
    signature = base64.b64encode(signer.sign(head.signed_text())).decode()
    return msgspec.structs.replace(head, key=signer.key_id, signature=signature)


def head_holds(head: Head, keys: Mapping[str, HeadVerifier]) -> bool:
    """Whether one of `keys` (by key id) signed this head."""
    key = keys.get(head.key)
    try:
        signature = base64.b64decode(head.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return key is not None and key.verify(signature, head.signed_text())


class HeadsFile:
    """Appends the signed heads of one writer."""

    def __init__(self, folder: Path, writer: str) -> None:
        self.path = folder / f"{writer}.heads"
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
            _cut_torn_line(self._file)
        except OSError as error:
            raise AuditError(
                f"the signed heads cannot be kept: {error.strerror}", place=Place(str(self.path))
            ) from error

    def append(self, head: Head, *, sync: bool) -> None:
        """Write one head; OSError is the journal's to judge."""
        if os.fstat(self._file).st_size > LARGEST_FILE:
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            after = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
            os.close(self._file)
            self._file = after
        line = msgspec.json.encode(head) + b"\n"
        if os.write(self._file, line) < len(line):  # the next head would stand on the same line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if sync:
            os.fdatasync(self._file)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


def _cut_torn_line(file: int) -> None:
    """Cut off a last line that a crash left without its end: it was a promise that nobody was given."""
    size = os.fstat(file).st_size
    tail = os.pread(file, _LARGEST_LINE, max(size - _LARGEST_LINE, 0))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn:
        os.ftruncate(file, size - torn)


def read_heads(folder: Path, writer: str) -> Iterator[HeadLine]:
    """Give the heads kept for a writer, oldest first; a last line without its end is passed over."""
    number = 0
    for name in (f"{writer}.heads.1", f"{writer}.heads"):
        path = folder / name
        if not path.is_file():
            continue
        with path.open("rb") as file:
            while line := file.readline(_LARGEST_LINE):
                number += 1
                try:
                    yield HeadLine(number, msgspec.json.decode(line, type=Head))
                except msgspec.MsgspecError:
                    if line.endswith(b"\n") or name.endswith(".1"):
                        yield HeadLine(number, None)


def last_head(folder: Path, writer: str) -> Head | None:
    """Give the newest readable head of a writer."""
    newest = None
    for line in read_heads(folder, writer):
        if line.head is not None:
            newest = line.head
    return newest


def writers_with_heads(folder: Path) -> set[str]:
    """Name the writers that have signed heads."""
    if not folder.is_dir():
        return set()
    return {path.name.split(".heads")[0] for path in folder.iterdir() if ".heads" in path.name}
