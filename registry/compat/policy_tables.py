"""What interlock.toml may say about compatibility: the tables `[compat]` and `[[waiver]]`, one struct each."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

Owner = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Fingerprint = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Days = Annotated[int, msgspec.Meta(ge=0, le=3_650)]
Word = Literal["breaking", "risky", "safe", "undecided"]


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another severity for one rule, with who answers for it and why; both stand beside each finding.

    It is the only form in which a rule of severity *breaking* or *undecided* may be called something milder.
    """

    severity: Word
    owner: Owner
    reason: Reason

    def __post_init__(self) -> None:
        """Refuse blank answers."""
        _said(owner=self.owner, reason=self.reason)


class CompatTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How changes are judged ([policy](../guide/policy.md)).

    `profile` is a row of the table of profiles. `fail_on`: whether *risky* findings fail too, instead of what the
    profile says. `as_of` is the date (2026-11-26) on which sunsets and waivers are judged; `--as-of` wins over it,
    and without both it is the date of the run. `notice_days` must lie between the date on which something is
    deprecated and its sunset, instead of what the profile says. `severity` gives rules another severity: a word,
    or a table `{severity, owner, reason}`. `waivers` are further files of `[[waiver]]` tables, relative to
    interlock.toml.
    """

    profile: Literal["strict", "standard", "lenient"] = "standard"
    fail_on: Literal["breaking", "risky"] | None = None
    as_of: date | None = None
    notice_days: Days | None = None
    severity: dict[str, Word | Override] = {}
    waivers: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The acceptance of exact findings, until a day ([waivers](../guide/policy.md#waivers)).

    `fingerprint` is that of the finding; `expires` is the last day on which the waiver holds. `contract` narrows it
    to the contract of that name; `rule` and `what` are for readers.
    """

    fingerprint: Fingerprint
    owner: Owner
    reason: Reason
    expires: date
    contract: str | None = None
    rule: str | None = None
    what: str | None = None

    def __post_init__(self) -> None:
        """Refuse blank answers."""
        _said(owner=self.owner, reason=self.reason)


def _said(**words: str) -> None:
    for name, text in words.items():
        if not text.strip():
            raise ValueError(f"{name} is empty")
