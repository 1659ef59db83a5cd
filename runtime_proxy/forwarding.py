"""Which request headers go on to the provider, and which would let the caller speak in our place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kernel.bundle.policy import RoutePolicy

# RFC 9110 section 7.6.1, and the fields that frame or route one connection's message.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
ENCODED_SLASH: Final = re.compile(rb"%2[fF]")
# Set by us, or the contract's where it declares them: then they mean what the contract says.
_OURS_OR_DECLARED: Final = frozenset({b"request-timeout", b"x-request-id"})
# Set by us or by the adapter, so never taken from the caller.
_OURS: Final = HOP_BY_HOP | {
    b"accept-encoding",
    b"content-length",
    b"expect",
    b"forwarded",
    b"host",
    b"http2-settings",
    b"traceparent",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"x-interlock-contract",
    b"x-interlock-violations",
    b"x-real-ip",
}
# Common frameworks take another method, path, host or caller from these than the ones that were checked
# (CVE-2018-14773, CVE-2025-29927), or an outgoing proxy (CVE-2016-5385). They go on where the contract
# declares them: then they were checked.
_TAKEOVER: Final = frozenset(
    {
        b"cf-connecting-ip",
        b"client-ip",
        b"fastly-client-ip",
        b"front-end-https",
        b"proxy",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded",
        b"x-forwarded-path",
        b"x-forwarded-prefix",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-forwarded-uri",
        b"x-host",
        b"x-http-host-override",
        b"x-http-method",
        b"x-http-method-override",
        b"x-method-override",
        b"x-middleware-subrequest",
        b"x-original-host",
        b"x-original-uri",
        b"x-original-url",
        b"x-originating-ip",
        b"x-remote-addr",
        b"x-remote-ip",
        b"x-rewrite-url",
        b"x-url-scheme",
    }
)
# Beside what a contract declares: fields whose twin with underscores many servers read as the field itself.
_READ_BY_ALL: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"idempotency-key",
        b"if-match",
        b"user-agent",
    }
)


def not_forwarded(declared: frozenset[bytes]) -> frozenset[bytes]:
    """Name what an operation's calls lose, given the headers that its contract declares (lower case)."""
    twins = {name.replace(b"_", b"-") for name in declared if name.find(b"_") >= 0}
    return _OURS | ((_OURS_OR_DECLARED | _TAKEOVER | twins) - declared)


def is_twin(name: bytes, dropped: frozenset[bytes], declared: frozenset[bytes]) -> bool:
    """Whether a name with underscores is, to many servers, a header that was checked or that ends here.

    CGI, WSGI and their kin read `x_api_key` and `X-API-Key` as one variable.
    """
    if name in declared:
        return False
    plain = name.replace(b"_", b"-")
    return (
        plain in dropped or plain in _READ_BY_ALL or any(plain == one.replace(b"_", b"-") for one in declared)
    )


def refuses_slash(policy: RoutePolicy) -> bool:
    """Whether a route takes no `%2F` in its paths."""
    return policy.paths is not None and policy.paths.encoded_slash == "refuse"
