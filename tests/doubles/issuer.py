"""An authorization server: it signs tokens, serves its keys on loopback, and answers introspection."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from kernel.bundle.model import Consumer, Grant, Key
from kernel.bundle.policy import ConsumerPolicy
from kernel.bundle.trust import Issuer, TokenBinding
from tests.doubles.upstream import Upstream, answer

OTHER_KEY = "ilk_c1_feedfacefeedface"
AUDIENCE = "https://api.hospital.example/orders"


def encoded(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: Any, claims: Any, signature: bytes = b"") -> str:
    """Write a token by hand, with whatever stands where the signature should."""
    return f"{encoded(header)}.{encoded(claims)}.{encoded(signature)}"


class AuthorizationServer:
    """Holds keys by id; `keys` are those that the JWKS shows. `name` is what `iss` says."""

    name = "https://login.hospital.example"

    def __init__(self) -> None:
        self.upstream = Upstream()
        self.keys: dict[str, RSAKey | ECKey] = {"a": RSAKey.generate_key(2048)}
        self.publish()

    @property
    def jwks_uri(self) -> str:
        return f"{self.upstream.url}/jwks"

    @property
    def fetches(self) -> int:
        return sum(seen.target == "/jwks" for seen in self.upstream.seen)

    def jwks(self) -> dict[str, Any]:
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": name, "use": "sig"} for name, key in self.keys.items()
            ]
        }

    def publish(self, body: bytes | None = None, *headers: str, status: int = 200) -> None:
        """Set what the JWKS endpoint answers."""
        data = json.dumps(self.jwks()).encode() if body is None else body
        self.upstream.answers["GET /jwks"] = answer(status, data, "application/jwk-set+json", *headers)

    def says(self, body: Any, status: int = 200) -> None:
        """Set what introspection answers."""
        self.upstream.answers["POST /introspect"] = answer(status, json.dumps(body).encode())

    def claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        made = {
            "iss": self.name,
            "aud": AUDIENCE,
            "exp": now + 300,
            "iat": now,
            "sub": "system-7",
            "client_id": "clinic-app",
            "jti": "t-1",
            "scope": "orders.read orders.write",
        }
        return {name: value for name, value in {**made, **more}.items() if value is not None}

    def token(
        self, *, key: str = "a", algorithm: str = "RS256", header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Sign a token; a claim that is None is left out."""
        head = {"alg": algorithm, "kid": key, "typ": "at+jwt", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        signed = f"{encoded(head)}.{encoded(self.claims(**claims))}".encode()
        signature = jws.JWSRegistry.algorithms[algorithm].sign(signed, self.keys[key])
        return f"{signed.decode()}.{encoded(signature)}"

    def issuer(self, **more: Any) -> Issuer:
        given: dict[str, Any] = {"jwks_uri": self.jwks_uri, **more}
        return Issuer(self.name, (AUDIENCE,), **given)

    def close(self) -> None:
        self.upstream.close()


def thumbprint(der: bytes) -> str:
    """Write the `x5t#S256` of a certificate."""
    return encoded(hashlib.sha256(der).digest())


def bound(value: str = "clinic-app", claim: str = "client_id", **more: Any) -> Consumer:
    """Make the consumer that tokens with this claim belong to."""
    given: dict[str, Any] = {
        "keys": (Key("c1", hashlib.sha256(OTHER_KEY.encode()).hexdigest()),),
        "grants": (Grant("orders", 1, scopes=("orders.write", "orders.read")),),
        **more,
    }
    policy = ConsumerPolicy(tokens=(TokenBinding(AuthorizationServer.name, value, claim),))
    return Consumer("clinic", "Clinic", "internal", policy=policy, **given)


def bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"


def with_login(document: dict[str, Any]) -> dict[str, Any]:
    """Give the orders contract a bearer scheme, and a scope where it replaces something."""
    document["components"]["securitySchemes"]["login"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"login": []}, {"apiKey": []}]
    document["paths"]["/orders/{id}"]["put"]["security"] = [{"login": ["orders.write"]}]
    return document
