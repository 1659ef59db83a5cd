"""Security schemes and requirements of a document; what nothing could verify is refused at freeze."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from kernel.contract.positions import token
from kernel.operation.members import listing, mapping, refused
from kernel.operation.shapes import dereference
from kernel.operation.undeclared import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kernel.errors import ContractInvalid
    from kernel.operation.operation import Operation

_TYPES: Final = frozenset(("apiKey", "mutualTLS", "oauth2", "openIdConnect"))
_HTTP: Final = frozenset(("basic", "bearer"))  # RFC 7617, RFC 6750; digest and the others have no verifier


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """One entry of `components.securitySchemes`: `place` and `parameter` where `type` is apiKey."""

    name: str
    type: str  # apiKey, http, mutualTLS, oauth2, openIdConnect
    place: Literal["header", "query", "cookie"] | None = None
    parameter: str = ""
    scheme: str = ""  # basic, bearer …, lower case, where `type` is http


def verifiable(scheme: SecurityScheme) -> bool:
    """Say whether the proxy can verify a scheme (runtime_proxy/credentials.py, trusted.py)."""
    return scheme.type in _TYPES or (scheme.type == "http" and scheme.scheme in _HTTP)


def unverifiable(
    operations: Iterable[Operation], schemes: Mapping[str, SecurityScheme]
) -> Iterator[ContractInvalid]:
    """Give the error for each scheme that an operation asks for and nothing can verify.

    A scheme that is declared and asked for by nobody harms nobody.
    """
    told: set[str] = set()
    for operation in operations:
        for alternative in operation.security:
            for name in alternative:
                if name not in told and not verifiable(schemes[name]):
                    told.add(name)
                    kind = schemes[name].scheme or schemes[name].type
                    yield refused(
                        f"{operation.id} asks for {name[:80]!r}, a scheme ({kind[:40]}) that no proxy here can verify",
                        f"/components/securitySchemes{token(name)}",
                    )


def schemes_of(root: dict[str, Any]) -> Iterator[tuple[str, SecurityScheme]]:
    """Read `components.securitySchemes`; raises `ContractInvalid` for one that says too little."""
    for key, declared in _declared_schemes(root).items():
        spec = dereference(root, declared)
        pointer = f"/components/securitySchemes{token(key)}"
        if not isinstance(spec, dict) or not isinstance(spec.get("type"), str):
            raise refused("a security scheme needs a type", pointer)
        if spec["type"] == "apiKey":
            if spec.get("in") not in ("header", "query", "cookie") or not isinstance(spec.get("name"), str):
                raise refused("an API key needs a name and a place: header, query or cookie", pointer)
            yield key, SecurityScheme(key, "apiKey", spec["in"], spec["name"])
        else:
            yield key, SecurityScheme(key, spec["type"], scheme=str(spec.get("scheme", "")).lower())


def _declared_schemes(root: dict[str, Any]) -> dict[str, Any]:
    components = mapping(root.get("components"), "/components")
    return mapping(components.get("securitySchemes"), "/components/securitySchemes")


def requirements(
    declared: Any, schemes: Mapping[str, SecurityScheme], pointer: str
) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """Read security requirements; raises `ContractInvalid` where one names a scheme that is not there."""
    found = []
    for index, listed in enumerate(listing(declared, f"{pointer}/security")):
        alternative = mapping(listed, f"{pointer}/security/{index}")
        for key in alternative:
            if key not in schemes:
                raise refused(
                    f"the security scheme {key[:80]!r} is not declared", f"{pointer}/security/{index}"
                )
        place = f"{pointer}/security/{index}"
        found.append({key: tuple(map(str, listing(scopes, place))) for key, scopes in alternative.items()})
    return tuple(found)


def credentials_of(schemes: Mapping[str, SecurityScheme]) -> Credentials:
    """Name the fields that may carry a key: they are unknown to no operation, and sent on to none."""
    used = tuple(schemes.values())
    return Credentials(
        frozenset(scheme.parameter for scheme in used if scheme.place == "query"),
        frozenset(scheme.parameter.lower().encode() for scheme in used if scheme.place == "header"),
        frozenset(scheme.parameter for scheme in used if scheme.place == "cookie"),
    )
