"""Bearer tokens: who calls is known, and allowed, before a byte of the body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connexion.security import AbstractSecurityHandler
from starlette.concurrency import run_in_threadpool

from registry.api import authority
from registry.api.problems import ApiProblem
from registry.errors import NotSignedIn, RegistryError
from registry.review import accounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connexion.lifecycle import ConnexionRequest

    from registry.review.services import Services

_LONGEST = 512  # characters of a token


class TokenSecurity(AbstractSecurityHandler):  # type: ignore[misc]  # connexion has no types
    """Verifies the token of a request and asks the table of roles (registry/api/authority.py)."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def get_fn(self, security_scheme: Any, required_scopes: Any) -> Callable[..., Awaitable[dict[str, Any]]]:
        """Give the function that connexion calls for every guarded request."""
        del security_scheme, required_scopes
        return self._verify

    async def _verify(self, request: ConnexionRequest) -> dict[str, Any]:
        operation = request.scope["extensions"]["connexion_routing"]["operation_id"]
        try:
            presented = _presented(request.headers.get("authorization", ""))
            principal = await run_in_threadpool(accounts.principal_of_token, self._services, presented)
            authority.require(principal, str(operation))
        except RegistryError as error:
            raise ApiProblem(error) from None
        return {"sub": principal.name, "principal": principal}


def _presented(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or len(token) > _LONGEST:
        raise NotSignedIn(
            "the request carries no bearer token",
            hint="send `Authorization: Bearer …`; `interlock db token add` issues one",
        )
    return token.strip()
