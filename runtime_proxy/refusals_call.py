"""Refusals from the body on: what it holds, its audit record, the provider and its answer."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class OperationUnservable(Refusal):
    """The operation cannot be compiled, so it is not carried."""

    slug = "operation-unservable"
    status = 501
    title = "The operation cannot be checked, so it is not carried"
    explanation = (
        "Something that the contract declares for this operation (a pattern outside the linear-time "
        "subset, a media type or style without decoder) cannot be checked by this proxy. Nothing passes"
        " unchecked."
    )
    remedy = "`interlock check FILE` names the place in the contract; change it there."


class ParameterInvalid(Refusal):
    """A parameter in path, query, header or cookie breaks the contract."""

    slug = "parameter-invalid"
    status = 400
    title = "A parameter is not what the contract declares"
    explanation = (
        "A parameter in path, query, header or cookie is missing, cannot be decoded, or breaks its schema."
    )
    remedy = (
        "Correct the parameters that `errors` names; `keyword` is the part of the schema that was broken."
    )


class BodyMissing(Refusal):
    """The contract requires a body."""

    slug = "body-missing"
    status = 400
    title = "A body is required"
    explanation = "The contract requires a request body, and none was sent."
    remedy = "Send the body with its Content-Type."


class BodyUnexpected(Refusal):
    """The contract declares no body."""

    slug = "body-unexpected"
    status = 400
    title = "The contract declares no body here"
    explanation = "The request carries a body, and the contract declares none for this operation."
    remedy = "Leave the body out, or have it declared in the contract."


class BodyMalformed(Refusal):
    """The body is not what its media type says."""

    slug = "body-malformed"
    status = 400
    title = "The body cannot be read"
    explanation = (
        "The body is not well formed for its media type. JSON is read strictly: no duplicate keys, no "
        "NaN, no lone surrogates, no byte order mark, bounded depth."
    )
    remedy = "Send well-formed data; check the serialiser for duplicate keys and encoding."


class BodyInvalid(Refusal):
    """The body breaks its schema."""

    slug = "body-invalid"
    status = 422
    title = "The body is not what the contract declares"
    explanation = "The body is well formed, and breaks the schema that the contract declares for it."
    remedy = (
        "Correct the places that `errors` names by JSON pointer; `keyword` is the part of the schema "
        "that was broken."
    )


class MediaTypeUnsupported(Refusal):
    """A Content-Type that the contract does not declare."""

    slug = "media-type-unsupported"
    status = 415
    title = "The media type is not declared"
    explanation = "The Content-Type is missing, malformed, or none that the contract declares for this body."
    remedy = "Send a media type that the contract declares for this operation."


class ContentCodingUnsupported(Refusal):
    """A Content-Encoding of the request that is not decoded here."""

    slug = "content-coding-unsupported"
    status = 415
    title = "The content coding is not supported"
    explanation = (
        "The request body has a content coding that is not decoded here, or more than three of them: what "
        "cannot be read cannot be held to the contract."
    )
    remedy = (
        "Send the body uncompressed, or with one of the codings that Accept-Encoding of the answer names."
    )


class AuditUnavailable(Refusal):
    """The audit record cannot be kept, so nothing is carried out."""

    slug = "audit-unavailable"
    status = 503
    title = "The audit log cannot be written"
    explanation = (
        "No call is carried out, and none is answered, without its durable audit record. Nothing was "
        "forwarded."
    )
    remedy = "Try again later; the operator finds the cause (disk, permissions) in the proxy's log."
    retry_after = 5


class UpstreamUnreachable(Refusal):
    """No connection to the provider."""

    slug = "upstream-unreachable"
    status = 502
    title = "The provider cannot be reached"
    explanation = "No connection to the provider could be made. Nothing was sent to it."
    remedy = "Try again later; the operator checks the adapter's address and the provider."


class UpstreamBroken(Refusal):
    """The provider's answer is not an answer."""

    slug = "upstream-broken"
    status = 502
    title = "The provider's answer could not be read"
    explanation = (
        "The provider ended the connection early, or answered something that is not HTTP or too large."
    )
    remedy = (
        "A call that changes something may have been carried out: ask the provider before sending it again."
    )


class UpstreamTimeout(Refusal):
    """The provider did not answer in time."""

    slug = "upstream-timeout"
    status = 504
    title = "The provider did not answer in time"
    explanation = "The provider did not answer within the route's time limit."
    remedy = (
        "A call that changes something may have been carried out: ask the provider before sending it again."
    )


class ProviderBrokeContract(Refusal):
    """The provider's answer is outside its contract."""

    slug = "provider-broke-contract"
    status = 502
    title = "The provider's answer is outside its contract"
    explanation = (
        "The provider answered with a status, header or body that its contract does not declare. The "
        "answer is withheld; the audit record says where it broke the contract. The call itself was "
        "carried to the provider."
    )
    remedy = (
        "Tell the provider's team the request id; a call that changes something may have been carried out."
    )


class OutcomeUnknown(Refusal):
    """The call was forwarded, and its outcome cannot be recorded."""

    slug = "outcome-unknown"
    status = 500
    title = "The outcome of the call is not known"
    explanation = (
        "The call was forwarded to the provider, and the audit record of its outcome could not be kept."
        " It may have been carried out. It must not simply be sent again."
    )
    remedy = "Ask the provider for the state before doing anything; name the request id."


class InternalError(Refusal):
    """A fault of ours; nothing passes because of it."""

    slug = "internal-error"
    status = 500
    title = "Interlock failed"
    explanation = "A fault in the proxy itself. Nothing passes unchecked because of it."
    remedy = "Report the request id to the operator."


ROWS: Final[tuple[type[Refusal], ...]] = (
    OperationUnservable,
    ParameterInvalid,
    BodyMissing,
    BodyUnexpected,
    BodyMalformed,
    BodyInvalid,
    MediaTypeUnsupported,
    ContentCodingUnsupported,
    AuditUnavailable,
    UpstreamUnreachable,
    UpstreamBroken,
    UpstreamTimeout,
    ProviderBrokeContract,
    OutcomeUnknown,
    InternalError,
)
