"""What the limits count for the metrics of this worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_MOST_SERIES: Final = 1_000  # beyond it, shadow limits are counted together


@dataclass(slots=True, eq=False)
class LimitCounters:
    """Counters since the start; `shadow` by owner and limit."""

    shadow: dict[tuple[str, str], int] = field(default_factory=dict)
    unavailable: int = 0  # calls refused because the shared store was out of reach
    shed: dict[str, int] = field(default_factory=dict)  # calls refused under load, by priority
    store_calls: int = 0  # requests to the shared store, one for each account
    store_losses: int = 0
    store_up: bool | None = None  # None: there is no shared store
    alone: int = 0  # tokens spent out of local shares

    def would_refuse(self, owner: str, name: str) -> None:
        """Count a call that a shadow limit would have refused."""
        key = (owner, name)
        if key not in self.shadow and len(self.shadow) >= _MOST_SERIES:
            key = ("other", "other")
        self.shadow[key] = self.shadow.get(key, 0) + 1

    def lines(self) -> list[str]:
        """Write them as Prometheus text."""
        told = _metric(
            "interlock_limit_shadow_refusals_total",
            "Calls that a shadow limit would have refused.",
            [(f'{{owner="{owner}",limit="{name}"}}', count) for (owner, name), count in self.shadow.items()],
        )
        told += _metric(
            "interlock_limits_unavailable_total",
            "Calls refused because the shared store of the limits was out of reach.",
            [("", self.unavailable)],
        )
        told += _metric(
            "interlock_shed_total",
            "Calls refused because the worker had more than it could do, by priority.",
            [(f'{{priority="{priority}"}}', count) for priority, count in self.shed.items()],
        )
        if self.store_up is None:
            return told
        told += _metric(
            "interlock_limit_store_calls_total",
            "Accounts settled with the shared store.",
            [("", self.store_calls)],
        )
        told += _metric(
            "interlock_limit_store_losses_total",
            "Times that the shared store came out of reach.",
            [("", self.store_losses)],
        )
        told += _metric(
            "interlock_limit_alone_tokens_total",
            "Calls (or bytes) admitted out of local shares while the store was out of reach.",
            [("", self.alone)],
        )
        told += _metric(
            "interlock_limit_store_up",
            "1 while the shared store answers.",
            [("", int(self.store_up))],
            "gauge",
        )
        return told


def _metric(name: str, meaning: str, rows: list[tuple[str, int]], kind: str = "counter") -> list[str]:
    if not rows:
        return []
    head = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    return head + [f"{name}{labels} {value}" for labels, value in rows]
