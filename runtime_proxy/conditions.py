"""How the upstreams of adapters stand, and what routes have sent again: for the metrics and the console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from adapters.resilience.guarded import Guarded
from adapters.resilience.repeating import Repeating

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.wire.http_balance import Standing
    from runtime_proxy.plan import Plan


@runtime_checkable
class Spread(Protocol):
    """An adapter that may be over several upstreams."""

    def standing(self) -> list[Standing]:
        """Tell how each of them stands; nothing where there is but one."""


def upstreams_of(plan: Plan) -> Iterator[tuple[str, Standing]]:
    """Yield each upstream of each adapter over several, with the adapter's name."""
    for slot in plan.slots:
        adapter = slot.adapter.inner if isinstance(slot.adapter, Guarded) else slot.adapter
        if isinstance(adapter, Spread):
            for one in adapter.standing():
                yield slot.name, one


def sent_again(plan: Plan) -> Iterator[tuple[str, str, int]]:
    """Yield route, how (`retry` or `hedge`) and how often, since the plan is in force."""
    for route in plan.routes:
        adapter = route.adapter.adapter
        if isinstance(adapter, Repeating):
            yield route.name, "retry", adapter.retried
            yield route.name, "hedge", adapter.hedged
