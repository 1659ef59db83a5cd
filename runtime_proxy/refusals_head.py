"""Refusals that need the head of a request alone: guard, match, authenticate, throttle, authorize."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class SourceOverLimit(Refusal):
    """One source address sends too much."""

    slug = "source-over-limit"
    status = 429
    title = "Too many requests from this address"
    explanation = (
        "The source address sends more requests per second than proxy_guard_requests allows, whoever it is."
    )
    remedy = "Slow down; wait for the seconds in Retry-After."


class NotReady(Refusal):
    """No bundle has been activated yet."""

    slug = "not-ready"
    status = 503
    title = "The proxy has no contracts yet"
    explanation = (
        "No bundle of contracts, access and routes has been activated, so nothing can be checked or carried."
    )
    remedy = (
        "Publish a bundle (activate a route in the registry), and read the proxy's log for why one was "
        "refused."
    )
    retry_after = 5


class NotFound(Refusal):
    """No contract or operation at this path."""

    slug = "not-found"
    status = 404
    title = "No such operation"
    explanation = "No active contract has an operation at this path."
    remedy = "Compare the path with the contract; `interlock proxy plan METHOD URL` shows what is matched."


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    slug = "method-not-allowed"
    status = 405
    title = "The contract declares no such method here"
    explanation = "The path belongs to the contract, the method does not; Allow lists those that do."
    remedy = "Use one of the methods in Allow, or have the operation added to the contract."


class Retired(Refusal):
    """The contract's major is retired."""

    slug = "retired"
    status = 410
    title = "This version of the contract is retired"
    explanation = "Every version of this major is retired; it had been deprecated with a sunset date before."
    remedy = "Move to the successor; `interlock contract show NAME` names the versions in force."


class CredentialsMissing(Refusal):
    """The operation asks for credentials and none came."""

    slug = "credentials-missing"
    status = 401
    title = "Credentials are missing"
    explanation = (
        "The contract asks for credentials for this operation, and the request carries none where it "
        "declares them."
    )
    remedy = "Send the key as WWW-Authenticate says; `interlock consumer` issues keys."


class CredentialsRefused(Refusal):
    """Credentials came and are not good."""

    slug = "credentials-refused"
    status = 401
    title = "The credentials are not valid"
    explanation = (
        "The key is unknown, revoked, malformed, or sent more than once; which of these it is, is not told. "
        "Or the token is not one that this route takes, and then `detail` says why."
    )
    remedy = (
        "Check that the whole key is sent, and that it belongs to this environment; else have a new one "
        "issued. For a token, compare issuer, audience, type and times with what the route trusts."
    )


class CredentialsExpired(Refusal):
    """A genuine key or token past its end."""

    slug = "credentials-expired"
    status = 401
    title = "The credentials have expired"
    explanation = "The key or token is genuine, and its validity has ended."
    remedy = "Have a new key issued, or fetch a new token; renew before the end next time."


class SecurityUnverifiable(Refusal):
    """A declared scheme that nothing here can verify."""

    slug = "security-unverifiable"
    status = 401
    title = "The declared security cannot be verified here"
    explanation = (
        "The contract declares a security scheme (such as HTTP digest) for which this proxy has no verifier. "
        "What cannot be verified is denied."
    )
    remedy = "Declare an API key, basic, bearer or mutual TLS scheme, which Interlock can verify."


class OverLimit(Refusal):
    """A limit of the consumer or of the route is used up."""

    slug = "over-limit"
    status = 429
    title = "Too many requests"
    explanation = (
        "A limit of the consumer or of the route is used up; RateLimit and RateLimit-Policy say which "
        "and how much."
    )
    remedy = "Wait for the seconds in Retry-After, spread calls, or have the limit raised."


class TooManyInFlight(Refusal):
    """Too many calls of the consumer or of the route are under way."""

    slug = "too-many-in-flight"
    status = 429
    title = "Too many calls at the same time"
    explanation = (
        "A limit on calls that are under way at the same time is reached, of the consumer or of the route; "
        "RateLimit-Policy names it with the unit concurrent-requests."
    )
    remedy = "Wait for an answer before the next call, or have the limit raised."


class LimitsUnavailable(Refusal):
    """The shared store of the limits is out of reach, and the policy admits nothing then."""

    slug = "limits-unavailable"
    status = 503
    title = "The limits cannot be judged"
    explanation = (
        "The store in which the proxy's workers share the limits is out of reach, and the policy of the "
        "consumer or of the route says that nothing is admitted then. Nothing was forwarded."
    )
    remedy = "Try again later; the operator finds the cause in the proxy's log (redis_url)."
    retry_after = 1


class Overloaded(Refusal):
    """The worker has more to do than it can, and sheds the less urgent calls."""

    slug = "overloaded"
    status = 503
    title = "The proxy has more to do than it can"
    explanation = (
        "The proxy's event loop lags behind (proxy_shed_lag), and calls of this consumer's priority class "
        "are refused until it has caught up. Nothing was forwarded."
    )
    remedy = "Try again after the seconds in Retry-After; the operator adds workers, or raises the priority."
    retry_after = 2


class NotGranted(Refusal):
    """The consumer has no grant for this contract and major."""

    slug = "not-granted"
    status = 403
    title = "The consumer may not call this contract"
    explanation = "The credentials are good, and the consumer holds no grant for this contract's major."
    remedy = "Have the contract's owner grant it (`interlock consumer grant`)."


class AudienceRefused(Refusal):
    """The consumer's audience may not see this contract."""

    slug = "audience-refused"
    status = 403
    title = "The contract is not for this audience"
    explanation = "The contract's audience (internal, partner or public) is narrower than the consumer's."
    remedy = "Use a contract that is published for your audience."


class Denied(Refusal):
    """An operator has denied the consumer or the route."""

    slug = "denied"
    status = 403
    title = "Denied by the operator"
    explanation = (
        "The consumer, or the route as a whole, stands on a deny list: an operator has closed it at once, "
        "whatever keys and grants say."
    )
    remedy = (
        "Ask the operator; `interlock proxy deny --list` shows who denied what and why, `--undo` lifts it, and "
        "what the registry denied is lifted there."
    )


class ScopeMissing(Refusal):
    """The grant, or the token, lacks a scope that the operation asks for."""

    slug = "scope-missing"
    status = 403
    title = "A scope is missing"
    explanation = (
        "The operation asks for a scope or role that the consumer's grant, or the token shown, does not hold."
    )
    remedy = (
        "Have the grant extended by the scopes that the contract names for this operation, and ask the "
        "issuer for a token with them."
    )


ROWS: Final[tuple[type[Refusal], ...]] = (
    SourceOverLimit,
    NotReady,
    NotFound,
    MethodNotAllowed,
    Retired,
    CredentialsMissing,
    CredentialsRefused,
    CredentialsExpired,
    SecurityUnverifiable,
    Overloaded,
    OverLimit,
    TooManyInFlight,
    LimitsUnavailable,
    NotGranted,
    AudienceRefused,
    Denied,
    ScopeMissing,
)
