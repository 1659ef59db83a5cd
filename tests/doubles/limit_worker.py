"""One worker of the shared limits, as a process of its own: asks for calls in a pattern, and says when each was admitted.

python limit_worker.py REDIS_URL '{"seconds": …, "limit": […], "gap": …, "bunch": …, …}'
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kernel.bundle.limits import Limits
from kernel.bundle.model import Limit
from runtime_proxy.exchange import Exchange
from runtime_proxy.lease_store import LeaseStore
from runtime_proxy.leasing import LeasedLimiter
from runtime_proxy.limit_counters import LimitCounters
from runtime_proxy.throttle import limit_set, throttle


async def work(url: str, how: dict[str, Any]) -> dict[str, Any]:
    begin = 0

    def skew() -> int:
        passed = (time.monotonic_ns() - begin) / 1e9 if begin else 0
        return sum(step for at, step in how.get("steps", []) if passed >= at)

    held: list[int] = []
    acts: list[str] = []

    def told(act: str, _reason: str) -> None:
        acts.append(act)
        held.append(account.hand if act == "limits-store-lost" else 0)

    counters = LimitCounters()
    store = LeaseStore(
        url, counters, shares=how["workers"], clock=time.monotonic_ns, wall=time.time, told=told, skew=skew
    )
    store._link.patience = how["patience"]
    await store.start()
    limiter = LeasedLimiter(store)
    more = Limits(when_store_lost=how.get("lost", "local-share"))
    owner = limiter.owner("consumer ward", (Limit("calls", *how["limit"]),), more, 0)
    limits = limit_set(limiter, owner)
    (account,) = owner.requests
    admitted: list[int] = []
    refused: dict[str, int] = {}
    longest = 0

    async def call() -> None:
        nonlocal longest
        exchange = Exchange(b"GET", b"/", [], "192.0.2.1", 0.0)
        asked = time.monotonic_ns()
        refusal = throttle(limits, exchange, 1, asked)
        if exchange.deferred is not None:
            refusal = await exchange.deferred(exchange)
        decided = time.monotonic_ns()
        longest = max(longest, decided - asked)
        if refusal is None:
            admitted.append(decided)
        else:
            refused[refusal.slug] = refused.get(refusal.slug, 0) + 1

    print("ready", flush=True)
    begin = int(sys.stdin.readline())  # monotonic nanoseconds; the clock is one for all processes of a host
    await asyncio.sleep(max(begin - time.monotonic_ns(), 0) / 1e9)
    turn = 0
    while time.monotonic_ns() < begin + how["seconds"] * 1_000_000_000:
        await asyncio.gather(*(call() for _ in range(how["bunch"])))
        turn += 1
        due = begin + int(turn * how["gap"] * 1e9)
        await asyncio.sleep(max(due - time.monotonic_ns(), 0) / 1e9)
    await store.stop()
    return {
        "admitted": admitted,
        "refused": refused,
        "held": sum(held),
        "acts": acts,
        "store_calls": counters.store_calls,
        "alone": counters.alone,
        "longest_ms": longest / 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(work(sys.argv[1], json.loads(sys.argv[2])))))
