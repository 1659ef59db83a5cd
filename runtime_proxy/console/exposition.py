"""Writes the metrics of all workers in Prometheus' text format 0.0.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.console.series import AT_ONCE, MILLION
from runtime_proxy.console.table import METRICS, REFUSALS_TOTAL, THROTTLED, VALIDATION
from runtime_proxy.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runtime_proxy.console.series import Totals
    from runtime_proxy.console.table import Metric

_BROKEN: Final = "provider-broke-contract"
# Refusals that say "this request is not what the contract declares", and whose limit was used up.
_NOT_VALID: Final = frozenset(
    slug for slug in REFUSALS if slug.startswith(("body-", "parameter-", "media-type-", "content-coding-"))
)
_LIMITS: Final = {"source-over-limit": "source", "over-limit": "limit"}


def write(totals: Totals) -> Iterator[bytes]:
    """Give the whole page in pieces of some dozens of rows; metrics without rows are left out."""
    _derive(totals)
    lines: list[str] = []
    for metric in METRICS:
        rows = totals.get(metric.name)
        if not rows:
            continue
        lines += (f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}")
        for count, (labels, numbers) in enumerate(sorted(rows.items())):
            _write_row(lines, metric, labels, numbers)
            if count % AT_ONCE == AT_ONCE - 1:
                yield _joined(lines)
                lines = []
    yield _joined(lines)


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _derive(totals: Totals) -> None:
    """Tell failed validations and throttled requests, which are refusals by their slugs, by their own names."""
    for (slug,), numbers in totals.get(REFUSALS_TOTAL.name, {}).items():
        if slug in _NOT_VALID or slug == _BROKEN:
            side = "response" if slug == _BROKEN else "request"
            totals.setdefault(VALIDATION.name, {})[side, slug] = numbers
        elif slug in _LIMITS:
            totals.setdefault(THROTTLED.name, {})[(_LIMITS[slug],)] = numbers


def _write_row(lines: list[str], metric: Metric, labels: tuple[str, ...], numbers: list[int]) -> None:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in zip(metric.labels, labels, strict=True)]
    told = f"{{{','.join(pairs)}}}" if pairs else ""
    if metric.kind == "counter":
        lines.append(f"{metric.name}{told} {numbers[0]}")
    elif metric.kind == "gauge":
        whole, rest = divmod(numbers[0], MILLION)
        lines.append(f"{metric.name}{told} {numbers[0] / MILLION if rest else whole}")
    else:
        before = ",".join([*pairs, ""])
        count = 0
        for bound, number in zip((*map(str, metric.buckets), "+Inf"), numbers, strict=False):
            count += number
            lines.append(f'{metric.name}_bucket{{{before}le="{bound}"}} {count}')
        lines.append(f"{metric.name}_sum{told} {numbers[-1] / MILLION}")
        lines.append(f"{metric.name}_count{told} {count}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
