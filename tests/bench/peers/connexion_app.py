"""The peer connexion + httpx: the same contract, requests and answers validated, one provider behind it.

It keeps no limits and no audit log, so the comparison is in its favour.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Any

import httpx
from connexion import AsyncApp, request

_PROVIDER = os.environ.get("BENCH_PROVIDER", "")
_KEY = os.environ.get("BENCH_KEY", "")
_TOKEN = os.environ.get("BENCH_TOKEN", "")
_client = httpx.AsyncClient(
    timeout=30, limits=httpx.Limits(max_connections=256, max_keepalive_connections=256)
)


async def place_order(body: dict[str, Any]) -> tuple[Any, int]:
    """Forward what was validated; the bytes themselves are consumed by then, so it is written anew."""
    answer = await _client.post(f"{_PROVIDER}/orders", json=body)
    return answer.json(), answer.status_code


async def place_order_by_token(body: dict[str, Any]) -> tuple[Any, int]:
    """Forward an order whose sender came with a token."""
    return await place_order(body)


async def find_results(ward: str, **query: Any) -> tuple[Any, int]:
    """Forward a query as it came."""
    del query
    answer = await _client.get(f"{_PROVIDER}/wards/{ward}/results", params=str(request.url.query))
    return answer.json(), answer.status_code


async def admit(body: dict[str, Any]) -> tuple[Any, int]:
    """Forward a form, encoded anew."""
    answer = await _client.post(f"{_PROVIDER}/admissions", data=body)
    return answer.json(), answer.status_code


def know_key(apikey: str, required_scopes: list[str] | None = None) -> dict[str, str] | None:
    """Accept the one key of the bench."""
    del required_scopes
    return {"sub": "ward-7"} if hmac.compare_digest(apikey, _KEY) else None


def know_token(token: str) -> dict[str, str] | None:
    """Accept the one token of the bench; its signature is not verified."""
    return {"sub": "ward-7"} if hmac.compare_digest(token, _TOKEN) else None


app = AsyncApp(__name__, specification_dir=str(Path(__file__).parents[1]))
app.add_api("lab-orders.yaml", base_path="/lab-orders/v1", strict_validation=True, validate_responses=True)
