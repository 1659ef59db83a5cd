"""What happens to fields that a contract does not declare: query, headers and cookies by a policy of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from kernel.contract.positions import token
from kernel.operation.members import refused
from kernel.operation.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.operation.message import Headers

UnknownFields = Literal["strict", "report", "allow"]
Place = Literal["query", "header", "cookie"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
_POLICIES: Final = get_args(UnknownFields)

# What HTTP, proxies, browsers and tracing put into requests without asking a contract; and what is ours.
_COMMON: Final = frozenset(
    b"accept accept-charset accept-encoding accept-language authorization baggage cache-control connection"
    b" content-encoding content-language content-length content-location content-md5 content-type cookie"
    b" content-digest repr-digest want-content-digest want-repr-digest date dnt early-data expect forwarded"
    b" from host http2-settings idempotency-key if-match if-modified-since if-none-match if-range"
    b" if-unmodified-since keep-alive max-forwards origin pragma prefer priority proxy-authorization"
    b" proxy-connection range referer request-timeout save-data te traceparent tracestate trailer"
    b" transfer-encoding upgrade upgrade-insecure-requests user-agent via x-correlation-id x-real-ip"
    b" x-request-id x-requested-with access-control-request-headers access-control-request-method".split()
)
_COMMON_BEGINNINGS: Final = (b"sec-", b"x-forwarded-", b"x-b3-", b"x-interlock-")


@dataclass(frozen=True, slots=True)
class Unknown:
    """The policy of each place; None: nothing is said, and something further out decides."""

    query: UnknownFields | None = None
    header: UnknownFields | None = None
    cookie: UnknownFields | None = None

    def over(self, outer: Unknown) -> Unknown:
        """Give this policy where it says something, else the outer one."""
        return Unknown(self.query or outer.query, self.header or outer.header, self.cookie or outer.cookie)

    @property
    def reports(self) -> bool:
        """Whether anything is to be told and let pass."""
        return "report" in (self.query, self.header, self.cookie)


@dataclass(frozen=True, slots=True)
class Credentials:
    """The fields in which an operation takes its keys: declared by its security, not as parameters."""

    queries: frozenset[str] = frozenset()
    headers: frozenset[bytes] = frozenset()  # lower case
    cookies: frozenset[str] = frozenset()


NO_CREDENTIALS: Final = Credentials()
LENIENT: Final = Unknown("allow", "allow", "allow")


def unknown_of(spec: Any, pointer: str) -> Unknown:
    """Read `x-interlock-unknown-query`, `-header` and `-cookie` of a document, path item or operation.

    Raises `ContractInvalid` for a word that is none of strict, report and allow: a typing error must not
    let anything pass.
    """
    found: dict[str, UnknownFields] = {}
    for place in PLACES:
        key = f"x-interlock-unknown-{place}"
        if isinstance(spec, dict) and key in spec:
            if spec[key] not in _POLICIES:
                raise refused(f"{key} is one of {', '.join(_POLICIES)}", pointer + token(key))
            found[place] = spec[key]
    return Unknown(**found)


def undeclared_headers(headers: Headers, declared: frozenset[bytes]) -> list[Violation]:
    """Name nothing, count all: a violation for each field that neither a contract nor HTTP knows."""
    names: Iterable[bytes] = dict.fromkeys(name for name, _ in headers)
    return [
        Violation("header", "", "undeclared", "{key}")
        for name in names
        if name not in declared and name not in _COMMON and not name.startswith(_COMMON_BEGINNINGS)
    ]
