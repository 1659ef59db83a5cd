"""Finds the line of a key in TOML text: tomllib says what stands in a file, and not where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str | int, ...]  # names of tables and keys, indexes in arrays of tables
_NAME: Final = r"(?:[A-Za-z0-9_-]+|\"[^\"\n]*\"|'[^'\n]*')"
_KEY: Final = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=(.*)", re.DOTALL)
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*\]\]?\s*(?:#.*)?", re.DOTALL)
_LONGEST_VALUE: Final = 500  # lines of one value; further down nothing is found


def line_of(text: str, keys: Path) -> int | None:
    """Give the line (from 1) of a key, or of the table or value around it; None for the file itself."""
    best, line = 0, None
    for path, number in _entries(text):
        if len(path) > best and path == keys[: len(path)]:
            best, line = len(path), number
    return line


def _entries(text: str) -> Iterator[tuple[Path, int]]:
    """Yield the path and line of each table header and key, in order."""
    lines = text.splitlines()
    table: Path = ()
    counts: dict[Path, int] = {}
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        header = _HEADER.fullmatch(line)
        if header:
            table = _resolved(_names(header[2]), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield table, number
            continue
        key = _KEY.fullmatch(line)
        if key:
            yield (*table, *_names(key[1])), number
            number += _rest(key[2], lines[number : number + _LONGEST_VALUE])


def _names(text: str) -> Path:
    value: Any = tomllib.loads(f"[{text}]")
    names: list[str | int] = []
    while value:
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)


def _resolved(path: Path, counts: dict[Path, int]) -> Path:
    """Put the index of the latest element behind each array of tables above the last name (`[a.b]`)."""
    found: Path = ()
    for place, name in enumerate(path):
        found = (*found, name)
        if found in counts and place < len(path) - 1:
            found = (*found, counts[found])
    return found


def _rest(begun: str, lines: list[str]) -> int:
    """Count the lines that a value goes on for."""
    value = begun
    for count, line in enumerate(["", *lines]):
        value = value + "\n" + line if count else value
        try:
            tomllib.loads(f"value = {value}")
        except tomllib.TOMLDecodeError:
            continue
        return count
    return 0
