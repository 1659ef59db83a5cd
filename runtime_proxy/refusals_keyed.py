"""Refusals of repeats: what an Idempotency-Key forbids (draft-ietf-httpapi-idempotency-key-header section 2.7)."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class IdempotencyKeyMissing(Refusal):
    """The contract requires a key."""

    slug = "idempotency-key-missing"
    status = 400
    title = "An Idempotency-Key is required"
    explanation = (
        "The contract requires an Idempotency-Key for this operation, so that a repeated call is not carried"
        " out twice."
    )
    remedy = "Send a new key with every new call, a UUID in quotes is best, and the same key with every repeat of it."


class IdempotencyKeyInvalid(Refusal):
    """The key cannot be read."""

    slug = "idempotency-key-invalid"
    status = 400
    title = "The Idempotency-Key cannot be read"
    explanation = (
        "An Idempotency-Key is one string of 1 to 255 printable ASCII characters in quotes (RFC 9651), "
        "without parameters; without quotes only letters, digits and the marks of a token are taken."
    )
    remedy = 'Send it once, like `Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"`.'


class IdempotencyKeyReused(Refusal):
    """The key belongs to another request."""

    slug = "idempotency-key-reused"
    status = 422
    title = "The Idempotency-Key belongs to another request"
    explanation = (
        "This consumer has used the key before with another method, path, query, media type or body. Nothing"
        " was forwarded."
    )
    remedy = "Send a new key with a new request; repeat a request exactly, byte for byte."


class IdempotencyRunning(Refusal):
    """The first call with this key is under way."""

    slug = "idempotency-running"
    status = 409
    title = "The first call with this key is still running"
    explanation = (
        "A call with this Idempotency-Key is under way. The repeat was not forwarded; once the first has "
        "ended, a repeat gets its answer."
    )
    remedy = "Repeat the same request a little later."
    retry_after = 1


class IdempotencyUnresolved(Refusal):
    """What became of the first call is not known."""

    slug = "idempotency-unresolved"
    status = 409
    title = "The outcome of the first call with this key is not known"
    explanation = (
        "A call with this Idempotency-Key was forwarded and its outcome is not known: the provider did not "
        "answer, or the proxy ended meanwhile. It may have been carried out, so it is not sent again until "
        "somebody has found out."
    )
    remedy = (
        "Ask the provider for the state; the operator then settles the key "
        "(`interlock proxy resolve`). Do not send the same thing under a new key before that."
    )


class IdempotencyAnswerLost(Refusal):
    """The first call was carried out, and its answer is not at hand."""

    slug = "idempotency-answer-lost"
    status = 409
    title = "The first call with this key was carried out"
    explanation = (
        "The operator has found out that the first call with this Idempotency-Key was carried out; what the "
        "provider answered is not known. The repeat was not forwarded."
    )
    remedy = "Take the call as done, and read the state by another operation."


class IdempotencyUnavailable(Refusal):
    """Keys cannot be kept."""

    slug = "idempotency-unavailable"
    status = 503
    title = "Idempotency keys cannot be kept"
    explanation = (
        "The store of Idempotency-Keys cannot be read or written, and no call with a key is carried out "
        "without its durable entry. Nothing was forwarded."
    )
    remedy = "Try again later with the same key; the operator finds the cause in the proxy's log."
    retry_after = 5


ROWS: Final[tuple[type[Refusal], ...]] = (
    IdempotencyKeyMissing,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    IdempotencyRunning,
    IdempotencyUnresolved,
    IdempotencyAnswerLost,
    IdempotencyUnavailable,
)
