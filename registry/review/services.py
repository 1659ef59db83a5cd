"""What the acts of the registry need, in one value: made by cli/wiring.py, given to API and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.review.ports import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The ports of registry/review, joined. Every act is a function whose first argument is this."""

    settings: Settings
    store: Store
    now: Callable[[], datetime]
