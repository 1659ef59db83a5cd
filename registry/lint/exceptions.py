"""Exceptions from house rules: written at the place, or in interlock.toml, with owner, reason and last day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.lint.reading import Hit, Part, Subject, mapping

KEY = "x-interlock-lint"
MOST = 500  # exceptions in one document
_KEYS = ("rule", "owner", "reason", "expires")
# Objects of the root to which the grammar gives no type, and that may carry extensions all the same.
_UNTYPED = ("info", "servers", "tags")


@dataclass(frozen=True, slots=True)
class RuleException:
    """One rule is not told at `scope` (a JSON pointer) and below, up to the last day `expires`.

    `place` is where it is written: a pointer into the document, or "" for one of interlock.toml.
    """

    rule: str
    owner: str
    reason: str
    expires: date
    scope: str = ""
    place: str = ""

    @property
    def home(self) -> str:
        """Say where it stands, if not at the place."""
        return "" if self.place else " in interlock.toml"

    def covers(self, rule: str, pointer: str) -> bool:
        """Whether a place lies in the scope."""
        return self.rule == rule and (pointer == self.scope or pointer.startswith(self.scope + "/"))

    def expired(self, as_of: date | None) -> bool:
        """Whether the last day is over; without a day to judge by it is not."""
        return as_of is not None and as_of > self.expires


class Exceptions:
    """The exceptions of one document: which are well formed, which hold, and which were of use."""

    def __init__(
        self,
        subject: Subject,
        given: tuple[RuleException, ...],
        as_of: date | None,
        fault_of: Callable[[str], str | None],
    ) -> None:
        """`fault_of` says why a rule may have no exception, or None."""
        self.faults: list[Hit] = []
        self._as_of = as_of
        self._known: list[RuleException] = list(given)
        for written in _written(subject):
            if isinstance(written, Hit):
                self.faults.append(written)
            elif fault := fault_of(written.rule):
                self.faults.append(Hit(f"{written.place}/rule", fault))
            else:
                self._known.append(written)
        self._used: set[int] = set()

    def spare(self, rule: str, pointer: str) -> bool:
        """Whether a finding is excepted; the exception has been of use then."""
        for index, one in enumerate(self._known):
            if one.covers(rule, pointer) and not one.expired(self._as_of):
                self._used.add(index)
                return True
        return False

    def expired(self) -> Iterator[Hit]:
        """Give the exceptions that hold no longer."""
        for one in self._known:
            if one.expired(self._as_of):
                yield Hit(
                    one.place,
                    f"the exception from `{one.rule}` of {one.owner}{one.home} ended on {one.expires}",
                )

    def unused(self, unless: str | tuple[()] = ()) -> Iterator[Hit]:
        """Give the exceptions that nothing needed; to be asked when all rules have been judged.

        Rules whose names begin with `unless` were not judged at all.
        """
        for index, one in enumerate(self._known):
            if one.rule.startswith(unless):
                continue
            if index not in self._used and not one.expired(self._as_of):
                yield Hit(
                    one.place, f"nothing needs the exception from `{one.rule}` of {one.owner}{one.home}"
                )


def _written(subject: Subject) -> Iterator[RuleException | Hit]:
    """Give what stands under `x-interlock-lint` anywhere: exceptions, and what is wrong with others."""
    count = 0
    for pointer, listed in _places(subject):
        if not isinstance(listed, list):
            yield Hit(pointer, f"{KEY} is a list of exceptions")
            continue
        for index, item in enumerate(listed):
            count += 1
            if count > MOST:
                yield Hit(f"{pointer}/{index}", f"more than {MOST} exceptions in one document")
                return
            yield _read(item, f"{pointer}/{index}", pointer.rpartition("/")[0])


def _places(subject: Subject) -> Iterator[tuple[str, Any]]:
    for part in subject.parts:
        yield from _here(part)
    for key in _UNTYPED if isinstance(subject.root, dict) and subject.kind != "schema" else ():
        value = subject.root.get(key)
        for step, item in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not (subject.kind == "asyncapi" and key != "tags"):  # its grammar has the others
                yield from _here(Part(f"/{key}" + ("" if step is None else f"/{step}"), item, "", ""))


def _here(part: Part) -> Iterator[tuple[str, Any]]:
    node = mapping(part.node)
    if KEY in node:
        yield f"{part.pointer}/{KEY}", node[KEY]


def _read(item: Any, place: str, scope: str) -> RuleException | Hit:
    if not isinstance(item, dict):
        return Hit(place, f"an exception is an object with {', '.join(_KEYS)}")
    unknown = [str(key) for key in item if key not in _KEYS]
    if unknown:
        return Hit(place, f"an exception has no `{unknown[0][:80]}`, only {', '.join(_KEYS)}")
    for key in _KEYS:
        if not isinstance(item.get(key), str) or not item[key].strip():
            return Hit(place, f"the exception says no `{key}`")
    try:
        expires = date.fromisoformat(item["expires"])
    except ValueError:
        return Hit(f"{place}/expires", "`expires` is a day written as 2027-03-31")
    return RuleException(item["rule"], item["owner"][:100], item["reason"][:2_000], expires, scope, place)
