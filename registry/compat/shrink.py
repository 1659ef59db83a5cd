"""Makes a witness smaller while it still shows the break: fewer members, shorter text, plainer numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

MOST_TRIES = 600


def shrunk(value: Any, breaks: Callable[[Any], bool]) -> Any:
    """Give a smaller value for which `breaks` still holds; deterministic, bounded."""
    tries = MOST_TRIES
    again = True
    while again:
        again = False
        for smaller in _smaller(value):
            tries -= 1
            if tries < 0:
                return value
            if breaks(smaller):
                value, again = smaller, True
                break
    return value


def _smaller(value: Any) -> Iterator[Any]:  # noqa: C901 - one branch for each type of JSON
    """Give simpler values, the boldest cuts first."""
    if isinstance(value, dict):
        for key in value:
            yield {name: item for name, item in value.items() if name != key}
        for key, item in value.items():
            for part in _smaller(item):
                yield {**value, key: part}
    elif isinstance(value, list):
        for index in range(len(value)):
            yield [*value[:index], *value[index + 1 :]]
        for index, item in enumerate(value):
            for part in _smaller(item):
                yield [*value[:index], part, *value[index + 1 :]]
    elif isinstance(value, str) and value:
        yield ""
        if len(value) > 1:
            yield value[: len(value) // 2]
            yield value[:-1]
