"""Seals payloads that may hold health data: AES-256-GCM under data keys, which a key provider wraps.

A sealed payload is `ILS1` | data key id (16) | nonce (12) | ciphertext and tag; the header and the
context are authenticated, so that a payload opens only where it was meant to stand. Nonces are
random, so a data key must be rotated before 2^32 payloads (NIST SP 800-38D §8.3).
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from kernel.errors import Place, SealingError
from kernel.sealing.private_files import create_private, locked, private_folder, read_private, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAGIC = b"ILS1"
_ID = 16
_NONCE = 12
_TAG = 16
OVERHEAD = len(MAGIC) + _ID + _NONCE + _TAG  # bytes that sealing adds
KEYS_FILE = "payload-keys.json"


class KeyProvider(Protocol):
    """Keeps the key that wraps data keys: a file here, a key management service elsewhere."""

    name: str

    def wrap(self, data_key: bytes) -> bytes:
        """Encrypt 32 bytes of data key."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Decrypt what `wrap` gave; raises `SealingError` when it was altered or is another provider's."""


class FileKeyProvider:
    """The default: 32 random bytes in `<data>/keys/payload.kek`, mode 0600 (back it up apart)."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._path = private_folder(folder) / "payload.kek"
        if not self._path.exists():
            create_private(self._path, os.urandom(32))
        self._key = read_private(self._path)
        if len(self._key) != 32:  # noqa: PLR2004 - AES-256
            raise SealingError("the wrapping key has not 32 bytes", place=Place(str(self._path)))

    def wrap(self, data_key: bytes) -> bytes:
        """Wrap by AES key wrap (RFC 3394)."""
        return aes_key_wrap(self._key, data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """Unwrap; the integrity check of RFC 3394 tells an altered or foreign key."""
        try:
            return aes_key_unwrap(self._key, wrapped)
        except (InvalidUnwrap, ValueError):
            raise SealingError(
                "a data key cannot be unwrapped: it was wrapped by another key, or altered",
                hint="restore the whole keys folder from one backup",
                place=Place(str(self._path)),
            ) from None


class _DataKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str  # 16 random bytes, hex
    wrapped: str  # base64
    provider: str
    created_at: str  # RFC 3339


class _KeysFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    active: str
    keys: tuple[_DataKey, ...]
    keys_version: int = 1


@dataclass(slots=True)
class _Ring:
    active: bytes
    ciphers: dict[bytes, AESGCM]


class Sealer:
    """Seals and opens payloads; safe to share between threads, several processes may use one folder."""

    def __init__(self, folder: Path, provider: KeyProvider | None = None) -> None:
        self._path = private_folder(folder) / KEYS_FILE
        self._provider = FileKeyProvider(folder) if provider is None else provider
        with locked(folder):
            if not self._path.exists():
                self._add_key(())
        self._ring = self._read()

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal under the active data key; `context` names the place (`inbox|raw|<id>`) and is not secret."""
        ring = self._ring
        header = MAGIC + ring.active + os.urandom(_NONCE)
        return header + ring.ciphers[ring.active].encrypt(
            header[-_NONCE:], plaintext, _bound(header, context)
        )

    def open(self, sealed: bytes, context: str) -> bytes:
        """Open what `seal` gave for the same context; raises `SealingError`, never gives half a payload."""
        if len(sealed) < OVERHEAD or sealed[: len(MAGIC)] != MAGIC:
            raise SealingError("this is not a sealed payload")
        split = len(MAGIC) + _ID + _NONCE
        header = sealed[:split]
        cipher = self._cipher(header[len(MAGIC) : len(MAGIC) + _ID])
        try:
            return cipher.decrypt(header[-_NONCE:], sealed[split:], _bound(header, context))
        except InvalidTag:
            raise SealingError(
                "a sealed payload does not open: it was altered, or belongs to another place"
            ) from None

    def rotate(self) -> str:
        """Make a new data key the active one and return its id; what older keys sealed still opens."""
        with locked(self._path.parent):
            self._add_key(self._rows().keys)
        self._ring = self._read()
        return self._ring.active.hex()

    def _cipher(self, key_id: bytes) -> AESGCM:
        cipher = self._ring.ciphers.get(key_id)
        if cipher is None:  # another process may have rotated since we read the file
            self._ring = self._read()
            cipher = self._ring.ciphers.get(key_id)
        if cipher is None:
            raise SealingError(
                f"data key {key_id.hex()} is not here",
                hint="restore keys/ from its backup",
                place=self._place(),
            )
        return cipher

    def _rows(self) -> _KeysFile:
        try:
            return msgspec.json.decode(read_private(self._path), type=_KeysFile)
        except msgspec.MsgspecError as error:
            raise SealingError(f"the data keys cannot be read: {error}", place=self._place()) from None

    def _read(self) -> _Ring:
        rows = self._rows()
        ciphers = {}
        for row in rows.keys:
            if row.provider != self._provider.name:
                raise SealingError(
                    f"data key {row.id} belongs to provider {row.provider!r}", place=self._place()
                )
            ciphers[_bytes(row.id, bytes.fromhex)] = AESGCM(
                self._provider.unwrap(_bytes(row.wrapped, _base64))
            )
        active = _bytes(rows.active, bytes.fromhex)
        if active not in ciphers or any(len(key_id) != _ID for key_id in ciphers):
            raise SealingError("the active data key is not among the data keys", place=self._place())
        return _Ring(active, ciphers)

    def _add_key(self, others: tuple[_DataKey, ...]) -> None:
        wrapped = base64.b64encode(self._provider.wrap(AESGCM.generate_key(256))).decode()
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        row = _DataKey(os.urandom(_ID).hex(), wrapped, self._provider.name, created)
        replace_file(self._path, msgspec.json.encode(_KeysFile(row.id, (*others, row))), 0o600)

    def _place(self) -> Place:
        return Place(str(self._path))


def _bound(header: bytes, context: str) -> bytes:
    return header + context.encode()


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _bytes(text: str, read: Callable[[str], bytes]) -> bytes:
    try:
        return read(text)
    except ValueError:
        raise SealingError("the data keys cannot be read: a key is not encoded as it should be") from None
