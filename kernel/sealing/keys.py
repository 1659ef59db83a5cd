"""Ed25519 signing keys by name, and the public list of which key may sign what."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from kernel.errors import Place, SealingError
from kernel.sealing.private_files import (
    create_private,
    locked,
    private_folder,
    read_guarded,
    read_private,
    replace_file,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Purpose = Literal["contracts", "access", "routes", "audit-heads", "deny-list"]
PURPOSES: tuple[str, ...] = get_args(Purpose)
TRUST_FILE = "trust.json"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a key; `key_id` is `sha256:<hex>` of its 32 raw bytes."""

    key_id: str
    public: bytes

    @classmethod
    def of(cls, public: bytes) -> VerifyingKey:
        """Make one of 32 raw bytes; raises `SealingError` when they are no Ed25519 key."""
        try:
            Ed25519PublicKey.from_public_bytes(public)
        except ValueError:
            raise SealingError("a public key is not an Ed25519 key (32 bytes)") from None
        return cls(key_id_of(public), public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's over `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name; it never shows itself in a repr."""

    name: str
    verifying: VerifyingKey
    _private: Ed25519PrivateKey

    @classmethod
    def generate(cls, name: str) -> SigningKey:
        """Make a key that is kept nowhere (tests, and the throw-away key of `proxy run`)."""
        return cls._of(name, Ed25519PrivateKey.generate())

    @classmethod
    def _of(cls, name: str, private: Ed25519PrivateKey) -> SigningKey:
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(name, VerifyingKey.of(public), private)

    @property
    def key_id(self) -> str:
        """`sha256:<hex>` of the public key."""
        return self.verifying.key_id

    def sign(self, message: bytes) -> bytes:
        """Sign `message` (64 bytes)."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey({self.name!r}, {self.key_id!r})"


def key_id_of(public: bytes) -> str:
    """Name a public key by its own bytes, so that an id cannot be given to another key."""
    return f"sha256:{hashlib.sha256(public).hexdigest()}"


class TrustedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of trust.json: `public` is base64 of the raw key, `may_sign` lists purposes."""

    name: str
    public: str
    may_sign: tuple[str, ...]


class _TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: dict[str, TrustedKey]
    trust_version: int = 1


@dataclass(frozen=True, slots=True)
class Trust:
    """Which keys may sign what; made of trust.json or, for throw-away keys, in memory."""

    keys: Mapping[str, TrustedKey]

    @classmethod
    def of(cls, key: SigningKey, *purposes: Purpose) -> Trust:
        """Trust one key, for the purposes named."""
        return cls({key.key_id: _row(key, purposes)})

    def may_sign(self, purpose: Purpose) -> dict[str, VerifyingKey]:
        """All keys that may sign for `purpose`, by key id."""
        return {
            key_id: VerifyingKey(key_id, base64.b64decode(row.public))
            for key_id, row in self.keys.items()
            if purpose in row.may_sign
        }

    def as_json(self) -> bytes:
        """Write the form that `read_trust` reads."""
        return msgspec.json.format(msgspec.json.encode(_TrustFile(dict(self.keys))), indent=2) + b"\n"


def parse_trust(data: bytes, name: str = TRUST_FILE) -> Trust:
    """Read trust.json; raises `SealingError` for anything but well-formed rows whose ids fit their keys."""
    try:
        rows = msgspec.json.decode(data, type=_TrustFile).keys
        for key_id, row in rows.items():
            if key_id_of(base64.b64decode(row.public, validate=True)) != key_id:
                raise SealingError(f"key id {key_id[:80]} does not fit its public key", place=Place(name))
            VerifyingKey.of(base64.b64decode(row.public))
            strange = set(row.may_sign) - set(PURPOSES)
            if strange:
                raise SealingError(f"unknown purpose {min(strange)[:40]!r}", place=Place(name))
    except (msgspec.MsgspecError, ValueError) as error:
        raise SealingError(f"the list of trusted keys cannot be read: {error}", place=Place(name)) from None
    return Trust(rows)


class KeyFolder:
    """`<data>/keys`: one PEM file (PKCS #8, mode 0600) per signing key, and the public trust.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def signing_key(self, name: str) -> SigningKey:
        """Read a key; raises `SealingError` when it is missing, damaged, or open to others."""
        path = self._path(name)
        try:
            private = load_pem_private_key(read_private(path), password=None)
        except (ValueError, TypeError):
            raise SealingError("the key file holds no private key", place=Place(str(path))) from None
        if not isinstance(private, Ed25519PrivateKey):
            raise SealingError("the key is not an Ed25519 key", place=Place(str(path)))
        return SigningKey._of(name, private)  # noqa: SLF001 - the class's own second constructor

    def ensure(self, name: str, *purposes: Purpose) -> SigningKey:
        """Read a key, made now if it is missing, and list it in trust.json for at least `purposes`."""
        path = self._path(name)
        private_folder(self.folder)
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            )
            create_private(path, pem)
        key = self.signing_key(name)
        with locked(self.folder):
            rows = dict(self.trust().keys) if (self.folder / TRUST_FILE).exists() else {}
            listed = rows[key.key_id].may_sign if key.key_id in rows else ()
            if not set(purposes) <= set(listed) or key.key_id not in rows:
                rows[key.key_id] = _row(key, tuple(sorted({*listed, *purposes})))
                replace_file(self.folder / TRUST_FILE, Trust(rows).as_json(), 0o644)
        return key

    def trust(self) -> Trust:
        """Read trust.json; raises `SealingError` when it is missing, damaged, or writable by others."""
        path = self.folder / TRUST_FILE
        return parse_trust(read_guarded(path), str(path))

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise SealingError(
                f"{name[:64]!r} is no name for a key", hint="lower-case letters, digits and hyphens"
            )
        return self.folder / f"{name}.pem"


def _row(key: SigningKey, purposes: tuple[str, ...]) -> TrustedKey:
    return TrustedKey(key.name, base64.b64encode(key.verifying.public).decode(), tuple(purposes))
