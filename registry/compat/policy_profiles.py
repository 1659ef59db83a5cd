"""The three profiles: what each makes of risky findings, of lifecycle rules, and of single rules. One row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from kernel.contract.finding import Severity

FailOn = Literal["breaking", "risky"]
Level = Literal["draft", "alpha", "beta", "stable"]
LEVELS: Final[tuple[Level, ...]] = (
    "draft",
    "alpha",
    "beta",
    "stable",
)  # from the least promise to the greatest


@dataclass(frozen=True, slots=True)
class Profile:
    """One row. Undecided findings block under every profile: none of them can say otherwise.

    `fail_on`: whether risky findings block like breaking ones, or are told only. `ends`: whether a deprecated part
    may go within a major once its sunset has passed. `may_break`: levels of stability that promise nothing.
    `notice_days` must lie between an announcement and its sunset, `beta_notice_days` for parts that are beta.
    `takes_none`: whether a canonical schema may declare compatibility NONE. `severities` replace those of rules.
    """

    name: str
    fail_on: FailOn
    ends: bool
    may_break: frozenset[Level]
    notice_days: int
    beta_notice_days: int
    takes_none: bool
    severities: Mapping[str, Severity] = field(default_factory=dict)
    # Notice counts from `x-deprecation`, also where that is past: for a tree in which nobody knows when a version came.
    believes_dates: bool = False


PROFILES: Final[tuple[Profile, ...]] = (
    Profile(
        "strict",
        fail_on="risky",
        ends=False,
        may_break=frozenset({"draft"}),
        notice_days=180,
        beta_notice_days=90,
        takes_none=False,
        severities={
            "sunset-missing": Severity.RISKY,
            "sunset-too-soon": Severity.BREAKING,
            "parameter-removed": Severity.BREAKING,
            "property-ignored": Severity.BREAKING,
            "compatibility-weakened": Severity.BREAKING,
        },
    ),
    Profile(
        "standard",
        fail_on="risky",
        ends=True,
        may_break=frozenset({"draft", "alpha"}),
        notice_days=90,
        beta_notice_days=30,
        takes_none=True,
    ),
    Profile(
        "lenient",
        fail_on="breaking",
        ends=True,
        may_break=frozenset({"draft", "alpha"}),
        notice_days=0,
        beta_notice_days=0,
        takes_none=True,
    ),
)
PROFILE: Final[Mapping[str, Profile]] = {row.name: row for row in PROFILES}
DEFAULT: Final = "standard"
