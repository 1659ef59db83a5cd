"""What contracts of a repository are held against besides the rules themselves: its rulesets, exceptions, canon."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel.contract.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from ci.project import Project
    from registry.lint.canon import Canon
    from registry.lint.document import House
    from registry.lint.spectral.ruleset import Ruleset


class HouseRules:
    """Reads rulesets and canonical schemas once for a run; `rulesets` are further files beside interlock.toml's."""

    def __init__(self, project: Project, as_of: date | None, rulesets: Iterable[Path] = ()) -> None:
        self._project = project
        self._as_of = as_of
        self._files = (
            *((project.home / name, name) for name in project.lint.rulesets),
            *((one, str(one)) for one in rulesets),
        )
        self._canons: dict[Path, Canon] = {}

    def check(self) -> None:
        """Read what is the same for all contracts, so that a fault in it ends the run; raises `RulesetInvalid`."""
        if self._files:
            _ = self.rulesets

    @cached_property
    def rulesets(self) -> tuple[Ruleset, ...]:
        """The rulesets; raises `RulesetInvalid`."""
        from registry.lint.spectral.loading import load_ruleset  # noqa: PLC0415 - only where there are rulesets

        return tuple(load_ruleset(file, shown) for file, shown in self._files)

    def house(self, name: str, folder: Path, written: Any = None) -> House:
        """Give what holds for a contract of a name in a folder; `written` is its root with URNs as written."""
        from registry.lint.document import House  # noqa: PLC0415 - heavy: only for contracts that changed
        from registry.lint.exceptions import RuleException  # noqa: PLC0415 - as above

        table = self._project.lint
        return House(
            canon=self._canon(folder).without(name),
            severity={
                rule: None if word == "off" else Severity(word) for rule, word in table.severity.items()
            },
            exceptions=tuple(
                RuleException(one.rule, one.owner, one.reason, one.expires, scope=one.at)
                for one in table.exception
                if one.contract == name
            ),
            as_of=self._as_of,
            written=written,
            rulesets=self.rulesets,
        )

    def _canon(self, folder: Path) -> Canon:
        from registry.lint.checking import Beside  # noqa: PLC0415 - heavy, as above

        home = folder.resolve().parent.parent
        if home not in self._canons:
            self._canons[home] = Beside(folder).canon()
        return self._canons[home]
