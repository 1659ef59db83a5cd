"""Second act: a consumer calls; what is right passes, what is wrong is refused with its place."""

from __future__ import annotations

import copy
import http.client
import json
from dataclasses import dataclass
from typing import Any

from cli.demo.providers import MISBEHAVING_ORDER, SECRET_OF_THE_LABORATORY
from cli.demo.stage import Stage

ORDER: dict[str, Any] = {
    "numbers": {"placer": {"authority": {"namespace": "WARD7"}, "value": "ORD-20391"}},
    "patient": {"identifiers": [{"authority": {"namespace": "HOSP"}, "type": "MR", "value": "70012345"}]},
    "priority": "urgent",
    "orderedAt": "2026-11-20T08:31:00+01:00",
    "tests": [{"codings": [{"system": "http://loinc.org", "code": "2823-3", "display": "Potassium"}]}],
}
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Said:
    """What the proxy answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """Read the problem details."""
        document: dict[str, Any] = json.loads(self.body)
        return document


def call(
    port: int, method: str, path: str, *, key: str, body: Any = None, kind: str = "application/json"
) -> Said:
    """Make one call through the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    headers = {"X-API-Key": key, **({"Content-Type": kind} if body is not None else {})}
    try:
        connection.request(method, path, json.dumps(body).encode() if body is not None else None, headers)
        answer = connection.getresponse()
        return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def order(number: str) -> dict[str, Any]:
    """Make an order with its own placer number."""
    made = copy.deepcopy(ORDER)
    made["numbers"]["placer"]["value"] = number
    return made


def play(stage: Stage, port: int) -> None:
    """Make the calls of the act."""
    stage.chapter("2. Calls: checked in both directions")
    key = stage.facts["ehr"]
    stage.wait_until(
        "the proxy to serve lab-orders",
        lambda: call(port, "GET", "/lab-orders/v1/orders", key=key).status == 200,
    )

    good = call(port, "POST", "/lab-orders/v1/orders", key=key, body=order("ORD-20391"))
    stage.expect(good.status == 201, "201 for a valid order", seen=(good.status, good.body))
    stage.tell(f"A valid order passed to the simulated laboratory: 201, {json.loads(good.body)['orderId']}.")

    wrong = order("ORD-1")
    wrong["priority"] = "whenever"
    del wrong["patient"]["identifiers"][0]["value"]
    _refused(
        stage,
        call(port, "POST", "/lab-orders/v1/orders", key=key, body=wrong),
        422,
        "body-invalid",
        "A bad order",
    )
    _refused(
        stage,
        call(port, "POST", "/lab-orders/v1/refunds", key=key, body={}),
        404,
        "not-found",
        "An undeclared operation",
    )
    _refused(
        stage, call(port, "POST", "/lab-orders/v1/orders", key=key, body=order("ORD-2"), kind="text/xml"),
        415, "media-type-unsupported", "A wrong media type",
    )  # fmt: skip
    _refused(stage, call(port, "GET", "/lab-orders/v1/orders", key="guessed"), 401, None, "A guessed key")
    readings = {
        "sequence": 1,
        "readings": [
            {"kind": "heart-rate", "value": 72, "unit": "{beat}/min", "measuredAt": "2026-11-20T08:31:00Z"}
        ],
    }
    kept = call(port, "POST", "/vitals/v1/devices/MON-0042/readings", key=key, body=readings)
    stage.expect(kept.status == 202, "202 for vital signs", seen=(kept.status, kept.body))
    stage.tell("A batch of vital signs was kept: 202.")
    _burst(stage, port)
    _leak(stage, port, key)


def _refused(stage: Stage, said: Said, status: int, slug: str | None, what: str) -> None:
    stage.expect(said.status == status, f"{status} for: {what}", seen=(said.status, said.body))
    problem = said.problem()
    got = problem["type"].rsplit(":", 1)[-1]
    stage.expect(slug is None or got == slug, f"{slug} for: {what}", seen=got)
    places = ", ".join(f"{e['pointer'] or e['in']} ({e['keyword']})" for e in problem.get("errors", []))
    stage.tell(f"{what} was refused: {status} {got}{': ' + places if places else ''}.")


def _burst(stage: Stage, port: int) -> None:
    answers = [
        call(port, "GET", "/lab-orders/v1/orders", key=stage.facts["ward-terminals"]) for _ in range(8)
    ]
    statuses = [answer.status for answer in answers]
    stage.expect(statuses[:5] == [200] * 5 and 429 in statuses, "a burst of 5 and then 429", seen=statuses)
    last = answers[-1]
    told = {name: last.headers.get(name) for name in ("ratelimit-policy", "ratelimit", "retry-after")}
    stage.expect(all(told.values()), "the limit's headers", seen=told)
    stage.tell(f"A burst over the limit: five answers, then 429 with Retry-After {told['retry-after']} s.")
    stage.note(f"RateLimit-Policy: {told['ratelimit-policy']}   RateLimit: {told['ratelimit']}")


def _leak(stage: Stage, port: int, key: str) -> None:
    said = call(port, "POST", "/lab-orders/v1/orders", key=key, body=order(MISBEHAVING_ORDER))
    stage.expect(
        said.status == 502, "502 when the provider breaks its contract", seen=(said.status, said.body)
    )
    leaked = [
        word for word in (SECRET_OF_THE_LABORATORY, "lis-db-07", "orderNo") if word.encode() in said.body
    ]
    stage.expect(not leaked, "nothing of the provider's answer to leak", seen=leaked)
    stage.tell(
        "The provider answered outside its contract: the consumer got 502 and saw nothing of that answer."
    )
