"""When to try again what failed through us: doubling delays with jitter, a ceiling, and an end."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` in all; the n-th pause is `first_seconds` * 2^(n-1), at most `longest_seconds`, ±20 %."""

    attempts: int = 8
    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    jitter: float = 0.2

    def pause(self, attempt: int, *, spread: float | None = None) -> float | None:
        """Give the seconds to wait after failed attempt `attempt` (from 1); None when it was the last.

        `spread` in [-1, 1] takes the place of chance, for tests.
        """
        if attempt >= self.attempts:
            return None
        base = min(self.first_seconds * 2.0 ** (attempt - 1), self.longest_seconds)
        chance = random.uniform(-1, 1) if spread is None else spread  # noqa: S311 - spreads load, guards nothing
        return base * (1 + self.jitter * chance)
