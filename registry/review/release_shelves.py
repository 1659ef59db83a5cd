"""The shelves of what is deployed where, and of what was proven of it (registry/store: one file each)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from registry.review.evidence import Evidence
    from registry.review.release import Deployment, Environment, Release


class ReleaseShelf(Protocol):
    """Environments, releases, deployments; nothing is ever forgotten."""

    def environments(self) -> tuple[Environment, ...]:
        """Give all environments in the order in which they were entered."""

    def add_environment(self, environment: Environment) -> None:
        """Enter an environment."""

    def release(self, application: str, version: str) -> Release | None:
        """Give one release."""

    def releases(self, application: str, limit: int) -> tuple[Release, ...]:
        """Give the releases of an application, newest first."""

    def add_release(self, release: Release) -> None:
        """Enter a release."""

    def standing(self, environment: str | None = None) -> tuple[Deployment, ...]:
        """Give what is deployed now, by environment and application."""

    def history(self, environment: str, application: str | None, limit: int) -> tuple[Deployment, ...]:
        """Give the deployments that there were, newest first."""

    def ever_provided(self, environment: str, contract: str) -> bool:
        """Whether a release that provides a contract was ever deployed there."""

    def deploy(self, deployment: Deployment) -> None:
        """Enter a deployment; its `id` is ignored."""

    def end(self, deployment_id: int, at: datetime, by: str) -> None:
        """End a deployment that stands."""


class EvidenceShelf(Protocol):
    """Runs against providers; nothing is ever forgotten."""

    def add(self, evidence: Evidence) -> int:
        """Keep a run; its `id` is ignored and the new one returned."""

    def find(self, contract: str, version: str, limit: int) -> tuple[Evidence, ...]:
        """Give the runs against a version, newest first."""

    def latest(self, digest: str) -> Evidence | None:
        """Give the newest run against these bytes that counts: all operations were called, or it failed."""
