"""JSONPath expressions as Spectral's `given` has them (nimma's reading of JSONPath-plus), read into steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from registry.lint.spectral.expressions import Filter, read_filter
from registry.lint.spectral.faults import Refused

LONGEST = 2_000  # characters
MOST_STEPS = 60
_NAME = re.compile(r"[^\s.\[\]~^()'\"@*?,][^.\[\]~^()'\"?,\s]*")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?")
_INTEGER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `deep` steps look at every level below.

    names: members of these names (list positions too) · all: every member · slice: a part of a list ·
    filter: members for which it holds · key: the key instead of the value (`~`) · parent (`^`) · self: the
    node and everything below that is an object or a list (`$..` alone).
    """

    form: Literal["names", "all", "slice", "filter", "key", "parent", "self"]
    deep: bool = False
    names: tuple[str, ...] = ()
    bounds: tuple[int | None, int | None, int] = (None, None, 1)
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A whole expression; `contextual` where what it finds depends on how a node was reached."""

    source: str
    steps: tuple[Step, ...]

    @property
    def contextual(self) -> bool:
        """Whether a filter or a step asks for what is around a node."""
        return any(step.form == "parent" or (step.filter and step.filter.contextual) for step in self.steps)


@lru_cache(maxsize=2_048)
def read_path(source: str) -> JsonPath:
    """Read an expression; raises `Refused` with the character that was not understood."""
    if len(source) > LONGEST:
        raise Refused(f"the path has more than {LONGEST} characters")
    if not source.startswith("$"):
        raise Refused(
            f"the path `{source[:120]}` does not begin with $", "begin with $, or with # and an alias"
        )
    reader, steps = _Reader(source.rstrip()), []
    while (step := reader.step()) is not None:
        steps.append(step)
        if len(steps) > MOST_STEPS:
            raise Refused(f"the path has more than {MOST_STEPS} steps")
    return JsonPath(source, tuple(steps))


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 1

    def _refused(self) -> Refused:
        return Refused(
            f"the path `{self.source[:160]}` holds something that is not supported at character {self.at + 1}",
            "docs/guide/lint.md says what a path may hold",
        )

    def _take(self, mark: str) -> bool:
        if self.source.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def _blank(self) -> None:
        while self.source[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def step(self) -> Step | None:
        """Read the next step; None at the end."""
        if self.at >= len(self.source):
            return None
        if self._take("~"):
            return Step("key")
        if self._take("^"):
            return Step("parent")
        deep = self._take("..")
        dotted = deep or self._take(".")
        if self._take("["):  # `.[` means `..[` to Spectral's engine
            return self._bracket(deep=dotted)
        if not dotted:
            raise self._refused()
        if deep and self.at >= len(self.source):
            return Step("self", deep=True)
        return self._dotted(deep=deep)

    def _dotted(self, *, deep: bool) -> Step:
        if self._take("*"):
            return Step("all", deep)
        found = _NAME.match(self.source, self.at)
        if not found:
            raise self._refused()
        self.at = found.end()
        return Step("names", deep, (found[0],))

    def _bracket(self, *, deep: bool) -> Step:
        self._blank()
        if self._take("*"):
            return self._closed(Step("all", deep))
        if self._take("?"):
            self._blank()
            if not self._take("("):
                raise self._refused()
            found, self.at = read_filter(self.source, self.at)
            self.at += 1
            return self._closed(Step("filter", deep, filter=found))
        span = _SLICE.match(self.source, self.at)
        if span:
            self.at = span.end()
            first, last, stride = (int(part) if part else None for part in span.groups())
            if stride is not None and stride <= 0:
                raise Refused(f"the path `{self.source[:160]}` goes backwards, which is not supported")
            return self._closed(Step("slice", deep, bounds=(first, last, stride or 1)))
        return self._closed(Step("names", deep, tuple(self._names())))

    def _names(self) -> list[str]:
        found = [self._one_name()]
        while self._take(","):
            found.append(self._one_name())
        return found

    def _one_name(self) -> str:
        self._blank()
        quoted = _QUOTED.match(self.source, self.at)
        plain = quoted or _INTEGER.match(self.source, self.at) or _NAME.match(self.source, self.at)
        if not plain:
            raise self._refused()
        self.at = plain.end()
        self._blank()
        if quoted:
            return re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2])
        return plain[0]

    def _closed(self, step: Step) -> Step:
        self._blank()
        if not self._take("]"):
            raise self._refused()
        return step
