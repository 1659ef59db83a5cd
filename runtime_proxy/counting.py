"""Where one operation counts its calls: the part of the metrics that stands in the plan."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Counting:
    """Indices of the first number of each row (console/series.py); `consumers` has one for each class of status."""

    labels: tuple[str, str, str]  # contract, version, operation
    duration: int
    overhead: int
    upstream: int
    consumers: dict[str, tuple[int, ...]] = field(default_factory=dict)
