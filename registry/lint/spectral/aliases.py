"""Names for path expressions, `#Operations`, which may hold others and may depend on the document's format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from registry.lint.spectral.faults import Refused
from registry.lint.spectral.formats import checked
from registry.lint.spectral.paths import JsonPath, read_path
from registry.lint.spectral.ruleset import Target

MOST_EXPRESSIONS = 500  # that one `given` may become
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_USED = re.compile(r"#([A-Za-z0-9_-]+)")
_Scoped = list[tuple[tuple[str, ...] | None, list[str]]]


@dataclass(frozen=True, slots=True)
class Aliases:
    """The aliases of one ruleset: for each name its expressions, by format where that matters."""

    known: dict[str, _Scoped]

    @classmethod
    def read(cls, value: Any) -> Aliases:
        """Read the object `aliases`; raises `Refused`."""
        if value is None:
            return cls({})
        if not isinstance(value, dict):
            raise Refused("`aliases` is an object of names")
        return cls({name: _scoped(name, item) for name, item in value.items()})

    def targets(self, given: Any) -> tuple[tuple[Target, ...], ...]:
        """Give the paths of a `given`; raises `Refused` for what is no path, and for aliases that are not there."""
        listed = given if isinstance(given, list) else [given]
        if not listed or not all(isinstance(one, str) for one in listed):
            raise Refused("`given` is a path, or a list of paths")
        return tuple(self._target(one) for one in listed)

    @staticmethod
    def check_field(field: str | None) -> None:
        """Read a `field` that is a path, so that it is refused now where it cannot be read; raises `Refused`."""
        if field is not None and (field == "$" or field.startswith(("$.", "$["))):
            read_path(field)

    def _target(self, expression: str) -> tuple[Target, ...]:
        found = self._written_out(expression, ())
        if len(found) > MOST_EXPRESSIONS:
            raise Refused(f"`{expression[:80]}` becomes more than {MOST_EXPRESSIONS} paths")
        grouped: dict[tuple[str, ...] | None, list[JsonPath]] = {}
        for formats, path in found:
            grouped.setdefault(formats, []).append(read_path(path))
        return tuple(Target(formats, tuple(paths)) for formats, paths in grouped.items())

    def _written_out(
        self, expression: str, within: tuple[str, ...]
    ) -> list[tuple[tuple[str, ...] | None, str]]:
        if not expression.startswith("#"):
            return [(None, expression)]
        used = _USED.match(expression)
        if used is None:
            raise Refused(f"`{expression[:80]}` names no alias")
        name, rest = used[1], expression[used.end() :]
        if name in within:
            raise Refused(f"the alias `{name[:60]}` holds itself: {' -> '.join((*within, name))[:200]}")
        if name not in self.known:
            raise Refused(
                f"there is no alias `{name[:60]}`", f"the aliases are {', '.join(self.known) or 'none'}"
            )
        made: list[tuple[tuple[str, ...] | None, str]] = []
        for formats, paths in self.known[name]:
            for path in paths:
                for inner, text in self._written_out(path, (*within, name)):
                    both = (
                        formats
                        if inner is None
                        else inner
                        if formats is None
                        else tuple(f for f in inner if f in formats)
                    )
                    made.append((both, text + rest))
                    if len(made) > MOST_EXPRESSIONS:
                        raise Refused(f"the alias `{name[:60]}` becomes more than {MOST_EXPRESSIONS} paths")
        return made


def _scoped(name: str, value: Any) -> _Scoped:
    if not _NAME.fullmatch(name):
        raise Refused(
            f"`{name[:60]}` is no name of an alias", "begin with a letter; letters, digits, _ and - follow"
        )
    if isinstance(value, dict):
        targets = value.get("targets")
        if not isinstance(targets, list) or not targets:
            raise Refused(f"the alias `{name}` lacks `targets`")
        # The last target whose format fits is taken: each excludes the formats of those after it.
        return [_one_target(name, item) for item in targets]
    return [(None, _paths(name, value))]


def _one_target(name: str, item: Any) -> tuple[tuple[str, ...], list[str]]:
    formats = item.get("formats") if isinstance(item, dict) else None
    if not isinstance(formats, list) or not formats or not all(isinstance(one, str) for one in formats):
        raise Refused(f"a target of the alias `{name}` lacks `formats`")
    return checked(tuple(formats)), _paths(name, item.get("given"))


def _paths(name: str, value: Any) -> list[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        raise Refused(f"the alias `{name}` is no list of paths")
    return listed
