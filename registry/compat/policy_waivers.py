"""Waivers: which findings are accepted by whom, until when, and which waivers accept nothing any longer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from kernel.contract.finding import Finding, Severity
from kernel.errors import Place
from registry.compat.policy_tables import Waiver
from registry.compat.rules import BY_ID

NOTHING_TO_WAIVE = frozenset({Severity.SAFE, Severity.INFO})
NEVER = frozenset({"waiver-expired", "waiver-stale", "version-too-low"})  # they follow from others


def waived(finding: Finding, waivers: Iterable[Waiver], contract: str, as_of: date) -> Finding:
    """Give the finding with the waiver that accepts it on that day, or as it is."""
    if finding.severity in NOTHING_TO_WAIVE or finding.rule in NEVER:
        return finding
    held = (one for one in waivers if _fits(one, finding, contract) and as_of <= one.expires)
    waiver = max(held, key=lambda one: (one.expires, one.owner, one.reason), default=None)
    if waiver is None:
        return finding
    declared = finding.ruling["severity"] if finding.ruling else str(finding.severity)
    return replace(
        finding,
        ruling={
            "by": "waiver",
            "severity": declared,
            "reason": waiver.reason,
            "owner": waiver.owner,
            "expires": str(waiver.expires),
            "waiver": waiver.fingerprint,
        },
    )


def waiver_faults(
    waivers: Sequence[Waiver],
    judged: Mapping[str, Iterable[Finding]],
    as_of: date,
    places: Sequence[Place] = (),
) -> tuple[Finding, ...]:
    """Give a finding for each waiver that expired, or that no finding of the judged contracts needs.

    `judged` holds the findings of every contract that was looked at, by name. A waiver for a contract that was not
    looked at is left alone.
    """
    found = []
    for index, waiver in enumerate(waivers):
        place = places[index] if index < len(places) else None
        if waiver.contract is not None and waiver.contract not in judged:
            continue
        named = judged if waiver.contract is None else {waiver.contract: judged[waiver.contract]}
        label = waiver.fingerprint + (f" ({waiver.contract})" if waiver.contract else "")
        if waiver.expires < as_of:
            what = f"The waiver of {label} by {waiver.owner} held until {waiver.expires}; this is {as_of}"
            found.append(_fault("waiver-expired", what, waiver, place))
        elif not any(
            _fits(waiver, one, name) and one.severity not in NOTHING_TO_WAIVE and one.rule not in NEVER
            for name, rows in named.items()
            for one in rows
        ):
            what = f"The waiver of {label} by {waiver.owner} matches no finding" + _why_not(waiver, named)
            found.append(_fault("waiver-stale", what, waiver, place))
    return tuple(found)


def _why_not(waiver: Waiver, judged: Mapping[str, Iterable[Finding]]) -> str:
    """Say what a waiver matches that cannot be waived, where that is what went wrong."""
    for name, rows in judged.items():
        for one in rows:
            if _fits(waiver, one, name):
                why = (
                    "which needs no waiver" if one.severity in NOTHING_TO_WAIVE else "which cannot be waived"
                )
                return f" but one of {one.rule}, {why}"
    return ""


def _fits(waiver: Waiver, finding: Finding, contract: str) -> bool:
    return waiver.fingerprint == finding.fingerprint and waiver.contract in {None, contract}


def _fault(name: str, what: str, waiver: Waiver, place: Place | None) -> Finding:
    rule = BY_ID[name]
    return Finding.of(
        rule,
        "",
        what,
        before=waiver.fingerprint,
        after=waiver.contract,
        source=place.source if place else None,
        line=place.line if place else None,
        column=1 if place and place.line else None,
    )
