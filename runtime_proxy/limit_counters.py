"""What the limits count for the metrics of this worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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

    def counts(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Give every counter so far: metric (console/table.py), labels, count."""
        for owner_and_name, count in self.shadow.items():
            yield "interlock_limit_shadow_refusals_total", owner_and_name, count
        for priority, count in self.shed.items():
            yield "interlock_shed_total", (priority,), count
        yield "interlock_limits_unavailable_total", (), self.unavailable
        yield "interlock_limit_store_calls_total", (), self.store_calls
        yield "interlock_limit_store_losses_total", (), self.store_losses
        yield "interlock_limit_alone_tokens_total", (), self.alone
