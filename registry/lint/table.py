"""What interlock.toml may say about lint: the table `[lint]`."""

from __future__ import annotations

from typing import Literal

import msgspec


class LintTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """House rules and rulesets of a team.

    `severity` gives rules another severity, or turns them `off`; `rulesets` are files in Spectral's format, relative
    to interlock.toml.
    """

    severity: dict[str, Literal["error", "warning", "info", "off"]] = {}
    rulesets: tuple[str, ...] = ()
