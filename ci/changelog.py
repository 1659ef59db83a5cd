"""Release notes from findings: what a version brings since the one before it, by kind of change and by operation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ci.bases import Base, BaseVersion, FolderBase, Siblings
from ci.contracts import Contract, Folder, discover, identity, read
from ci.formats.places import operation_of
from ci.formats.values import change as values_of
from ci.frozen import identities, removed
from ci.gate import Question, version_order
from kernel.contract.document import kind_of
from kernel.contract.finding import Bump, Finding, Severity
from kernel.errors import InterlockError
from registry.compat.policy_judge import judge
from registry.compat.rules import BY_ID


class Sort(StrEnum):
    """What kind of change it is; a change that breaks is told under that, whatever else it is."""

    BREAKING = "breaking"
    REMOVED = "removed"
    DEPRECATED = "deprecated"
    ADDED = "added"
    CHANGED = "changed"
    UNDECIDED = "undecided"


_NOT_ALLOWED = 4  # exit code: the registry refuses the token for everything
_SAID = frozenset({"value-no-longer-accepted", "value-newly-emitted"})
_OASDIFF = "oasdiff/"
_NAMED = re.compile(r"((?:[A-Z]+|send|receive) [^\s:]+): ")  # a sentence that begins with its operation
_VAGUE = frozenset({"schema-changed-compatibly"})
# What a rule's id ends with says what happened; the first row that fits.
_ENDINGS: tuple[tuple[tuple[str, ...], Sort], ...] = (
    (("no-longer-deprecated",), Sort.CHANGED),
    (("deprecated", "deprecation", "sunset-missing", "sunset-changed"), Sort.DEPRECATED),
    (("-added", "-taken"), Sort.ADDED),
    (
        ("-removed", "-lost", "removed-after-sunset", "-no-longer-sent", "-removed-without-deprecation"),
        Sort.REMOVED,
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `where` is the operation, channel or schema part ("" for the whole), `values` what was and is."""

    sort: Sort
    where: str
    what: str
    why: str
    values: str
    rule: str
    fingerprint: str
    waived: bool


@dataclass(frozen=True, slots=True)
class Release:
    """One version: since which (None: it is the first), what changed, or why that is not known."""

    contract: str
    version: str
    title: str
    document: str
    since: str | None
    bump: Bump
    changes: tuple[Change, ...]
    withdrawn: bool = False  # a frozen version that is not here any more
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Changelog:
    """All releases, by contract, the newest first."""

    against: str
    releases: tuple[Release, ...]

    @property
    def complete(self) -> bool:
        """Whether every version could be read and compared."""
        return not any(release.trouble for release in self.releases)


def write_changelog(question: Question, base: Base | None) -> Changelog:
    """Tell what each version below the paths brings that the base does not have; without a base, what each brings."""
    tree = discover(question.house or (question.home,), question.home)
    siblings = Siblings(tree, read)
    releases = [
        release
        for folder in discover(question.paths, question.home)
        if (release := _release(folder, base, siblings, question)) is not None
    ]
    if isinstance(base, FolderBase) and base.whole:
        gone = removed(base, identities(tree), question.scope or question.paths, question.home)
        releases += [
            Release(
                kept.name,
                str(kept.version),
                kept.name,
                finding.source or "",
                None,
                Bump.MAJOR,
                (),
                withdrawn=True,
            )
            for kept, finding in gone
        ]
    releases.sort(key=lambda one: version_order(one.version), reverse=True)
    releases.sort(key=lambda one: one.contract)
    return Changelog(base.label if base is not None else siblings.label, tuple(releases))


def _release(folder: Folder, base: Base | None, siblings: Siblings, question: Question) -> Release | None:
    shown = folder.shown(folder.document)
    name, version = folder.shown(folder.path), ""
    try:
        name, number, _, _ = identity(folder)
        version = str(number)
        contract = read(folder)
        known = base.versions(name) if base is not None else ()
        if any(one.version == number and one.digest == contract.digest for one in known):
            return None  # nothing new
        before = _before(contract, known, siblings.versions(name))
        changes, bump = _changes(contract, before, question) if before is not None else ((), Bump.NONE)
    except Exception as error:  # one contract that breaks us does not hide the others
        if isinstance(error, InterlockError) and error.exit_code == _NOT_ALLOWED:
            raise
        told = (
            str(error) if isinstance(error, InterlockError) else f"{type(error).__name__} in Interlock itself"
        )
        return Release(name, version, name, shown, None, Bump.NONE, (), trouble=folder.shown(told))
    since = None if before is None else str(before.version or before.place)
    return Release(name, version, contract.metadata.title or name, shown, since, bump, changes)


def _before(
    contract: Contract, known: Iterable[BaseVersion], siblings: Iterable[BaseVersion]
) -> BaseVersion | None:
    """Choose what a version follows: itself as it was, else the newest release before it, of any major."""
    known = tuple(known)
    for one in known:
        if one.version in {contract.version, None}:
            return one
    older = [
        one
        for one in (*siblings, *known)
        if one.version is not None and one.version < contract.version and not one.version.prerelease
    ]
    return max(older, key=lambda one: version_order(str(one.version)), default=None)


def _changes(contract: Contract, before: BaseVersion, question: Question) -> tuple[tuple[Change, ...], Bump]:
    old = before.document.root
    if kind_of(old) != contract.kind:
        what = f"The contract is of kind {contract.kind} now; before it was {kind_of(old)}"
        return (Change(Sort.BREAKING, "", what, "", "", "kinds-differ", "", waived=False),), Bump.MAJOR
    verdict = judge(
        old,
        contract.document.root,
        contract.kind,
        question.policy,
        contract=contract.name,
        settings=question.settings,
    )
    told: dict[tuple[str, str, str], Change] = {}
    for one in _once([_change(finding) for finding in verdict.findings]):
        told.setdefault((one.where, one.what, one.values), one)
    order = tuple(Sort)
    changes = sorted(told.values(), key=lambda one: (order.index(one.sort), one.where))
    return tuple(changes), verdict.required_bump


def _once(changes: list[Change]) -> list[Change]:
    """Leave out what two engines say of one change: ours is kept, but where it only says that a schema changed."""
    ours = {
        (one.where, one.sort)
        for one in changes
        if one.rule not in _VAGUE and not one.rule.startswith(_OASDIFF)
    }
    paths = {
        (where.partition(" ")[2], sort) for where, sort in ours
    }  # what they say of a path, we say of operations
    theirs = [
        one for one in changes if one.rule.startswith(_OASDIFF) and (one.where, one.sort) not in ours | paths
    ]
    told = {one.where for one in theirs if one.sort in {Sort.ADDED, Sort.CHANGED}}
    return [
        one
        for one in changes
        if one in theirs or not (one.rule.startswith(_OASDIFF) or (one.rule in _VAGUE and one.where in told))
    ]


def _change(finding: Finding) -> Change:
    named = _NAMED.match(finding.what)
    where = named[1] if named else operation_of(finding.pointer or finding.base_pointer or "")
    what = finding.what.removeprefix(f"{where}: ") if where else finding.what
    return Change(
        _sort(finding),
        where,
        what[:1].upper() + what[1:],
        _why(finding),
        _values(finding),
        finding.rule,
        finding.fingerprint,
        finding.waived,
    )


def _why(finding: Finding) -> str:
    """Say why it matters, where the sentence does not say it already."""
    if finding.severity is Severity.SAFE:
        return ""
    plain = BY_ID[finding.rule].why if finding.rule in _SAID else ""
    return finding.why.removeprefix(plain).strip()


def _values(finding: Finding) -> str:
    """Write what was and what is, where there was something and still is."""
    told = values_of(finding)
    return "" if told.startswith("null →") or told.endswith("→ null") else told


def _sort(finding: Finding) -> Sort:
    if finding.severity in {Severity.BREAKING, Severity.RISKY, Severity.ERROR}:
        return Sort.BREAKING
    if finding.severity is Severity.UNDECIDED:
        return Sort.UNDECIDED
    if finding.rule.startswith(f"{_OASDIFF}new-optional-"):
        return Sort.ADDED
    return next((sort for endings, sort in _ENDINGS if finding.rule.endswith(endings)), Sort.CHANGED)
