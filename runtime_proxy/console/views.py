"""What the pages of the console say, put together from how each worker stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Final

from runtime_proxy.console.rates import Window, quantile
from runtime_proxy.console.table import CALL_BUCKETS, OWN_BUCKETS
from runtime_proxy.steps import ADAPTER, AUDIT, VALIDATE_REQUEST, VALIDATE_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runtime_proxy.console.seen import Seen
    from runtime_proxy.console.told import RouteNow, WorkerNow

MOST_ROWS: Final = 300  # of one table; what is beyond is found by the search
BAR: Final = 400  # units of the drawing of an exchange's steps
_CIRCUITS: Final = {"closed": "good", "half-open": "warn", "open": "bad"}
_COLOURS: Final = {ADAPTER: "b1", AUDIT: "b2", VALIDATE_REQUEST: "b3", VALIDATE_RESPONSE: "b3"}
_SERVER_ERROR, _CLIENT_ERROR = 500, 400


@dataclass(frozen=True, slots=True)
class Badge:
    """A state: a word, and how it looks."""

    look: str
    word: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One route over all workers; times are texts."""

    name: str
    base: str
    current: str
    others: str
    partner: str
    kind: str
    states: tuple[Badge, ...]
    guards: tuple[Badge, ...]
    upstreams: tuple[Badge, ...]
    in_flight: int
    waiting: int
    per_second: str
    p50: str
    p99: str
    own_p99: str
    refused: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """One exchange; `steps` are name, milliseconds and colour, `bars` place, width and colour in a drawing."""

    at: datetime
    worker: str
    method: str
    what: str
    consumer: str
    status: Badge
    refusal: str
    request_id: str
    total: str
    own: str
    provider: str
    steps: tuple[tuple[str, str, str], ...]
    bars: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit of one owner over all workers."""

    owner: str
    name: str
    words: str
    left: int
    seconds: int | None

    @property
    def more(self) -> str:
        """Say when there is more of it: a limit on calls under way knows no time."""
        if self.seconds is None:
            return "when a call ends"
        return f"in {duration(self.seconds)}" if self.seconds else "untouched"


def route_rows(workers: Sequence[WorkerNow], find: str) -> tuple[list[RouteRow], int]:
    """Give the routes whose name or adapter holds `find`, the busiest first, and how many there are."""
    by_name: dict[str, list[RouteNow]] = {}
    for worker in workers:
        for route in worker.routes:
            if find in route.name or find in route.partner:
                by_name.setdefault(route.name, []).append(route)
    busy = sorted(by_name.items(), key=lambda one: (-_window(one[1]).per_second, one[0]))
    return [_route_row(found) for _, found in busy[:MOST_ROWS]], len(by_name)


def exchange_rows(workers: Sequence[WorkerNow], *, failed: bool) -> list[ExchangeRow]:
    """Give the last exchanges, newest first: those that were sampled, or those that failed."""
    found = [(one, worker.worker) for worker in workers for one in (worker.failed if failed else worker.kept)]
    found.sort(key=lambda pair: -pair[0].started_ns)
    return [_exchange_row(one, worker) for one, worker in found[:MOST_ROWS]]


def limit_rows(workers: Sequence[WorkerNow], find: str) -> tuple[list[LimitRow], int]:
    """Give the limits whose owner holds `find`, those with least left first, and how many there are.

    Workers without a shared store hold a part each, so what is left adds up; of a shared one each knows
    the whole, and the least counts.
    """
    rows: dict[tuple[str, str], LimitRow] = {}
    for worker in workers:
        for one in worker.limits:
            if find not in one.owner:
                continue
            before = rows.get((one.owner, one.name))
            left, seconds = one.left, one.seconds
            if before is not None:
                shared = worker.shared_limits is not None
                left = min(before.left, left) if shared else before.left + left
                seconds = None if seconds is None else max(before.seconds or 0, seconds)
            rows[one.owner, one.name] = LimitRow(one.owner, one.name, one.words, left, seconds)
    told = sorted(rows.values(), key=lambda row: (row.left > 0, -(row.seconds or 0), row.owner))
    return told[:MOST_ROWS], len(rows)


def refusals(workers: Iterable[WorkerNow]) -> tuple[tuple[str, int], ...]:
    """Give the refusals of calls that matched no route, by slug."""
    return _most(worker.unmatched for worker in workers)


def calls_per_second(workers: Sequence[WorkerNow]) -> str:
    """Give the calls of all routes per second."""
    return rate(sum(route.window.per_second for worker in workers for route in worker.routes))


def rate(number: float) -> str:
    """Write a rate: 12,345 · 17 · 0.4 · 0."""
    return f"{number:,.0f}" if number >= 10 or not number else f"{number:.1f}"  # noqa: PLR2004


def duration(seconds: int) -> str:
    """Write a time to wait: 45 s · 12 min · 9 h 30 min · 3 days."""
    minutes, hours = -(-seconds // 60), seconds // 3600
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {seconds % 3600 // 60} min" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004


def milliseconds(microseconds: float) -> str:
    """Write a duration: 1,234 ms · 12.3 ms · 0.08 ms."""
    value = microseconds / 1000
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 1 else f"{value:.2f} ms"  # noqa: PLR2004


def _quantile(buckets: Sequence[int], bounds: Sequence[float], part: float) -> str:
    value = quantile(buckets, bounds, part)
    if value is None:
        return "no calls"
    if value <= bounds[0]:
        return f"under {bounds[0] * 1000:g} ms"
    if value >= bounds[-1]:
        return f"over {bounds[-1] * 1000:,.0f} ms"
    return milliseconds(value * 1e6)


def _window(routes: Iterable[RouteNow]) -> Window:
    return reduce(add, (route.window for route in routes))


def _most(counts: Iterable[dict[str, int]]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return tuple(total.most_common())


def _route_row(found: list[RouteNow]) -> RouteRow:
    first, window = found[0], _window(found)
    states = [Badge("bad", "denied")] if any(one.denied for one in found) else []
    states += [Badge("warn", "report only")] if first.report_only else []
    return RouteRow(
        name=first.name,
        base=first.base,
        current=first.current,
        others=", ".join(one for one in first.versions if one != first.current),
        partner=first.partner,
        kind=first.kind,
        states=tuple(states) or (Badge("good", "serving"),),
        guards=_guards(found),
        upstreams=_upstreams(found),
        in_flight=sum(one.in_flight for one in found),
        waiting=sum(one.waiting for one in found),
        per_second=rate(window.per_second),
        p50=_quantile(window.calls, CALL_BUCKETS, 0.5),
        p99=_quantile(window.calls, CALL_BUCKETS, 0.99),
        own_p99=_quantile(window.own, OWN_BUCKETS, 0.99),
        refused=_most(one.refused for one in found),
    )


def _guards(found: list[RouteNow]) -> tuple[Badge, ...]:
    circuits = Counter(one.circuit for one in found)
    of = f" in {{}} of {len(found)}" if len(circuits) > 1 else ""
    badges = [
        Badge(_CIRCUITS[word], f"circuit {word}{of.format(count)}")
        for word, count in circuits.items()
        if word in _CIRCUITS
    ]
    shed = sum(one.shed for one in found)
    return (*badges, Badge("warn", f"{shed:,} had no room")) if shed else tuple(badges)


def _upstreams(found: list[RouteNow]) -> tuple[Badge, ...]:
    usable: dict[str, int] = {}
    for one in (upstream for route in found for upstream in route.upstreams):
        usable[one.name] = usable.get(one.name, 0) + (one.healthy and not one.ejected)
    return tuple(
        Badge("good", f"{name} in use")
        if count == len(found)
        else Badge(
            "bad" if not count else "warn",
            f"{name} left out" + (f" by {len(found) - count} of {len(found)}" if count else ""),
        )
        for name, count in usable.items()
    )


def _exchange_row(one: Seen, worker: str) -> ExchangeRow:
    steps, bars, begun, provider = [], [], 0, one.provider_us
    for name, ended in one.steps:
        colour = _COLOURS.get(name, "b0")
        if name == ADAPTER and not one.provider_us:
            provider += ended - begun  # there was no answer to time: as long as we have waited for one
        steps.append((name, milliseconds(ended - begun), colour))
        scale = BAR / max(one.total_us, 1)
        bars.append((round(begun * scale, 1), round((ended - begun) * scale, 1), colour))
        begun = ended
    status = one.status
    look = "bad" if status >= _SERVER_ERROR else "warn" if status >= _CLIENT_ERROR else "good"
    return ExchangeRow(
        at=datetime.fromtimestamp(one.started_ns / 1e9, UTC),
        worker=worker,
        method=one.method,
        what=one.template or "no operation matched",
        consumer=one.consumer,
        status=Badge(look, str(status)),
        refusal=one.refusal,
        request_id=one.request_id,
        total=milliseconds(one.total_us),
        own=milliseconds(max(one.total_us - provider, 0)) if provider or not one.sent else "not known",
        provider=milliseconds(provider) if provider else "none",
        steps=tuple(steps),
        bars=tuple(bars),
    )
