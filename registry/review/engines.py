"""The engines that judge a document: lint, the proxy's compiler, comparison, the catalogue of adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.catalog import check_settings, find
from kernel.errors import InterlockError
from kernel.operation.serving import serve
from registry.compat.canonical_uses import judged_through
from registry.compat.policy import compare
from registry.compat.policy_judge import judge
from registry.lint.document import House, lint
from registry.review.telling import finding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kernel.contract.finding import Finding, Verdict
    from kernel.contract.urn import Urn
    from kernel.settings import Settings
    from registry.compat.canonical_uses import Candidate, User
    from registry.compat.policy_judge import Policy
    from registry.compat.policy_lifecycle import Announced
    from registry.compat.policy_modes import Mode
    from registry.review.model import Kind


class HouseEngines:
    """The engines of this release (registry/review/ports.py: Engines)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def lint(self, root: Any, kind: Kind, name: str, house: House) -> tuple[Finding, ...]:
        """Judge a self-contained document."""
        return tuple(lint(root, kind, name=name, house=house))

    def compile(self, root: Any, kind: Kind, name: str) -> tuple[Finding, ...]:
        """Compile as the proxy will; what cannot be served are findings with the error's code as their rule."""
        found = serve(root, kind, name)
        return (*map(finding_of, found.faults), *found.findings)

    def compare(self, old: Any, new: Any, kind: Kind) -> Verdict:
        """Compare two self-contained documents; canonical schemas are read and written by us."""
        return compare(old, new, kind, role="both" if kind == "schema" else None, settings=self._settings)

    def judge(
        self,
        old: Any,
        new: Any,
        kind: Kind,
        policy: Policy,
        *,
        contract: str = "",
        mode: Mode | None = None,
        used: frozenset[str] = frozenset(),
        announced: Sequence[Announced] = (),
    ) -> Verdict:
        """Compare two self-contained documents of one kind, and judge the change under a policy."""
        return judge(
            old,
            new,
            kind,
            policy,
            contract=contract,
            mode=mode,
            used=used,
            announced=announced,
            settings=self._settings,
        )

    def judge_through(
        self, schema: Candidate, user: User, lookup: Callable[[Urn], Any], policy: Policy
    ) -> Verdict | None:
        """Judge a canonical schema through a contract that may use it; None where it does not."""
        return judged_through(schema, user, lookup, policy, self._settings)

    def adapter_fault(self, kind: str, settings: Mapping[str, Any]) -> str | None:
        """Say why an adapter of this kind cannot have these settings, or None."""
        try:
            check_settings(find(kind).kind, settings, name=kind)
        except InterlockError as error:
            return f"{error.message} ({error.hint})" if error.hint else error.message
        return None
