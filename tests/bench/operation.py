"""Print what it costs to judge a call: microseconds of one core for each check (run it, it is no test).

    python tests/bench/operation.py

The request is the JSON POST of the benchmark (about 860 bytes), over the example contract lab-orders.
"""

from __future__ import annotations

import sys
import time
import timeit
from pathlib import Path

import orjson

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from kernel.operation.compile import compile_contract  # noqa: E402 - the path comes first
from runtime_proxy.match import Match, Mount, PathTrie, Router  # noqa: E402

CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "Bench", "version": "1.0.0"},
    "paths": {
        "/orders": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
                    }
                },
            }
        },
        "/orders/{orderId}": {
            "get": {
                "parameters": [
                    {
                        "name": "orderId",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "maxLength": 40, "pattern": "^[A-Za-z0-9-]+$"},
                    },
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 100},
                    },
                    {
                        "name": "status",
                        "in": "query",
                        "schema": {"type": "array", "items": {"enum": ["accepted", "completed"]}},
                    },
                    {"name": "X-Purpose", "in": "header", "schema": {"enum": ["treatment", "billing"]}},
                ],
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
                    }
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "additionalProperties": False,
                "required": ["placer", "patient", "tests"],
                "properties": {
                    "placer": {"type": "string", "maxLength": 40},
                    "patient": {"$ref": "#/components/schemas/Patient"},
                    "orderedAt": {"type": "string", "format": "date-time"},
                    "note": {"type": "string", "maxLength": 400},
                    "tests": {
                        "type": "array",
                        "maxItems": 50,
                        "items": {
                            "type": "object",
                            "required": ["code", "system"],
                            "properties": {
                                "code": {"type": "string", "pattern": "^[0-9]{1,7}-[0-9]$"},
                                "system": {"type": "string", "format": "uri"},
                                "priority": {"enum": ["routine", "urgent"]},
                                "volume": {"type": "number", "exclusiveMinimum": 0},
                            },
                        },
                    },
                },
            },
            "Patient": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "family": {"type": "string"},
                    "given": {"type": "array", "items": {"type": "string"}},
                    "birthDate": {"type": "string", "format": "date"},
                },
            },
        }
    },
}
ORDER = {
    "placer": "ORD-20391",
    "patient": {"id": "70012345", "family": "Sample", "given": ["Ada", "Maria"], "birthDate": "1980-02-03"},
    "orderedAt": "2026-11-20T08:31:00+01:00",
    "tests": [{"code": "2823-3", "system": "http://loinc.org", "priority": "urgent", "volume": 4.5}] * 6,
    "note": "Potassium and sodium, drawn on the ward before the infusion; call the ward with the result. "
    * 2,
}
HEADERS = [
    (b"host", b"lab.example"),
    (b"user-agent", b"wrk"),
    (b"accept", b"application/json"),
    (b"content-type", b"application/json"),
    (b"content-length", b"860"),
    (b"x-api-key", b"k"),
]


def show(label: str, call: object) -> None:
    """Print the best of seven runs of 20 000 calls, in CPU time."""
    best = min(timeit.repeat(call, timer=time.process_time, number=20_000, repeat=7)) / 20_000  # type: ignore[arg-type]
    sys.stdout.write(f"{label:<44}{best * 1e6:>8.2f} µs\n")


def main() -> None:
    """Measure."""
    body = orjson.dumps(ORDER)
    contract = compile_contract(CONTRACT)
    contract.prepare()
    post, get = contract.operations
    router = Router([Mount("/lab-orders/v1", PathTrie(contract.operations))])
    found = router.match(b"GET", b"/lab-orders/v1/orders/abc-1")
    assert isinstance(found, Match)
    assert post.check_request((), b"", HEADERS, body) is None
    assert post.check_response(201, HEADERS, body) == ()
    assert get.check_request((b"abc-1",), b"limit=5&status=accepted&status=completed", HEADERS, b"") is None
    wrong = orjson.dumps({**ORDER, "placer": 7})
    sys.stdout.write(f"body of {len(body)} bytes\n")
    show("match POST /orders", lambda: router.match(b"POST", b"/lab-orders/v1/orders"))
    show("match GET /orders/{orderId}", lambda: router.match(b"GET", b"/lab-orders/v1/orders/abc-1"))
    show("check_request, JSON POST", lambda: post.check_request((), b"", HEADERS, body))
    show("check_request, JSON POST refused", lambda: post.check_request((), b"", HEADERS, wrong))
    show("check_response, JSON", lambda: post.check_response(201, HEADERS, body))
    show("check_request, GET with path", lambda: get.check_request((b"abc-1",), b"", HEADERS, b""))
    query = b"limit=5&status=accepted&status=completed"
    show(
        "check_request, GET with path and query", lambda: get.check_request((b"abc-1",), query, HEADERS, b"")
    )


if __name__ == "__main__":
    main()
