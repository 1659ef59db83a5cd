"""Judges what two versions say of the lives of their parts: which may go, which promise nothing, which dates moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.errors import ReferenceRefused
from registry.compat.openapi_touched import text_of
from registry.compat.policy_dates import DEPRECATION, STABILITY, SUNSET, Life
from registry.compat.policy_parts import Key, Part, parts_of
from registry.compat.policy_profiles import LEVELS, Profile
from registry.compat.policy_pruning import at_pointer
from registry.compat.rules import BY_ID
from registry.compat.schema_view import Unreadable

_MARKS = (b'"deprecated"', b'"x-deprecated"', b'"x-sunset"', b'"x-deprecation"', b'"x-stability-level"')
_OF_LEVELS = frozenset({"operation", "webhook", "channel", "schema"})
MOST_LINKED = 10_000  # values that are looked at to tell whether an unstable part changed


@dataclass(slots=True)
class Lives:
    """What was found: findings, parts that may go (`over`), parts that are not compared (`unstable`).

    `waiting` are deprecated parts that are gone before their time, for the words of the finding that says so.
    """

    findings: list[Finding] = field(default_factory=list)
    over: dict[Key, Part] = field(default_factory=dict)
    unstable: dict[Key, tuple[Part, Part | None]] = field(default_factory=dict)
    waiting: dict[Key, Part] = field(default_factory=dict)


Announced = Mapping[Key, Part]  # the deprecated parts of one version that have a sunset


def announcements(root: Any) -> Announced:
    """Give what a version announces: its deprecated parts that have a sunset."""
    if not announces(root):
        return {}
    return {key: part for key, part in parts_of(root).items() if part.life.deprecated and part.life.sunset}


def lives(old: Any, new: Any, profile: Profile, as_of: date, announced: Sequence[Announced] = ()) -> Lives:
    """Compare the lives of the parts of two documents on a day; `profile` says what is promised by default.

    `announced` is what versions between the two announced: who relies on the old one had that notice too.
    """
    found = Lives()
    try:
        texts = [text_of(root) for root in (old, new)]
    except Unreadable:
        return found  # the comparison will say so
    if not any(announced) and not any(mark in text for text in texts for mark in _MARKS):
        return found
    before, after = parts_of(old, new), parts_of(new, old)
    before |= _since(old, before, announced)
    for key, part in before.items():
        silent = _still(new, key, part) if key not in after else None
        now = after.get(key) or silent
        if silent is not None:
            found.findings += _moved(part, silent)  # its end was called off
        if _promises_nothing(key, part, profile):
            found.unstable[key] = (part, now)
            found.findings += _unstable(old, new, part, now)
        elif now is None and key[0] != "schema" and _was_here(new, key, part):
            _gone(found, key, _ending(key, part, announced, as_of), profile, as_of)
    for key, now in after.items():
        if key not in found.unstable:
            ends = (before.get(key) or _still(old, key, now), now)
            told = _told(key, now, announced)
            found.findings += _changed(key, ends, profile, as_of, told=told)
    return found


def _since(old: Any, known: Mapping[Key, Part], announced: Sequence[Announced]) -> dict[Key, Part]:
    """Give the properties of the old version that only later versions speak of."""
    later = {key: part for one in announced for key, part in one.items() if key[0] == "property"}
    return {
        key: replace(part, life=Life())
        for key, part in later.items()
        if key not in known and at_pointer(old, part.pointer) is not None
    }


def _still(root: Any, key: Key, part: Part) -> Part | None:
    """Give a property that is there as well, and says nothing of its life."""
    there = key[0] == "property" and at_pointer(root, part.pointer) is not None
    return replace(part, life=Life()) if there else None


def _was_here(new: Any, key: Key, part: Part) -> bool:
    """Whether what held a part is still there, so that the part itself is gone and did not move along with it."""
    return key[0] != "property" or isinstance(at_pointer(new, part.schema), dict)


def _ending(key: Key, part: Part, announced: Sequence[Announced], as_of: date) -> Part:
    """Give a part with the life that a later version announced for it, where that is over."""
    if part.life.over(as_of):
        return part
    told = (one[key].life for one in announced if key in one)
    life = next((one for one in told if one.over(as_of)), None)
    return part if life is None else replace(part, life=replace(life, level=part.life.level))


def _told(key: Key, now: Part, announced: Sequence[Announced]) -> bool:
    """Whether an earlier version announced this end already, for that day or an earlier one."""
    ends = (one[key].life.sunset for one in announced if key in one)
    return now.life.sunset is not None and any(end is not None and end <= now.life.sunset for end in ends)


def announces(root: Any) -> bool:
    """Whether a document names any date by which it may be judged otherwise on another day."""
    try:
        text = text_of(root)
    except Unreadable:
        return True
    return b'"x-sunset"' in text or b'"x-deprecation"' in text


def _promises_nothing(key: Key, part: Part, profile: Profile) -> bool:
    return key[0] in _OF_LEVELS and part.life.level in profile.may_break


def _gone(found: Lives, key: Key, part: Part, profile: Profile, as_of: date) -> None:
    if not part.life.deprecated:
        return
    if not (profile.ends and part.life.over(as_of)):
        found.waiting[key] = part
        return
    found.over[key] = part
    what = f"{_capital(part.label)} is gone; its sunset was {part.life.sunset}"
    found.findings.append(_finding("removed-after-sunset", what, part, None, before=str(part.life.sunset)))


def _unstable(old: Any, new: Any, part: Part, now: Part | None) -> Iterator[Finding]:
    if now is not None and _linked(old, part.pointer) == _linked(new, now.pointer):
        return
    verb = "is gone" if now is None else "changed"
    what = f"{_capital(part.label)} {verb}; it is {part.life.level}, and was not compared"
    yield _finding("unstable-not-compared", what, part, now)


def _changed(
    key: Key, ends: tuple[Part | None, Part], profile: Profile, as_of: date, *, told: bool
) -> Iterator[Finding]:
    """Give what follows from the dates and the level of one part of the newer version; `told`: it was announced."""
    was, now = ends
    old = was.life if was is not None else Life()
    life, name = now.life, _capital(now.label)
    fresh = [word for word in life.unknown if word not in old.unknown]
    if fresh:
        what = f"{name}: {', '.join(f'`{word}`' for word in fresh)} cannot be read"
        yield _finding("lifecycle-value-unknown", what, was, now)
    if was is not None:
        yield from _level(key, was, now)
        yield from _moved(was, now)
    news = (life.since, life.sunset) != (old.since, old.sunset)
    if news and life.sunset is not None and life.since is not None and life.sunset < life.since:
        what = f"{name}: `{SUNSET}` {life.sunset} lies before `{DEPRECATION}` {life.since}"
        yield _finding("sunset-before-deprecation", what, was, now)
    if was is None or not life.deprecated or told:
        return
    if life.sunset is None and not old.deprecated and SUNSET not in life.unknown:
        yield _finding("sunset-missing", f"{name} is deprecated without `{SUNSET}`", was, now)
    days = profile.beta_notice_days if life.level == "beta" else profile.notice_days
    begins = life.since or as_of
    if not profile.believes_dates:
        begins = max(as_of, begins)  # nobody is told of an end before it is published
    announced = life.sunset is not None and (not old.deprecated or old.sunset is None)
    if announced and life.sunset is not None and life.sunset < begins + timedelta(days=days):
        left = (life.sunset - begins).days
        what = f"{name}: from {begins} to its sunset {life.sunset} are {left} days, and {days} are wanted"
        yield _finding("sunset-too-soon", what, was, now, after=str(life.sunset))


def _level(key: Key, was: Part, now: Part) -> Iterator[Finding]:
    if key[0] not in _OF_LEVELS or STABILITY in now.life.unknown:
        return
    old, new = was.life.level or "stable", now.life.level or "stable"
    if old == new:
        return
    rule = "stability-lowered" if LEVELS.index(new) < LEVELS.index(old) else "stability-raised"
    yield _finding(rule, f"{_capital(now.label)} was {old} and is {new}", was, now, before=old, after=new)


def _moved(was: Part, now: Part) -> Iterator[Finding]:
    old, new = was.life.sunset, now.life.sunset
    if old == new or not was.life.deprecated or SUNSET in now.life.unknown:
        return
    said = f"{_capital(now.label)}: `{SUNSET}` was {old or 'not set'} and is {new or 'not set'}"
    rule = "sunset-brought-forward" if old is not None and new is not None and new < old else "sunset-changed"
    yield _finding(rule, said, was, now, before=old and str(old), after=new and str(new))


def _linked(root: Any, pointer: str) -> bytes:
    """Give a part with everything that it refers to within its document, for comparing."""
    seen: dict[str, Any] = {}
    todo = [pointer]
    while todo and len(seen) < MOST_LINKED:
        at = todo.pop()
        if at in seen:
            continue
        try:
            seen[at] = resolve_pointer(root, at)
            todo += [local_pointer(ref, at) for ref in _references(seen[at])]
        except ReferenceRefused:
            seen[at] = None
    first = seen.pop(pointer, None)
    return canonical_bytes([first, seen])


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            yield reference
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def remark(part: Part, as_of: date, profile: Profile) -> str:
    """Say why a deprecated part may not go yet."""
    name = _capital(part.label)
    if part.life.sunset is None:
        return f"{name} was deprecated without a sunset date: it may go with the next major version only."
    if part.life.over(as_of):
        return f"The sunset of {part.label} has passed, but under the profile {profile.name} only a major ends it."
    return f"{name} may go once its sunset {part.life.sunset} has passed; this was judged as of {as_of}."


def _finding(
    name: str, what: str, was: Part | None, now: Part | None, *, before: Any = None, after: Any = None
) -> Finding:
    rule = BY_ID[name]
    return Finding.of(
        rule,
        now.pointer if now is not None else was.pointer if was is not None else "",
        what,
        base_pointer=was.pointer if was is not None else None,
        before=before,
        after=after,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
