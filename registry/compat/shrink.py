"""Makes a witness smaller while it still shows the break: fewer members, shorter text, plainer numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

MOST_TRIES = 800
_PLAIN_CHARACTERS = "x0"


def shrunk(value: Any, breaks: Callable[[Any], bool]) -> Any:
    """Give a smaller value for which `breaks` still holds; deterministic, bounded.

    Every step is smaller by members, then by characters, then by magnitude, so that it ends.
    """
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


def _smaller(value: Any) -> Iterator[Any]:
    """Give simpler values, the boldest cuts first."""
    if isinstance(value, dict):
        for key in value:
            yield {name: item for name, item in value.items() if name != key}
        for key, item in value.items():
            for part in _smaller(item):
                yield {**value, key: part}
    elif isinstance(value, list):
        yield from _fewer(value)
    elif isinstance(value, str) and value:
        yield from _shorter(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield from _plainer(value)


def _fewer(items: list[Any]) -> Iterator[Any]:
    if len(items) > 3:  # noqa: PLR2004 - below, halves are no bolder than single items
        yield items[: len(items) // 2]
        if all(item == items[0] for item in items):
            yield from ([part] * len(items) for part in _smaller(items[0]))
            yield items[:-1]
            return
    for index in range(len(items)):
        yield [*items[:index], *items[index + 1 :]]
    for index, item in enumerate(items):
        for part in _smaller(item):
            yield [*items[:index], part, *items[index + 1 :]]


def _shorter(text: str) -> Iterator[str]:
    yield ""
    if len(text) > 1:
        yield text[: len(text) // 2]
        yield text[:-1]
        yield text[1:]
    for plain in _PLAIN_CHARACTERS:
        if set(text) - set(_PLAIN_CHARACTERS):
            yield plain * len(text)


def _plainer(number: Any) -> Iterator[Any]:
    """Give numbers nearer to 0 or with fewer digits: 0, whole ones, halves."""
    if number == 0:
        return
    sign = 1 if number > 0 else -1
    tried: list[Any] = [0, sign, -sign, 0.5 * sign]
    if isinstance(number, int) or abs(number) < 2**53:  # beyond, a double is no exact half
        size = abs(int(number))
        tried += [sign * part for part in (size, size // 10, size // 2)]
        tried += [sign * (size - 1)] if size < 2**53 else []  # one by one leads nowhere from there
    for other in tried:
        if _measure(other) < _measure(number):
            yield other


def _measure(number: Any) -> tuple[int, Any, bool]:
    return len(repr(number).lstrip("-")), abs(number), number < 0
