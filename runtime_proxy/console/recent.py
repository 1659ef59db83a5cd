"""The last exchanges that the console shows: some of all, and the last ones that failed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime_proxy.console.seen import Seen

MOST_KEPT: Final = 100  # sampled ones, with the steps of each
MOST_FAILED: Final = 50  # those answered with 500 or above, whatever the sample
MOST_REFUSED: Final = 4096  # pairs of route and slug that are counted apart


class Recent:
    """The last exchanges of one worker, and how often each route refused, by slug, since the start."""

    def __init__(self) -> None:
        self.kept: deque[Seen] = deque(maxlen=MOST_KEPT)
        self.failed: deque[Seen] = deque(maxlen=MOST_FAILED)
        self._refused: dict[str, dict[str, int]] = {}  # by route, then by slug
        self._pairs = 0

    def refuse(self, route: str, slug: str) -> None:
        """Count a refusal; `route` is "" where none matched."""
        by_slug = self._refused.setdefault(route, {})
        if slug not in by_slug:
            if self._pairs >= MOST_REFUSED:
                slug = "other"
            self._pairs += 1
        by_slug[slug] = by_slug.get(slug, 0) + 1

    def refused(self, route: str) -> dict[str, int]:
        """Give the refusals of one route, by slug."""
        return dict(self._refused.get(route, ()))
