"""What the acts of the registry need, in one value: made by cli/wiring.py, given to API and pages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from registry.review.attempts import Attempts

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.review.ports import BundlePress, Engines, Store


def _nothing() -> None:
    """Stand in where nobody waits for audit records."""


@dataclass(frozen=True, slots=True)
class Services:
    """The ports of registry/review, joined. Every act is a function whose first argument is this."""

    settings: Settings
    store: Store
    now: Callable[[], datetime]
    engines: Engines
    press: BundlePress
    recorded: Callable[[], None] = _nothing  # called after each commit that left audit records
    attempts: Attempts = field(default_factory=Attempts)
    publishing: threading.Lock = field(default_factory=threading.Lock)
