"""Refusals of requests that the edge cannot read, or has no room for."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class RequestMalformed(Refusal):
    """Not HTTP/1.1 as RFC 9112 has it."""

    slug = "request-malformed"
    status = 400
    title = "The request is not valid HTTP/1.1"
    explanation = "The request line, a header line or the framing of the body breaks RFC 9112."
    remedy = "Send the request with an ordinary HTTP client, and look for a middle box that rewrites it."
    closes = True


class FramingRefused(Refusal):
    """Two ways to read where the body ends."""

    slug = "framing-refused"
    status = 400
    title = "The length of the body is ambiguous"
    explanation = (
        "The request carries both Content-Length and Transfer-Encoding, or several or odd lengths. Two "
        "programs could read two different requests from it (request smuggling), so nobody reads it."
    )
    remedy = "Send exactly one Content-Length, or `Transfer-Encoding: chunked` alone (RFC 9112 section 6.3)."
    closes = True


class TransferCodingUnknown(Refusal):
    """A transfer coding other than chunked."""

    slug = "transfer-coding-unknown"
    status = 501
    title = "The transfer coding is not supported"
    explanation = "Only `chunked` is understood as a transfer coding."
    remedy = "Send the body with Content-Length, or with `Transfer-Encoding: chunked`."
    closes = True


class HostInvalid(Refusal):
    """Host is missing, doubled, or not a host."""

    slug = "host-invalid"
    status = 400
    title = "The Host header is missing or not valid"
    explanation = "HTTP/1.1 asks for exactly one Host header that holds a host and at most a port."
    remedy = "Send one `Host: name[:port]` (RFC 9112 section 3.2)."
    closes = True


class ConnectionOptionRefused(Refusal):
    """Connection names a field that every hop must keep."""

    slug = "connection-option-refused"
    status = 400
    title = "Connection names a field that is not the connection's"
    explanation = (
        "The Connection header lists a field that belongs to the whole way of the request: its framing, "
        "credentials, content or origin, or a header that the contract declares. A proxy drops what is "
        "listed there, so that somebody behind it would miss what was checked here."
    )
    remedy = "List only fields of this one connection in Connection (RFC 9110 section 7.6.1)."
    closes = True


class TargetInvalid(Refusal):
    """A request target that cannot be matched safely."""

    slug = "target-invalid"
    status = 400
    title = "The request target is not valid"
    explanation = (
        "The path holds a character that no URI may hold, a broken percent-encoding, a dot segment, an "
        "encoded control byte or backslash, or bytes that are not UTF-8; or the target names another host. "
        "What two programs may read as two paths is matched by neither."
    )
    remedy = "Send the normalised path with correct percent-encoding (RFC 3986 section 6)."


class TargetTooLong(Refusal):
    """The request target passes the limit."""

    slug = "target-too-long"
    status = 414
    title = "The request target is too long"
    explanation = "The request target is longer than the setting proxy_max_target_bytes allows."
    remedy = "Send less in the query, or ask the operator for a higher limit."
    closes = True


class HeadTooLarge(Refusal):
    """The head passes the limit."""

    slug = "head-too-large"
    status = 431
    title = "The request head is too large"
    explanation = (
        "Target and headers together, or the number of headers, pass proxy_max_head_bytes or "
        "proxy_max_headers."
    )
    remedy = "Send fewer or shorter headers (large cookies are the usual cause)."
    closes = True


class BodyTooLarge(Refusal):
    """The body passes the limit."""

    slug = "body-too-large"
    status = 413
    title = "The body is too large"
    explanation = (
        "The body is longer than the contract's x-interlock-max-body or the setting "
        "proxy_max_body_bytes allows, or it holds more parts, fields or nested values than one message "
        "may."
    )
    remedy = "Send less at a time, or ask the operator for a higher limit."


class RequestTimeout(Refusal):
    """Head or body did not arrive in time."""

    slug = "request-timeout"
    status = 408
    title = "The request did not arrive in time"
    explanation = "Head or body took longer than proxy_head_timeout or proxy_body_timeout allow."
    remedy = "Send the request again, in one go; nothing of it was carried out."
    closes = True


class MethodUnknown(Refusal):
    """A method that the parser cannot carry."""

    slug = "method-unknown"
    status = 501
    title = "The method is not known"
    explanation = "The request method is none that this proxy can read; no contract can declare it either."
    remedy = "Use a method that the contract declares."
    closes = True


class HttpVersionUnsupported(Refusal):
    """Neither HTTP/1.0 nor HTTP/1.1."""

    slug = "http-version-unsupported"
    status = 505
    title = "The HTTP version is not supported"
    explanation = (
        "The proxy speaks HTTP/1.1 (and answers HTTP/1.0); HTTP/2 is the front load balancer's work."
    )
    remedy = "Speak HTTP/1.1, or put a load balancer in front."
    closes = True


class ExpectationFailed(Refusal):
    """An Expect header other than 100-continue."""

    slug = "expectation-failed"
    status = 417
    title = "The expectation cannot be met"
    explanation = "The only expectation of HTTP is `100-continue` (RFC 9110 section 10.1.1)."
    remedy = "Leave the Expect header out."
    closes = True


class TooManyConnections(Refusal):
    """The worker holds as many connections as it may."""

    slug = "too-many-connections"
    status = 503
    title = "Too many connections"
    explanation = "This worker already holds as many connections as proxy_max_connections allows."
    remedy = "Reuse connections (keep-alive), or try again later."
    retry_after = 1
    closes = True


class ShuttingDown(Refusal):
    """The proxy is draining."""

    slug = "shutting-down"
    status = 503
    title = "The proxy is shutting down"
    explanation = "The proxy finishes what is under way and takes nothing new."
    remedy = "Connect again: another instance, or this one after its restart, will answer."
    retry_after = 1
    closes = True


ROWS: Final[tuple[type[Refusal], ...]] = (
    RequestMalformed,
    FramingRefused,
    TransferCodingUnknown,
    HostInvalid,
    ConnectionOptionRefused,
    TargetInvalid,
    TargetTooLong,
    HeadTooLarge,
    BodyTooLarge,
    RequestTimeout,
    MethodUnknown,
    HttpVersionUnsupported,
    ExpectationFailed,
    TooManyConnections,
    ShuttingDown,
)
