"""Tests a provider against a frozen contract: calls made up from it, every answer judged, one verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ci.conformance_choosing import choose, pruned
from ci.conformance_engine import Order, call_provider
from ci.conformance_judging import judge
from ci.conformance_plan import Plan, checked, is_loopback, without_secrets
from ci.report import ContractReport, GateReport, Status, blocks, status_of
from kernel.contract.document import Document
from kernel.contract.finding import Finding
from kernel.operation.compile import compile_contract


@dataclass(frozen=True, slots=True)
class Held:
    """The contract that a provider is held to: self-contained root, its digest in the registry, where it was read."""

    name: str
    version: str
    root: Any
    digest: str
    document: Document | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a test found; `counts` are calls by phase, `called` the operations that were called."""

    held: Held
    plan: Plan
    provider: str
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    called: int
    operations: int
    tools: Mapping[str, str]
    started_at: datetime
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """`failed`, `undecided` where something that had to be looked at was not, else `passed`."""
        words = {Status.FAILED: "failed", Status.UNDECIDED: "undecided"}
        return words.get(self.report().status, "passed")

    def evidence(self) -> dict[str, Any]:
        """Give the body under which the registry keeps the run (its contract: ConformanceRunRequest)."""
        return {
            "digest": self.held.digest,
            "provider": self.provider,
            "outcome": self.outcome,
            "seed": self.plan.seed,
            "started_at": self.started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "seconds": round(self.seconds, 3),
            "operations": self.called,
            "calls": sum(self.counts.values()),
            "counts": dict(self.counts),
            "rules": sorted({one.rule for one in self.findings if blocks(one, self.plan.fail_on)}),
            "tools": dict(self.tools),
            "phases": list(self.plan.phases),
        }

    def report(self) -> GateReport:
        """Give the run in the form that all formats of the gate render."""
        source = self.held.source or f"{self.held.name}@{self.held.version}"
        judged = ((f"{self.provider} keeps the contract", self.findings),)
        one = ContractReport(
            self.held.name, self.held.version, "openapi", source, source, Status.PASSED, judged=judged
        )
        one = replace(one, status=status_of(one, self.plan.fail_on))
        whole = GateReport(
            self.provider,
            (one,),
            dict(self.tools),
            fail_on=self.plan.fail_on,
            notes=(self._told(), *self.warnings),
        )
        words = {
            Status.FAILED: "{} does not keep {}",
            Status.UNDECIDED: "whether {} keeps {} could not be decided",
        }
        said = words.get(whole.status, "{} keeps {}").format(self.provider, one.label)
        return replace(whole, said=said)

    def _told(self) -> str:
        calls = ", ".join(f"{number} {phase}" for phase, number in self.counts.items()) or "none"
        return (
            f"{self.called} of {self.operations} operations were called; calls by phase: {calls}; "
            f"seed {self.plan.seed}, {self.seconds:.0f} s"
        )


def try_provider(held: Held, plan: Plan) -> Run:
    """Test one provider; raises `ConformanceUnusable` for a plan or contract that cannot be carried out.

    What goes wrong while testing (no answer, a crash, an operation that was never called) is a finding,
    and the outcome is then never `passed`.
    """
    parts = checked(plan)
    compiled = compile_contract(held.root, name=held.name)
    chosen, left_out, warnings = choose(compiled, plan, local=is_loopback(parts))
    kept = pruned(held.root, chosen)
    started, began = datetime.now(UTC), time.monotonic()
    order = Order(
        kept, plan.url, plan.seed, plan.examples, plan.seconds, plan.phases, plan.headers, plan.program
    )
    record = call_provider(order)
    seconds = time.monotonic() - began
    findings = tuple(one.placed(held.document) for one in judge(compiled, record, left_out))
    names = {(one.method.decode(), one.template) for one in compiled.operations}
    answered = {(call.method, call.template) for call in record.calls if call.status is not None} & names
    counts = Counter(call.phase for call in record.calls if call.status is not None)
    return Run(
        held,
        plan,
        without_secrets(parts),
        findings,
        dict(sorted(counts.items())),
        len(answered),
        len(compiled.operations),
        {"interlock": _version("interlock"), "jsonschema-rs": _version("jsonschema-rs"), **record.tools},
        started,
        seconds,
        tuple(warnings),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
