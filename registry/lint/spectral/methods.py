"""Members and methods that filters may use on values: a table, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry.lint.spectral.faults import Refused
from registry.lint.spectral.regexes import compiled
from registry.lint.spectral.values import UNDEFINED, kind, number, strictly_equal, text


def get_member(value: Any, name: Any) -> Any:
    """Read a property as JavaScript does; raises `Refused` where there is nothing to read it of."""
    if value is None or value is UNDEFINED:
        raise Refused(
            f"it reads `{text(name)[:40]}` of {'null' if value is None else 'undefined'}",
            f"ask first whether it is there: @.x && @.x.{text(name)[:40]}",
        )
    if isinstance(value, dict):
        return value.get(text(name), UNDEFINED)
    if isinstance(value, list | str):
        if name == "length":
            return len(value)
        index = number(name) if not isinstance(name, str) or name.isdecimal() else -1
        inside = index == int(index) and 0 <= index < len(value) if index == index else False  # noqa: PLR0124 - NaN
        return value[int(index)] if inside else UNDEFINED
    return UNDEFINED


def call_method(value: Any, name: str, arguments: list[Any]) -> Any:
    """Call a method of the table; raises `Refused` where the value has no such method."""
    if callable(value) and name in ("test", "exec"):
        return value(text(arguments[0] if arguments else UNDEFINED)) or (False if name == "test" else None)
    if name == "hasOwnProperty" and isinstance(value, dict):
        return text(arguments[0]) in value if arguments else False
    if isinstance(value, list) and name in _OF_LISTS:
        return _OF_LISTS[name](value, *arguments[:1])
    if kind(value) == "number":  # keys of lists: Spectral's engine takes them as texts
        value = text(value)
    if isinstance(value, str) and name in _OF_TEXTS:
        return _OF_TEXTS[name](value, *arguments[:2])
    raise Refused(
        f"it calls `{name}` of {text(value)[:40] if value is UNDEFINED or value is None else kind(value)}"
    )


def _matches(value: str, pattern: Any = UNDEFINED) -> Any:
    test = pattern if callable(pattern) else compiled(text(pattern), "")
    return [value] if test(value) else None


def _index(value: Any, wanted: Any = UNDEFINED) -> int:
    return next((at for at, item in enumerate(value) if strictly_equal(item, wanted)), -1)


def _slice(value: str, start: Any = 0, end: Any = UNDEFINED) -> str:
    return value[int(number(start)) : None if end is UNDEFINED else int(number(end))]


_OF_LISTS: dict[str, Callable[..., Any]] = {
    "includes": lambda value, wanted=UNDEFINED: _index(value, wanted) >= 0,
    "indexOf": _index,
    "join": lambda value, mark=",": text(mark).join(text(item) for item in value),
}
_OF_TEXTS: dict[str, Callable[..., Any]] = {
    "match": _matches,
    "search": lambda value, pattern=UNDEFINED: 0 if _matches(value, pattern) else -1,
    "includes": lambda value, wanted=UNDEFINED, *_: text(wanted) in value,
    "indexOf": lambda value, wanted=UNDEFINED, *_: value.find(text(wanted)),
    "startsWith": lambda value, wanted=UNDEFINED, *_: value.startswith(text(wanted)),
    "endsWith": lambda value, wanted=UNDEFINED, *_: value.endswith(text(wanted)),
    "toLowerCase": lambda value, *_: value.lower(),
    "toUpperCase": lambda value, *_: value.upper(),
    "toString": lambda value, *_: value,
    "trim": lambda value, *_: value.strip(),
    "charAt": lambda value, at=0, *_: value[int(number(at)) : int(number(at)) + 1],
    "slice": _slice,
}
METHODS = frozenset({*_OF_LISTS, *_OF_TEXTS, "test", "exec", "hasOwnProperty"})
