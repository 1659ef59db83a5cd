"""DSSE envelopes: the published vector, and every way in which one must not verify."""

from __future__ import annotations

import base64
import json

import pytest

from kernel.errors import SealingError
from kernel.sealing.dsse import (
    PAYLOAD_TYPE,
    Statement,
    Subject,
    pre_authentication_encoding,
    sign_statement,
    verify_statement,
)
from kernel.sealing.keys import SigningKey

KEY = SigningKey.generate("board")
OTHER = SigningKey.generate("other")
STATEMENT = Statement(
    (Subject("lab-orders-1.0.0", {"sha256": "ab" * 32}),), "https://interlock.example/test/v1", {"serial": 7}
)
KEYS = {KEY.key_id: KEY.verifying}


def test_pre_authentication_encoding_is_the_specified_one() -> None:
    # The example of DSSE protocol.md.
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_signed_statement_comes_back() -> None:
    verified = verify_statement(sign_statement(STATEMENT, OTHER, KEY), KEYS)
    assert verified.statement == STATEMENT
    assert verified.key_id == KEY.key_id
    body = json.loads(verified.payload)
    assert body["_type"] == "https://in-toto.io/Statement/v1"
    assert body["predicateType"] == "https://interlock.example/test/v1"
    assert body["subject"] == [{"name": "lab-orders-1.0.0", "digest": {"sha256": "ab" * 32}}]


def test_no_flipped_bit_of_the_payload_verifies() -> None:
    envelope = json.loads(sign_statement(STATEMENT, KEY))
    payload = base64.b64decode(envelope["payload"])
    for index in range(len(payload)):
        altered = bytearray(payload)
        altered[index] ^= 1
        envelope["payload"] = base64.b64encode(bytes(altered)).decode()
        with pytest.raises(SealingError, match="altered"):
            verify_statement(json.dumps(envelope).encode(), KEYS)


def _with(**changes: object) -> bytes:
    return json.dumps(json.loads(sign_statement(STATEMENT, KEY)) | changes).encode()


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (_with(signatures=[]), "not signed"),
        (_with(payloadType="text/plain"), "something other"),
        (_with(signatures=[{"keyid": KEY.key_id, "sig": "AAAA"}]), "altered"),
        (_with(signatures=[{"keyid": KEY.key_id, "sig": "§"}]), "altered"),
        (_with(payload="%%%"), "not a DSSE envelope"),
        (sign_statement(STATEMENT, OTHER), "may not sign"),
        (b"", "not a DSSE envelope"),
        (b"\xff\xfe", "not a DSSE envelope"),
        (b"[" * 100_000, "not a DSSE envelope"),
    ],
)
def test_what_must_not_verify(envelope: bytes, reason: str) -> None:
    with pytest.raises(SealingError, match=reason):
        verify_statement(envelope, KEYS)


def test_a_key_cannot_borrow_another_ones_id() -> None:
    envelope = json.loads(sign_statement(STATEMENT, OTHER))
    envelope["signatures"][0]["keyid"] = KEY.key_id
    with pytest.raises(SealingError, match="altered"):
        verify_statement(json.dumps(envelope).encode(), KEYS)


def test_a_signed_payload_of_another_form_is_refused() -> None:
    payload = b'{"_type":"https://in-toto.io/Statement/v0.1"}'
    signature = KEY.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": KEY.key_id, "sig": base64.b64encode(signature).decode()}],
    }
    with pytest.raises(SealingError, match="not an in-toto statement"):
        verify_statement(json.dumps(envelope).encode(), KEYS)
