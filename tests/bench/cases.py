"""The cases of the bench: one request each, the answer that it must get, and who can serve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.bench.order import admission, large_order, order

Credential = Literal["key", "token", "spent"]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_EVERYBODY = ("nginx", "interlock", "kin-openapi", "wallarm", "prism", "connexion")
_QUERY = "state=received&state=final&period%5Bfrom%5D=2026-11-01&period%5Bto%5D=2026-11-20&codes=718-7%7C2823-3%7C2160-0"


@dataclass(frozen=True)
class Case:
    """One request; `target` follows the base path of the contract, `credential` says who sends it."""

    name: str
    title: str
    target: str
    body: bytes = b""
    media_type: str = ""
    method: str = "POST"
    status: int = 201
    credential: Credential = "key"
    headers: Mapping[str, str] = field(default_factory=dict)
    peers: tuple[str, ...] = _EVERYBODY
    absent: Mapping[str, str] = field(default_factory=dict)  # peer → why it is not among them
    traced: bool = False  # each call brings a traceparent of its own, so that no two heads are alike

    def target_of(self, prefix: str) -> str:
        """Give the target as one peer has it; `prefix` is its base path."""
        return f"{prefix}{self.target}"


def cases() -> tuple[Case, ...]:
    """Make all of them; the first is the one that goals are about."""
    small, large, form = order(), large_order(), admission()
    return (
        Case("order", f"{len(small)}-byte JSON POST", "/orders", small, JSON),
        Case(
            "query", "GET with 6 parameters: path, query (form, deepObject, pipe), header, cookie",
            f"/wards/N3/results?{_QUERY}", method="GET", status=200,
            headers={"X-Purpose": "treatment", "Cookie": "theme=dark; unit=si"},
        ),
        Case(
            "large", f"{len(large) / 1000:.0f} KB JSON POST", "/orders", large, JSON,
            peers=_EVERYBODY[:-1],
            absent={"connexion": "64 callers wait for longer than wrk does"},
        ),
        Case("form", f"form of 60 fields, {len(form)} bytes", "/admissions", form, FORM),
        Case(
            "token", f"{len(small)}-byte JSON POST, JWT instead of the key", "/token-orders", small, JSON,
            credential="token",
        ),
        Case(
            "traced", f"{len(small)}-byte JSON POST, each call with a trace of its own", "/orders", small, JSON,
            peers=("nginx", "interlock", "kin-openapi"), traced=True,
        ),
        Case(
            "storm", f"429: {len(small)}-byte JSON POST of a consumer without any calls left", "/orders", small, JSON,
            status=429, credential="spent", peers=_EVERYBODY[:2],
            absent={"others": "they keep no limits; nginx does it with limit_req"},
        ),
    )  # fmt: skip
