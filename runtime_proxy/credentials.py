"""Where a contract lets credentials stand, how they are read from there, and how they are taken out again."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol
from urllib.parse import unquote_to_bytes

from kernel.operation.cookies import is_cookie

if TYPE_CHECKING:
    from adapters.port import Headers
    from kernel.operation.security_schemes import SecurityScheme

LONGEST: Final = 512  # bytes of a presented key; ours are far shorter
AUTHORIZATION: Final = b"authorization"
MANY: Final = b"\x00many"  # several credentials in one place: never a key, since no header holds NUL


class Reader(Protocol):
    """Reads one credential; None where there is none, `MANY` where it is not one."""

    how: ClassVar[str]  # for the audit record
    tokens: ClassVar[bool]  # whether an issuer's token may stand here too

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the presented key."""


@dataclass(frozen=True, slots=True)
class HeaderReader:
    """`in: header` of an apiKey scheme; `name` in lower case."""

    how: ClassVar[str] = "api-key"
    tokens: ClassVar[bool] = False

    name: bytes

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the one header of that name."""
        del query
        found = None
        for name, value in headers:
            if name == self.name:
                if found is not None:
                    return MANY
                found = value
        return found


@dataclass(frozen=True, slots=True)
class QueryReader:
    """`in: query` of an apiKey scheme; `name` decoded."""

    how: ClassVar[str] = "api-key"
    tokens: ClassVar[bool] = False

    name: bytes

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the one pair of that name."""
        del headers
        found = [value for name, value in _pairs(query) if name == self.name]
        if not found:
            return None
        return unquote_to_bytes(found[0].replace(b"+", b" ")) if len(found) == 1 else MANY

    def without(self, query: bytes) -> bytes:
        """Give the query without that pair, everything else byte for byte."""
        return b"&".join(part for part in query.split(b"&") if _query_name(part) != self.name)


@dataclass(frozen=True, slots=True)
class CookieReader:
    """`in: cookie` of an apiKey scheme (RFC 6265 §4.2.1)."""

    how: ClassVar[str] = "api-key"
    tokens: ClassVar[bool] = False

    name: bytes

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the one cookie of that name."""
        del query
        found = [
            value.strip(b' "')
            for header, line in headers
            if header == b"cookie"
            for name, _, value in (crumb.strip().partition(b"=") for crumb in line.split(b";"))
            if is_cookie(name, self.name)
        ]
        if not found:
            return None
        return found[0] if len(found) == 1 else MANY

    def without(self, line: bytes) -> bytes:
        """Give one Cookie header line without that cookie ("" when nothing is left)."""
        kept = [crumb.strip() for crumb in line.split(b";")]
        return b"; ".join(
            crumb for crumb in kept if crumb and not is_cookie(crumb.partition(b"=")[0], self.name)
        )


@dataclass(frozen=True, slots=True)
class BearerReader:
    """`Authorization: Bearer <key>` (RFC 6750 §2.1), for http bearer, oauth2 and openIdConnect."""

    how: ClassVar[str] = "bearer-key"
    tokens: ClassVar[bool] = True

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the token; another authentication scheme counts as none."""
        del query
        return _authorization(headers, b"bearer")


@dataclass(frozen=True, slots=True)
class BasicReader:
    """`Authorization: Basic …` (RFC 7617); the key is the password, the user name is the caller's own."""

    how: ClassVar[str] = "basic"
    tokens: ClassVar[bool] = False

    def read(self, headers: Headers, query: bytes) -> bytes | None:
        """Find the password."""
        del query
        credentials = _authorization(headers, b"basic")
        if credentials is None or credentials is MANY:
            return credentials
        try:
            _, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
        except binascii.Error:
            return MANY
        return password if colon else MANY


def reader_of(scheme: SecurityScheme) -> Reader | None:
    """Choose the reader for a declared scheme; None: nothing here can verify it."""
    parameter = scheme.parameter.encode()
    match scheme.type, scheme.place or scheme.scheme:
        case "apiKey", "header":
            return HeaderReader(parameter.lower())
        case "apiKey", "query":
            return QueryReader(parameter)
        case "apiKey", "cookie":
            return CookieReader(parameter)
        case ("http", "bearer") | ("oauth2" | "openIdConnect", _):
            return BearerReader()
        case "http", "basic":
            return BasicReader()
        case _:
            return None


def challenge_of(scheme: SecurityScheme, realm: str, metadata: str = "") -> bytes:
    """Write the WWW-Authenticate line of a scheme (RFC 9110 §11.6.1); names are quoted safely.

    `metadata` is the URL of the protected resource's metadata (RFC 9728 section 5.1), where there is one.
    """
    place = realm.encode("ascii", "ignore").replace(b'"', b"")
    if scheme.type == "apiKey":
        name = scheme.parameter.encode("ascii", "ignore").replace(b'"', b"").replace(b"\\", b"")
        return b'ApiKey realm="%b", in="%b", name="%b"' % (place, (scheme.place or "header").encode(), name)
    if scheme.type == "http" and scheme.scheme == "basic":
        return b'Basic realm="%b", charset="UTF-8"' % place
    if scheme.type == "http" and scheme.scheme.isalnum() and scheme.scheme != "bearer":
        return b'%b realm="%b"' % (scheme.scheme.capitalize().encode(), place)
    line = b'Bearer realm="%b"' % place
    return line + b', resource_metadata="%b"' % metadata.encode() if metadata else line


def describe_place(scheme: SecurityScheme) -> str:
    """Say in words where a key is to be sent, `KEY` standing for it."""
    match scheme.type, scheme.place or scheme.scheme:
        case "apiKey", "query":
            return f"query parameter {scheme.parameter}=KEY"
        case "apiKey", "cookie":
            return f"header Cookie: {scheme.parameter}=KEY"
        case "apiKey", _:
            return f"header {scheme.parameter}: KEY"
        case "http", "basic":
            return "HTTP basic authentication, any user name, KEY as the password"
        case _:
            return "header Authorization: Bearer KEY"


def _authorization(headers: Headers, scheme: bytes) -> bytes | None:
    line = HeaderReader(AUTHORIZATION).read(headers, b"")
    if line is None or line is MANY:
        return line
    given, _, credentials = line.partition(b" ")
    return credentials.strip() if given.lower() == scheme else None


def _pairs(query: bytes) -> list[tuple[bytes, bytes]]:
    return [(_query_name(part), part.partition(b"=")[2]) for part in query.split(b"&")]


def _query_name(part: bytes) -> bytes:
    return unquote_to_bytes(part.partition(b"=")[0].replace(b"+", b" "))
