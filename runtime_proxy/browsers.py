"""What pages of other origins are told (CORS): preflights are answered from the contract, nothing is reflected.

Origins come from a list and are sent as the list has them. A preflight carries no credentials and needs none;
the guard has counted it, and no provider sees it. Fetch standard, section 3.3 "CORS protocol".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.operation.cors import ANY, Cors
from kernel.operation.shapes import dereference
from runtime_proxy.credentials import AUTHORIZATION, HeaderReader, QueryReader, reader_of
from runtime_proxy.exchange import Reply
from runtime_proxy.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kernel.operation.operation import Operation
    from kernel.operation.security_schemes import SecurityScheme
    from runtime_proxy.compiled import Compiled
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import Header, ServedOperation, ServedRoute, ServedVersion

# Of the fields that we set ourselves: what a page may read without the contract naming it.
_OURS: Final = (
    b"x-request-id",
    b"x-interlock-contract",
    b"x-interlock-violations",
    b"x-interlock-mock",
    b"ratelimit",
    b"ratelimit-policy",
    b"retry-after",
    b"deprecation",
    b"sunset",
    b"link",
    b"age",
    b"allow",
    b"idempotent-replayed",
    b"preference-applied",
    b"www-authenticate",
)
_CONDITIONS: Final = frozenset((b"if-none-match", b"if-modified-since", b"range", b"if-range"))
_VARY: Final = (b"vary", b"Origin")
_VARY_PREFLIGHT: Final = (
    b"vary",
    b", ".join(
        (
            b"Origin",
            b"Access-Control-Request-Method",
            b"Access-Control-Request-Headers",
            b"Access-Control-Request-Private-Network",
        )
    ),
)


class BrowserTerms:
    """The CORS of one route: the answers' fields by origin, and what a preflight is told of each operation."""

    __slots__ = ("_any", "_by_origin", "_known", "_route", "_schemes", "_terms")

    def __init__(
        self,
        terms: Cors,
        route: ServedRoute,
        exposed: Iterable[bytes],
        schemes: Mapping[ServedVersion, Mapping[str, SecurityScheme]],
    ) -> None:
        self._terms = terms
        self._route = route
        self._schemes = schemes
        self._any = ANY in terms.origins
        names = sorted({*_OURS, *exposed, *(name.lower().encode() for name in terms.expose)})
        shown = (b"access-control-expose-headers", b", ".join(names))
        self._by_origin: dict[bytes, list[Header]] = {
            origin.encode(): [*self._admits(origin), shown] for origin in terms.origins
        }
        self._known: dict[ServedOperation, frozenset[bytes]] = {}

    @property
    def origins(self) -> tuple[str, ...]:
        """Name the origins that may call; `*` is any."""
        return self._terms.origins

    def greet(self, exchange: Exchange, rest: tuple[bytes, ...]) -> bool:
        """Add the fields of CORS to the answer; True: it was a preflight, and is answered.

        `rest` are the raw segments below the route. Where no path of the contract is, a preflight
        goes on, to be refused.
        """
        if exchange.greeted:  # the head is judged again
            return False
        exchange.greeted = True
        origin = asked = b""
        private = False
        for name, value in exchange.headers:
            if name == b"origin":
                origin = value if not origin else b"\0"  # two of them are none
            elif name == b"access-control-request-method":
                asked = value
            elif name == b"access-control-request-private-network":
                private = value == b"true"
        lines = self._by_origin.get(ANY.encode() if self._any and origin else origin)
        if exchange.method == b"OPTIONS" and origin and asked:
            allowed = self._methods(rest)
            if allowed:
                self._answer(exchange, lines, allowed, self._headers(asked, rest), private=private)
                return True
        if not self._any:
            exchange.reply_headers.append(_VARY)
        if lines is not None:
            exchange.reply_headers += lines
        return False

    def _answer(
        self,
        exchange: Exchange,
        lines: list[Header] | None,
        methods: set[bytes],
        headers: set[bytes],
        *,
        private: bool,
    ) -> None:
        """Prepare 204; without any field that admits where the origin is not listed, so that the browser stops."""
        told: list[Header] = [(b"allow", b", ".join(sorted(methods)))]
        if lines is not None:
            told += lines[:-1]  # what may be shown belongs to the answer itself
            told.append((b"access-control-allow-methods", told[0][1]))
            if headers:
                told.append((b"access-control-allow-headers", b", ".join(sorted(headers))))
            if private and self._terms.private_network:
                told.append((b"access-control-allow-private-network", b"true"))
            told.append((b"access-control-max-age", b"%d" % self._terms.max_age))
        exchange.prepared = Reply(204, [*told, _VARY_PREFLIGHT, *exchange.reply_headers])

    def _admits(self, origin: str) -> Iterator[Header]:
        yield b"access-control-allow-origin", origin.encode()
        if self._terms.credentials:
            yield b"access-control-allow-credentials", b"true"

    def _methods(self, rest: tuple[bytes, ...]) -> set[bytes]:
        """Name the methods of a path in any active version: who asks has no pin, for it shows no key."""
        allowed: set[bytes] = set()
        for version in self._route.versions.values():
            found = version.trie.match(b"", rest)  # no method at all: a miss that says which there are
            if not isinstance(found, Match):
                allowed |= set(found.allow)
        return allowed

    def _headers(self, method: bytes, rest: tuple[bytes, ...]) -> set[bytes]:
        """Name the request headers that the operation takes, in any active version."""
        allowed = {name.lower().encode() for name in self._terms.allow}
        for version in self._route.versions.values():
            found = version.trie.match(method, rest)
            if isinstance(found, Match):
                served = version.operations[found.operation]
                if served not in self._known:
                    self._known[served] = frozenset(_taken(found.operation, served, self._schemes[version]))
                allowed |= self._known[served]
        return allowed


def _taken(
    operation: Operation, served: ServedOperation, schemes: Mapping[str, SecurityScheme]
) -> Iterator[bytes]:
    """Yield the request headers that an operation reads: declared, for credentials, and of what it takes part in."""
    yield from served.declared
    route = served.route
    if operation.takes_body:
        yield b"content-type"
    for alternative in operation.security:
        for name in alternative:
            reader = reader_of(schemes[name]) if name in schemes else None
            if isinstance(reader, HeaderReader):
                yield reader.name
            elif reader is not None and not isinstance(reader, QueryReader):
                yield AUTHORIZATION
    if served.keyed is not None:
        yield b"idempotency-key"
    if route.purpose is not None:
        yield route.purpose.header
    if route.policy.address is not None and route.policy.address.header is not None:
        yield route.policy.address.header.lower().encode()
    if route.policy.mock is not None:
        yield b"prefer"
    yield from _CONDITIONS - served.dropped


def browser_terms(route: ServedRoute, compiled: Mapping[str, Compiled]) -> BrowserTerms | None:
    """Make the CORS of a route: its policy's, else that of its current version; None: neither says anything."""
    documents = {version: compiled[version.digest] for version in route.versions.values()}
    terms = route.policy.cors or documents[route.current].contract.cors
    if terms is None:
        return None
    exposed = {name for document in documents.values() for name in _answer_headers(document.root())}
    schemes = {version: document.contract.security_schemes for version, document in documents.items()}
    return BrowserTerms(terms, route, exposed, schemes)


def _answer_headers(root: Any) -> Iterator[bytes]:
    """Yield the names of all headers that some answer of the document declares, in lower case."""
    paths = root.get("paths")
    for declared in paths.values() if isinstance(paths, dict) else ():
        item = dereference(root, declared)
        further = item.get("additionalOperations") if isinstance(item, dict) else None
        specs = [*item.values(), *(further.values() if isinstance(further, dict) else ())] if item else []
        for spec in specs:
            answers = spec.get("responses") if isinstance(spec, dict) else None
            for answer in answers.values() if isinstance(answers, dict) else ():
                found = dereference(root, answer)
                headers = found.get("headers") if isinstance(found, dict) else None
                yield from (name.lower().encode() for name in headers or {})
