"""Errors of the gate: what it was pointed at cannot be used.

GateError
├── NoContracts      below the given paths there is no meta.yaml
└── BaseUnusable     what to compare against cannot be read
"""

from __future__ import annotations

from kernel.errors import InterlockError


class GateError(InterlockError):
    """The gate cannot start; it has judged nothing."""

    code = "gate-error"
    exit_code = 2


class NoContracts(GateError):
    """Below the given paths there is no contract: no folder with meta.yaml and a document."""

    code = "no-contracts"


class BaseUnusable(GateError):
    """What the contracts should be compared against cannot be read."""

    code = "base-unusable"
