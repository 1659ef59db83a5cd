"""Refusals of what others vouch for: tokens, certificates, purposes of use."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class ConsumerUnknown(Refusal):
    """Genuine credentials that no consumer is bound to."""

    slug = "consumer-unknown"
    status = 403
    title = "No consumer is bound to these credentials"
    explanation = (
        "The token or certificate is genuine, and no consumer of this environment is bound to what it says "
        "of its holder."
    )
    remedy = "Have the operator bind the client to a consumer (`tokens` or `certificates` in its policy)."


class VerificationUnavailable(Refusal):
    """Whether the token is good cannot be found out now."""

    slug = "verification-unavailable"
    status = 503
    title = "The token cannot be verified now"
    explanation = (
        "The issuer's keys, or the answer of its introspection, are not to be had. What cannot be verified "
        "is refused, and nothing was forwarded."
    )
    remedy = "Try again after the seconds in Retry-After; the operator finds the reason in the proxy's log."
    retry_after = 5


class PurposeMissing(Refusal):
    """The route asks what for, and nothing was said."""

    slug = "purpose-missing"
    status = 403
    title = "A purpose of use is missing"
    explanation = (
        "The route is used for stated purposes only, and neither the token nor the header that the operator "
        "has chosen (X-Purpose-Of-Use by default) states one."
    )
    remedy = "State the purpose of use once, in the header that `detail` names or in the token's claim."


class PurposeRefused(Refusal):
    """The stated purpose is not among those that the route takes."""

    slug = "purpose-refused"
    status = 403
    title = "The purpose of use is not permitted here"
    explanation = "The purpose that was stated is not in the value set of this route, or two were stated."
    remedy = "State exactly one purpose of the route's value set, in its exact spelling."


ROWS: Final[tuple[type[Refusal], ...]] = (
    ConsumerUnknown,
    VerificationUnavailable,
    PurposeMissing,
    PurposeRefused,
)
