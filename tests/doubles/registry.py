"""A registry for tests: a real database, a real bundle folder and keys, and engines that say what they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.errors import InterlockError
from kernel.sealing.keys import KeyFolder
from kernel.settings import load
from registry.compat.canonical_uses import judged_through
from registry.compat.policy_judge import Policy, bump_under, outcome_under, ruling
from registry.review.model import Draft
from registry.review.principal import Principal, Role
from registry.review.services import Services
from registry.store.database import SqlStore
from registry.store.press import FolderPress

AUTHOR = Principal("ada", frozenset({Role.AUTHOR}))
BO = Principal("bo", frozenset({Role.BOARD}))
CY = Principal("cy", frozenset({Role.BOARD}))
OPERATOR = Principal("olga", frozenset({Role.OPERATOR}))
LOCAL = Principal("local", frozenset(Role), via="local")


class Clock:
    """A clock that moves only when it is asked: each look is a millisecond later."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=1)
        return self.moment


@dataclass
class FakeEngines:
    """Says what it is told: `linted`, `compiled` (or raises it), and `verdicts` in order, else by `x-break`."""

    linted: tuple[Finding, ...] = ()
    compiled: tuple[Finding, ...] | InterlockError = ()
    compared: list[tuple[Any, Any]] = field(default_factory=list)

    def lint(self, root: Any, kind: str, name: str, house: Any) -> tuple[Finding, ...]:
        return self.linted

    def compile(self, root: Any, kind: str, name: str) -> tuple[Finding, ...]:
        if isinstance(self.compiled, InterlockError):
            raise self.compiled
        return self.compiled

    def compare(self, old: Any, new: Any, kind: str) -> Verdict:
        """Judge by the extension `x-verdict` of the new document; the same document is compatible."""
        self.compared.append((old, new))
        told = new.get("x-verdict", "minor")
        if canonical_bytes(old) == canonical_bytes(new):
            return Verdict(Outcome.COMPATIBLE, Bump.NONE, (), {"fake": "1"})
        if told in {"breaking", "undecided"}:
            finding = Finding(
                "fake-rule",
                Severity(told),
                "/paths",
                "it changed",
                before={"a": 1},
                after=[1.5],
            )
            return Verdict(Outcome(told), Bump.MAJOR, (finding,), {"fake": "1"})
        return Verdict(Outcome.COMPATIBLE, Bump(told), (), {"fake": "1"})

    def judge(self, old: Any, new: Any, kind: str, policy: Policy, **more: Any) -> Verdict:
        """Judge what `compare` says under the policy; an own bump stays where nothing was found."""
        more.pop("used", None)
        more.pop("announced", None)
        verdict = self.compare(old, new, kind)
        findings = tuple(ruling(one, policy, **more) for one in verdict.findings)
        if not findings:
            return verdict
        outcome, bump = outcome_under(findings, policy.fail_on), bump_under(findings, policy.fail_on)
        return replace(verdict, outcome=outcome, required_bump=bump, findings=findings)

    def judge_through(self, schema: Any, user: Any, lookup: Any, policy: Policy) -> Verdict | None:
        """Judge a user of a schema as the real engines do."""
        return judged_through(schema, user, lookup, policy)

    def adapter_fault(self, kind: str, settings: Mapping[str, Any]) -> str | None:
        return None if kind == "http" and set(settings) <= {"base_url"} else f"no adapter kind {kind}"


def make_services(engine: Engine, folder: Path, **changes: Any) -> Services:
    """Join everything over a migrated database; `changes` replace parts of it."""
    settings = load({"data": str(folder)}, environ={})
    parts: dict[str, Any] = {
        "settings": settings,
        "store": SqlStore(engine),
        "now": Clock(),
        "engines": FakeEngines(),
        "press": FolderPress(folder / "bundle", KeyFolder(folder / "keys")),
    }
    return Services(**{**parts, **changes})


META = """\
name: {name}
version: {version}
kind: {kind}
title: Laboratory orders
owner: lab-integration
domain: laboratory
audience: {audience}
description: Order laboratory tests and read their results.
systems: {{provider: lis, consumers: [ehr], source_of_truth: lis}}
sensitivity: health
urgency: urgent
retry: {{policy: idempotent-only, max_attempts: 3}}
objectives: {{latency_p99_ms: 800, availability: "99.9"}}
"""


def openapi(
    name: str = "lab-orders", version: str = "1.0.0", audience: str = "internal", **more: Any
) -> Draft:
    """A draft of a small OpenAPI contract; `more` stands at the root of its document."""
    root = {"openapi": "3.1.0", "info": {"title": name, "version": version}, "paths": {}, **more}
    meta = META.format(name=name, version=version, kind="openapi", audience=audience)
    return Draft(canonical_bytes(root), meta.encode(), "openapi.json")


def schema(name: str = "patient-identity", version: str = "1.0.0", **more: Any) -> Draft:
    """A draft of a small canonical schema."""
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", **more}
    meta = META.format(name=name, version=version, kind="schema", audience="internal")
    return Draft(canonical_bytes(root), meta.encode(), "schema.json")


def freeze(services: Services, draft: Draft) -> Any:
    """Submit a draft and let two board members approve it; give the review at its end."""
    from registry.review import decision, submission

    done = submission.submit(services, AUTHOR, draft)
    assert done.review is not None, done.blockers
    for member in (BO, CY):
        review = decision.approve(
            services, member, done.review.id, digest=done.review.digest, reason="reviewed"
        )
    return review
