"""Errors of the gate: what it was pointed at cannot be used.

GateError
├── NoContracts        below the given paths there is no meta.yaml
├── BaseUnusable       what to compare against cannot be read
├── ConformanceUnusable  the provider cannot be tested
├── ApplicationUnusable  an application gives no OpenAPI document
├── ProjectUnreadable  interlock.toml is no TOML
└── ProjectInvalid     interlock.toml has an unknown key, or a value without legal meaning
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


class ProjectUnreadable(GateError):
    """interlock.toml, or a file of waivers that it names, cannot be read as TOML in UTF-8."""

    code = "project-unreadable"


class ProjectInvalid(GateError):
    """interlock.toml, or a file of waivers that it names, has an unknown key or a value without legal meaning."""

    code = "project-invalid"


class ConformanceUnusable(GateError):
    """The provider cannot be tested: schemathesis, the contract or the credentials are not there."""

    code = "conformance-unusable"


class ApplicationUnusable(GateError):
    """The application's own OpenAPI document cannot be had: it does not load, does not answer, or gives none."""

    code = "application-unusable"
