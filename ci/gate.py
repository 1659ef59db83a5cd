"""The gate: what became of frozen versions, validity, lint, canonical schemas, compatibility, version; one verdict."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ci.bases import FolderBase, Siblings
from ci.breaking import compare_with
from ci.canonical import pins
from ci.contracts import Contract, Folder, identity
from ci.errors import NoContracts
from ci.frozen import doubled, edited, moved, removed, same_files
from ci.house import HouseRules
from ci.impact import with_consumers
from ci.lint import lint_contract
from ci.numbers import contradictions
from ci.project import Project
from ci.report import ContractReport, GateReport, Status, placed, status_of
from ci.rules import found
from ci.tree import Tree, to_judge
from ci.users import directions, through_users
from ci.vain_waivers import in_vain
from kernel.contract.version import Version
from kernel.errors import InterlockError, Place
from registry.compat.policy_waivers import waived

if TYPE_CHECKING:
    from ci.bases import Base, BaseVersion, Get, Kept
    from kernel.contract.finding import Finding
    from kernel.settings import Settings
    from registry.compat.policy_judge import Policy

# States in which nobody can rely on a version. What a registry does not know is not among them: it may be the wrong one.
_NOT_SERVED = frozenset({"draft", "in-review", "rejected", "withdrawn", "retired"})
# Of a command that takes --root; the gate takes a contract's folder as its root.
_HINT = ("name the folder that holds all files (--root), or move the file below it",
         "move the file below it, or name a canonical schema by its URN")  # fmt: skip
_MOST_TOLD = 20  # folders that moved away
_MOVED = "{} moved away from what is judged: name its folder in interlock.toml, or nobody looks at it again"
_NAME_IT = "name the folder of contracts, or write it into interlock.toml"
_NOT_ALLOWED = 4  # exit code of an error: the token is refused for everything, not for one contract


@dataclass(frozen=True, slots=True)
class Question:
    """What is judged: the contracts below `paths` of the repository at `home`, all of which lie below `house`.

    What is missing is looked for below `scope` (default: `paths`). `places` say where the waivers of the policy
    stand, in their order. `get` asks a registry, where one is known. `trace` gets the traceback of a crash of ours.
    `project` says what lint is told.
    """

    home: Path
    paths: tuple[Path, ...]
    settings: Settings
    policy: Policy
    places: tuple[Place, ...] = ()
    house: tuple[Path, ...] = ()
    scope: tuple[Path, ...] = ()
    get: Get | None = None
    trace: Callable[[str], None] | None = None
    project: Project = field(default_factory=Project)


def run_gate(question: Question, base: Base | None = None) -> GateReport:
    """Judge each contract; what goes wrong with one does not hide the others.

    Without a base each contract is compared with the earlier versions in the same tree.
    """
    run = _Run(question, base)
    judged = to_judge(question.paths, question.home, question.house, base)
    reports = [run.judge(folder) for folder in (*judged, *run.moved_from(judged))]
    if isinstance(base, FolderBase) and run.is_another_state_of(base):
        reports += [run.gone(kept, finding) for kept, finding in run.removed_from(base)]
    if not reports:
        raise NoContracts("no contract lies where the gate looks", hint=_NAME_IT)
    reports.sort(key=lambda report: (report.name, version_order(report.version), report.document))
    engines: dict[str, str] = {}
    for report in reports:
        for one in report.comparisons:
            engines |= one.verdict.engines
    policy = question.policy
    made = GateReport(
        run.base.label,
        tuple(reports),
        engines,
        fail_on=policy.fail_on,
        policy=policy.described(),
        waivers=in_vain(question.home, policy, question.places, reports),
        notes=run.notes(),
        docs_url=str(question.settings["docs_url"]),
    )
    return made if question.get is None else with_consumers(made, question.get)


class _Run:
    """One run: each contract is judged with what is known of the whole tree."""

    def __init__(self, question: Question, base: Base | None) -> None:
        self._question = question
        self._rules = HouseRules(question.project, question.policy.as_of)
        self._rules.check()
        self._moved: list[Folder] = []
        frozen = base if isinstance(base, FolderBase) else None
        below = (*(question.house or (question.home,)), *question.paths)
        self._tree = Tree(question.home, below, frozen, question.get)
        self.base: Base = base if base is not None else Siblings(self._tree.folders, self._tree.read)

    def notes(self) -> tuple[str, ...]:
        """Say what a reader should know of how the run went."""
        silent = self._tree.silence
        told = [f"canonical schemas were not looked up: {silent}"] if silent else []
        told += [_MOVED.format(folder.shown(folder.path)) for folder in self._moved[:_MOST_TOLD]]
        return tuple(told)

    def is_another_state_of(self, base: FolderBase) -> bool:
        """Whether a folder is an earlier state of this very tree, so that what it lacks was removed here."""
        kept = {(row.name, row.version) for row in base.kept}
        return base.whole or not kept.isdisjoint(self._tree.places)

    def removed_from(self, base: FolderBase) -> Iterator[tuple[Kept, Finding]]:
        """Give the frozen versions of the base that are gone from the judged part of the tree."""
        question = self._question
        gone = removed(base, self._tree.places, question.scope or question.paths, question.home)
        return ((kept, finding) for kept, finding in gone if not self._free(kept.name, str(kept.version)))

    def moved_from(self, judged: Iterable[Folder]) -> list[Folder]:
        """Give the folders to which contracts of the base moved, away from what is judged."""
        base, question = self.base, self._question
        if not isinstance(base, FolderBase) or not self.is_another_state_of(base):
            return []
        everything = question.home in question.scope
        places = self._tree.places
        self._moved = moved(base, places, judged, question.paths, question.home, everything=everything)
        return self._moved

    def judge(self, folder: Folder) -> ContractReport:
        """Judge one contract; whatever happens becomes its report."""
        report = _blank(folder)
        try:
            report = _named(report, folder)
            if self._untouched(folder):
                return report
            contract = self._tree.read(folder)
        except InterlockError as error:
            return replace(report, status=Status.FAILED, error=_unreadable(folder, error))
        except Exception as error:  # noqa: BLE001 - one contract that breaks us does not hide the others
            return self._crashed(report, error)
        report = replace(report, kind=contract.kind)
        try:
            return self._judged(contract, report)
        except InterlockError as error:
            if error.exit_code == _NOT_ALLOWED:
                raise
            more = {"remedy": folder.shown(error.hint)} if error.hint else {}
            finding = found(
                "contract-not-judged", "", folder.shown(error.message), source=report.document, **more
            )
            return replace(report, status=Status.UNDECIDED, error=finding)
        except Exception as error:  # noqa: BLE001 - as above
            return self._crashed(report, error)

    def gone(self, kept: Kept, finding: Finding) -> ContractReport:
        """Report a frozen version that is not here any more."""
        policy = self._question.policy
        document, metadata = kept.folder.shown(kept.folder.document), kept.folder.shown(kept.folder.metadata)
        accepted = waived(replace(finding, source=document), policy.waivers, kept.name, policy.as_of)
        report = ContractReport(
            kept.name, str(kept.version), kept.kind, document, metadata, Status.PASSED, frozen=(accepted,)
        )
        return replace(report, status=status_of(report, policy.fail_on))

    def _judged(self, contract: Contract, report: ContractReport) -> ContractReport:
        question = self._question
        own = report.document  # in its own tree a version is no base of itself
        bases = tuple(base for base in self.base.versions(contract.name) if base.place != own)
        named = [base for base in bases if base.version == contract.version]
        same = next((base for base in named if _equal(contract, base)), named[0] if named else None)
        if same is not None and self._free(contract.name, str(contract.version)):
            bases, same = tuple(base for base in bases if base not in named), None
        alive = tuple(base for base in bases if not self._retired(contract.name, base))
        bases = self._tree.with_new(contract, alive, self.base)
        report = replace(
            report,
            frozen=self._accepted(contract, self._frozen(contract, same)),
            references=self._accepted(contract, placed(contract, self._tree.shelf.check(contract))),
        )
        if same is not None and _equal(contract, same):
            worst = status_of(report, question.policy.fail_on)
            return replace(report, status=Status.UNCHANGED if worst is Status.PASSED else worst)
        policy = question.policy.believing() if isinstance(self.base, Siblings) else question.policy
        users = self._tree.users if contract.kind == "schema" else ()
        comparisons, required, low = compare_with(
            contract, bases, policy, question.settings, used=directions(contract, users)
        )
        comparisons += through_users(contract, users, policy, question.settings)
        numbers = placed(contract, contradictions(contract, bases))
        edited_here = any(one.rule == "version-edited" for one in report.frozen)
        report = replace(
            report,
            lint=self._accepted(contract, (*numbers, *lint_contract(contract, self._rules))),
            comparisons=comparisons,
            bump=None if edited_here else low,
            required_bump=required,
        )
        return replace(report, status=status_of(report, question.policy.fail_on))

    def _free(self, name: str, version: str) -> bool:
        """Whether the registry says that nobody can rely on a version: it is not frozen yet, or retired."""
        if not isinstance(self.base, FolderBase):
            return False
        return self._tree.shelf.state(name, version) in _NOT_SERVED

    def _retired(self, name: str, base: BaseVersion) -> bool:
        if not isinstance(self.base, FolderBase) or base.version is None:
            return False
        return self._tree.shelf.state(name, str(base.version)) == "retired"

    def _accepted(self, contract: Contract, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        policy = self._question.policy
        return tuple(waived(one, policy.waivers, contract.name, policy.as_of) for one in findings)

    def _frozen(self, contract: Contract, same: BaseVersion | None) -> tuple[Finding, ...]:
        out = doubled(contract, self._tree.places[contract.name, contract.version])
        if same is None or not same.frozen or contract.version.prerelease:
            return out
        try:
            return (*out, *placed(contract, edited(contract, same)))
        except InterlockError as error:
            finding = found("base-unreadable", "", f"{same.place} cannot be read: {error}")
            return (*out, *placed(contract, (finding,)))

    def _untouched(self, folder: Folder) -> bool:
        """Whether a contract has the bytes that the base has, and uses no schema that this change touches."""
        if folder.flaw or not isinstance(self.base, FolderBase):
            return False
        name, version, _, _ = identity(folder)
        if len(self._tree.places[name, version]) > 1:
            return False
        same = next((base for base in self.base.versions(name) if base.version == version), None)
        return same is not None and same_files(folder, same) and pins(folder).isdisjoint(self._tree.touched)

    def _crashed(self, report: ContractReport, error: Exception) -> ContractReport:
        if self._question.trace is not None:
            self._question.trace(traceback.format_exc())
        what = f"{type(error).__name__} in Interlock itself while {report.label} was judged"
        finding = found("contract-not-judged", "", what, source=report.document)
        return replace(report, status=Status.UNDECIDED, error=finding)


def _unreadable(folder: Folder, error: InterlockError) -> Finding:
    place = error.place or Place()
    hint = error.hint.replace(*_HINT)
    what = folder.shown(error.message) + (f" ({hint})" if hint else "")
    return found(
        "contract-unreadable",
        place.pointer or "",
        what,
        source=folder.shown(place.source) or folder.shown(folder.document),
        line=place.line,
        column=place.column,
    )


def _equal(contract: Contract, base: BaseVersion) -> bool:
    try:
        return base.digest == contract.digest
    except InterlockError:
        return False


def _named(report: ContractReport, folder: Folder) -> ContractReport:
    if folder.flaw:
        return report
    name, version, metadata, _ = identity(folder)
    return replace(report, name=name, version=str(version), kind=metadata.kind or "")


def version_order(text: str) -> tuple[Version, str]:
    """Order versions as semver does; what is none comes first."""
    try:
        return Version.parse(text), text
    except InterlockError:
        return Version(0, 0, 0), text


def _blank(folder: Folder) -> ContractReport:
    document, metadata = folder.shown(folder.document), folder.shown(folder.metadata)
    return ContractReport(folder.shown(folder.path), "", "", document, metadata, Status.UNCHANGED)
