"""Conformance evidence: what a run of `interlock ci conformance` found out about a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Result = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run against one provider: exactly which bytes of a contract it was held to, how, and how it ended.

    `provider` is the URL without user, password, query and fragment; `complete` says whether every operation
    of the contract was called, in all phases; `rules` are the ids of what was found; `counts` are numbers of calls by phase.
    """

    id: int
    contract: str
    version: str
    digest: str
    provider: str
    outcome: Result
    complete: bool
    seed: int
    started_at: datetime
    seconds: float
    operations: int
    calls: int
    counts: Mapping[str, int]
    rules: tuple[str, ...]
    tools: Mapping[str, str]
    recorded_at: datetime
    recorded_by: str
