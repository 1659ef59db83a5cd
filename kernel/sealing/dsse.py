"""Signed statements: DSSE envelopes (Ed25519) around in-toto Statement v1.

Sources: DSSE protocol v1.0.2 (github.com/secure-systems-lab/dsse), in-toto attestation Statement v1.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kernel.errors import SealingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.sealing.keys import SigningKey, VerifyingKey

STATEMENT_TYPE: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MOST_SIGNATURES = 16


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[_Signature, ...]


class Subject(msgspec.Struct, frozen=True):
    """What a statement is about: `digest` is `{"sha256": "<hex>"}`."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True):
    """An in-toto Statement v1; `predicate` says what is claimed about the subjects."""

    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any]
    type: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(default=STATEMENT_TYPE, name="_type")


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement whose signature held, the exact payload that was signed, and by which key."""

    statement: Statement
    payload: bytes
    key_id: str


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """DSSE PAE: the bytes that are signed, so that type and payload cannot be confused."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_statement(statement: Statement, *keys: SigningKey) -> bytes:
    """Write an envelope signed by each of `keys`."""
    payload = msgspec.json.encode(statement, order="deterministic")
    signed = pre_authentication_encoding(PAYLOAD_TYPE, payload)
    signatures = tuple(_Signature(base64.b64encode(key.sign(signed)).decode(), key.key_id) for key in keys)
    return msgspec.json.encode(_Envelope(base64.b64encode(payload).decode(), PAYLOAD_TYPE, signatures))


def verify_statement(envelope: bytes, keys: Mapping[str, VerifyingKey]) -> Verified:
    """Read an envelope; raises `SealingError` unless one of `keys` (by key id) signed it.

    The payload is parsed only after its signature held; signatures by other keys are passed over.
    """
    try:
        outer = msgspec.json.decode(envelope, type=_Envelope)
        payload = base64.b64decode(outer.payload, validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise SealingError(f"not a DSSE envelope: {error}") from None
    if outer.payload_type != PAYLOAD_TYPE:
        raise SealingError("the envelope holds something other than an in-toto statement")
    signed = pre_authentication_encoding(outer.payload_type, payload)
    for signature in outer.signatures[:_MOST_SIGNATURES]:
        key = keys.get(signature.keyid)
        if key is not None and key.verify(_decode(signature.sig), signed):
            return Verified(_statement(payload), payload, key.key_id)
    if not outer.signatures:
        raise SealingError("the envelope is not signed")
    if not any(signature.keyid in keys for signature in outer.signatures):
        raise SealingError(
            "the envelope is signed by a key that may not sign this", hint="see keys/trust.json"
        )
    raise SealingError("the signature does not hold: the envelope was altered")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _statement(payload: bytes) -> Statement:
    try:
        return msgspec.json.decode(payload, type=Statement)
    except msgspec.MsgspecError as error:
        raise SealingError(f"the signed payload is not an in-toto statement: {error}") from None
