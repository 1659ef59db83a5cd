"""Waivers that stand in vain: over, or needed by nothing that was judged; each fails the gate where it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ci.report import ContractReport, Status
from kernel.contract.finding import Finding
from kernel.errors import Place
from registry.compat.policy_judge import Policy
from registry.compat.policy_waivers import waiver_faults


def in_vain(
    home: Path, policy: Policy, places: Sequence[Place], reports: Sequence[ContractReport]
) -> tuple[ContractReport, ...]:
    """Report the waivers that are over or stale, by the file that holds them.

    Only contracts that were judged can show a waiver to be stale: for one that is unchanged nothing was looked for.
    One that names no contract is stale only where every contract was judged.
    """
    judged: dict[str, list[Finding]] = {}
    for report in reports:
        if report.status is not Status.UNCHANGED and report.error is None:
            judged.setdefault(report.name, []).extend(report.findings())
            for one in report.comparisons:
                if one.through:  # such findings are waived in the name of the contract in which they show
                    judged.setdefault(one.through.split(" ")[0], []).extend(one.verdict.findings)
    whole = all(report.status is not Status.UNCHANGED for report in reports)
    kept = [
        (waiver, place)
        for waiver, place in zip(policy.waivers, (*places, *[Place()] * len(policy.waivers)), strict=False)
        if whole or waiver.contract is not None or waiver.expires < policy.as_of
    ]
    faults = waiver_faults([row[0] for row in kept], judged, policy.as_of, [row[1] for row in kept])
    files: dict[str, list[Finding]] = {}
    for fault in faults:
        shown = (fault.source or "interlock.toml").replace(f"{home}/", "")
        files.setdefault(shown, []).append(replace(fault, source=shown))
    return tuple(
        ContractReport(file, "", "", file, file, Status.FAILED, waivers=tuple(found))
        for file, found in sorted(files.items())
    )
