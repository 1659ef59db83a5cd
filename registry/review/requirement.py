"""Whose versions freeze only with conformance evidence: the setting `require_conformance`, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kernel.errors import SettingsError

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.review.model import Review
    from registry.review.ports import Ledger

EVERYTHING: Final = "*"
_DOMAIN: Final = "domain:"


def required_of(settings: Settings) -> frozenset[str]:
    """Read the setting `require_conformance`; raises `SettingsError` for an entry that could match nothing."""
    entries = [entry.strip() for entry in str(settings["require_conformance"]).split(",") if entry.strip()]
    for entry in entries:
        name = entry.removeprefix(_DOMAIN)
        if entry != EVERYTHING and (not name.strip() or (":" in entry and not entry.startswith(_DOMAIN))):
            raise SettingsError(
                f"require_conformance: {entry[:80]!r} is neither a contract, nor domain:NAME, nor *",
                hint="write entries with commas between: lab-orders, domain:laboratory",
            )
    return frozenset(entries)


def missing_evidence(settings: Settings, ledger: Ledger, review: Review) -> tuple[str, ...]:
    """Say why a review lacks the evidence that its contract or domain must have; empty where it lacks none."""
    domain = str(review.metadata.get("domain") or "")
    wanted = required_of(settings) & {EVERYTHING, review.contract, f"{_DOMAIN}{domain}"}
    if not wanted or review.kind != "openapi":
        return ()
    whose = f"the domain {domain}" if f"{_DOMAIN}{domain}" in wanted else "this contract"
    run = f"`interlock ci conformance URL --contract {review.contract}@{review.version} --record`"
    found = ledger.evidence.latest(review.digest)
    if found is None:
        text = f"no provider was tested in every operation against this digest: {run}"
    elif found.outcome == "passed":
        return ()
    else:
        ended = "failed" if found.outcome == "failed" else "was undecided"
        newest = f"number {found.id}, {found.recorded_at.date().isoformat()}, {found.provider}"
        text = f"the newest run ({newest}) {ended}: mend it, then {run}"
    return (f"{whose} requires conformance evidence, and {text}",)
