"""The discovery documents that the proxy writes itself: SMART configuration, protected resource metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
import orjson

from runtime_proxy.smart_scopes import read_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.trust import TokenTrust
    from runtime_proxy.plan import ServedRoute

_RESOURCE: Final = "/.well-known/oauth-protected-resource"
_SMART: Final = "/.well-known/smart-configuration"


def metadata_url(trust: TokenTrust | None) -> str:
    """Say where a resource's metadata lies: the well-known path goes between host and path (RFC 9728 §3.1)."""
    if trust is None or not trust.resource:
        return ""
    parts = urlsplit(trust.resource)
    return f"{parts.scheme}://{parts.netloc}{_RESOURCE}{parts.path.rstrip('/')}"


def published_documents(routes: Iterable[ServedRoute]) -> dict[bytes, bytes]:
    """Write the documents of all routes, by path; a contract that declares such a path keeps it."""
    documents: dict[bytes, bytes] = {}
    for route in routes:
        trust, smart = route.policy.tokens, route.policy.smart
        if trust is not None and trust.resource:
            path = urlsplit(metadata_url(trust)).path.encode()
            documents[path] = orjson.dumps(_resource(route, trust))
        if smart is not None:
            given = {name: value for name, value in msgspec.structs.asdict(smart).items() if value}
            scopes = sorted(one for one in scopes_of(route) if read_scope(one) is not None)
            documents[route.base + _SMART.encode()] = orjson.dumps({**given, "scopes_supported": scopes})
    return documents


def scopes_of(route: ServedRoute) -> set[str]:
    """Name all scopes that the operations of the current version ask for."""
    return {
        scope
        for operation in route.current.operations
        for alternative in operation.security
        for listed in alternative.values()
        for scope in listed
    }


def _resource(route: ServedRoute, trust: TokenTrust) -> dict[str, Any]:
    """Write the metadata of a protected resource (RFC 9728 section 2)."""
    return {
        "resource": trust.resource,
        "authorization_servers": [one.issuer for one in trust.issuers],
        "scopes_supported": sorted(scopes_of(route)),
        "bearer_methods_supported": ["header"],
        "resource_name": route.contract,
    }
