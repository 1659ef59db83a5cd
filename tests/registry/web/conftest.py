"""A small registry in memory behind the pages: the acts of registry/review, played by one class."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from kernel import settings
from kernel.contract.finding import Bump, Finding, Outcome, Severity
from kernel.contract.lifecycle import State
from registry.compat.policy_judge import outcome_under
from registry.compat.policy_waivers import waived
from registry.errors import Conflict, DigestMismatch, GateRefused, NotFound, NotSignedIn, RequestRefused
from registry.review import accounts, catalogue, conformance, decision, impact, waiving
from registry.review.accounts import Session
from registry.review.model import (
    Approval,
    Assessment,
    Comparison,
    Contract,
    ContractVersion,
    Hit,
    Judgement,
    Review,
    ReviewState,
    Use,
)
from registry.review.principal import Principal, Role
from registry.review.waiver import RecordedWaiver
from registry.web.app import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from registry.review.services import Services

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]
PASSWORD = "correct horse battery"
META = {
    "owner": "Laboratory integration", "domain": "laboratory", "sensitivity": "health", "urgency": "urgent",
    "title": "Laboratory orders", "systems": {"consumers": ["ehr", "ward-7"], "provider": "laboratory"},
    "retry": {"policy": "idempotent-only", "max_attempts": 3}, "objectives": {"latency_p99_ms": 400},
}  # fmt: skip


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


@dataclass
class Registry:
    """What the pages ask, answered from lists; each act keeps the promises of registry/review."""

    reviews: dict[int, Review] = field(default_factory=dict)
    versions: list[ContractVersion] = field(default_factory=list)
    documents: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    hits: tuple[Hit, ...] = ()
    sessions: dict[str, Session] = field(default_factory=dict)
    people: dict[str, frozenset[Role]] = field(default_factory=dict)
    failures: int = 0
    waived: list[RecordedWaiver] = field(default_factory=list)

    def sign_in(self, _: Services, name: str, password: str, *, source: str) -> Session:
        assert source
        if self.failures >= 5:
            raise NotSignedIn("too many failures", hint="wait a minute")
        if name not in self.people or password != PASSWORD:
            self.failures += 1
            raise NotSignedIn("name or password is wrong", hint="ask")
        token = secrets.token_urlsafe(32)
        principal = Principal(name, self.people[name], "session")
        self.sessions[token] = Session(
            principal, token, secrets.token_urlsafe(32), NOW + timedelta(hours=8), NOW
        )
        return self.sessions[token]

    def session(self, _: Services, token: str) -> Session:
        if token not in self.sessions:
            raise NotSignedIn("no session")
        return self.sessions[token]

    def sign_out(self, _: Services, token: str) -> None:
        self.sessions.pop(token, None)

    def find_reviews(
        self, _: Services, *, state: ReviewState | None = None, limit: int = 100, after: int = 0
    ) -> Any:
        found = [row for row in self.reviews.values() if row.id > after and state in {None, row.state}]
        return tuple(found[:limit])

    def review(self, _: Services, review_id: int) -> Review:
        if review_id not in self.reviews:
            raise NotFound(f"there is no review {review_id}")
        return self.reviews[review_id]

    def approve(
        self, services: Services, principal: Principal, review_id: int, *, digest: str, reason: str
    ) -> Review:
        found = self._decidable(services, principal, review_id, digest)
        if found.blockers:
            raise GateRefused("the review cannot be approved", reasons=found.blockers)
        found = replace(
            found, approvals=(*found.approvals, Approval(review_id, principal.name, digest, reason, NOW))
        )
        if found.missing == 0:
            found = replace(found, state=ReviewState.FROZEN, ended_at=NOW, ended_by=principal.name)
        self.reviews[review_id] = found
        return found

    def reject(
        self, services: Services, principal: Principal, review_id: int, *, digest: str, reason: str
    ) -> Review:
        found = self._decidable(services, principal, review_id, digest)
        ended = {
            "state": ReviewState.REJECTED,
            "ended_at": NOW,
            "ended_by": principal.name,
            "end_reason": reason,
        }
        self.reviews[review_id] = replace(found, **ended)
        return self.reviews[review_id]

    def _decidable(self, services: Services, principal: Principal, review_id: int, digest: str) -> Review:
        principal.require(Role.BOARD, act="decide")
        found = self.review(services, review_id)
        if found.state is not ReviewState.OPEN:
            raise Conflict("the review has ended")
        if digest != found.digest:
            raise DigestMismatch(
                "another document was submitted since you read the page", hint="read it again"
            )
        return found

    def contracts(
        self, _: Services, *, search: str = "", limit: int = 100, after: str = ""
    ) -> tuple[Contract, ...]:
        names = sorted({row.contract for row in self.versions})
        return tuple(self.contract(_, name) for name in names if search in name and name > after)[:limit]

    def contract(self, _: Services, name: str) -> Contract:
        rows = tuple(row for row in reversed(self.versions) if row.contract == name)
        if not rows:
            raise NotFound(f"there is no contract {name}")
        first = rows[0]
        return Contract(name, first.kind, first.title, first.owner, "laboratory", first.audience, NOW, rows)

    def version(self, _: Services, name: str, number: str) -> ContractVersion:
        for row in self.versions:
            if (row.contract, row.version) == (name, number):
                return row
        raise NotFound(f"there is no {name} {number}")

    def document(self, _: Services, name: str, number: str, form: str = "submitted") -> tuple[bytes, str]:
        assert form in {"submitted", "canonical"}
        return self.documents[name, number]

    def who_is_hit(self, _: Services, contract: str, major: int) -> tuple[Hit, ...]:
        return tuple(hit for hit in self.hits if (hit.contract, hit.major) == (contract, major))

    def waivers(self, _: Services, contract: str) -> tuple[RecordedWaiver, ...]:
        return tuple(one for one in self.waived if one.contract == contract)

    def waive(self, _: Services, principal: Principal, found: Review, **told: Any) -> RecordedWaiver:
        principal.require(Role.BOARD, act="waive a finding")
        if not told["owner"]:
            raise RequestRefused(
                "an owner is one line of at most 100 characters", hint="say who answers for it"
            )
        row = found.assessment.comparisons[0]
        (finding,) = [one for one in row.findings if one.fingerprint == told["fingerprint"]]
        made = RecordedWaiver(
            len(self.waived) + 1, found.contract, rule=finding.rule, what=finding.what, review_id=found.id,
            recorded_at=NOW, recorded_by=principal.name, **told,
        )  # fmt: skip
        self.waived.append(made)
        rules = [one.as_rule for one in self.waived]
        findings = tuple(waived(one, rules, found.contract, NOW.date()) for one in row.findings)
        row = replace(row, findings=findings, outcome=outcome_under(findings, "risky"))
        assessment = replace(found.assessment, comparisons=(row,))
        left = found.blockers if row.outcome is Outcome.BREAKING else ()
        self.reviews[found.id] = replace(found, assessment=assessment, blockers=left)
        return made


def review(
    number: int, version: str, outcome: Outcome | None, findings: tuple[Finding, ...] = (), **more: Any
) -> Review:
    compared = () if outcome is None else (
        Comparison("1.0.0", _digest(1), outcome, Bump.MAJOR if outcome is Outcome.BREAKING else Bump.MINOR,
                   Bump.MINOR, findings, {"oasdiff": "1.33.0", "jsonschema-rs": "0.60.3"}),
    )  # fmt: skip
    advice = Finding("meta-objectives-missing", Severity.WARNING, "/objectives", "No availability objective is named",
                     remedy="write objectives.availability into meta.yaml")  # fmt: skip
    values: dict[str, Any] = {
        "id": number, "contract": "lab-orders", "version": version, "kind": "openapi", "digest": _digest(number + 10),
        "state": ReviewState.OPEN, "author": "lina", "authors": ("lina",), "submitted_at": NOW - timedelta(hours=3),
        "metadata": META, "assessment": Assessment((advice,), compared), "approvals": (), "quorum": 2,
    }  # fmt: skip
    return Review(**(values | more))


BREAKING = (
    Finding(
        "request-property-became-required", Severity.BREAKING, "/components/schemas/Order/required",
        "The request now requires `specimen_type`", "Callers of 1.0.0 do not send it, and would be refused.",
        "Make it optional, or submit 2.0.0.", before=["patient", "code"], after=["patient", "code", "specimen_type"],
        witness={"patient": "p-1", "code": "GLU"}, has_witness=True, direction="request", engine="oasdiff",
    ),
    Finding(
        "response-enum-value-added", Severity.RISKY, "/components/schemas/Status/enum",
        "Answers may now hold `on-hold`", "A consumer that lists all values may not know it.", direction="response",
    ),
    Finding("operation-added", Severity.SAFE, "/paths/~1orders~1{id}/delete", "An operation was added"),
)  # fmt: skip


USED = Judgement(
    {"profile": "strict", "fail_on": "risky", "as_of": "2026-11-21", "mode": "BACKWARD"},
    (Use("lab-orders", "1.0.0", ("emits",), Outcome.BREAKING, BREAKING[:1]),),
)


def _version(contract: str, number: str, state: State, **more: Any) -> ContractVersion:
    values: dict[str, Any] = {
        "kind": "openapi", "digest": _digest(7), "audience": "internal", "title": "Laboratory orders",
        "owner": "Laboratory integration", "metadata": META, "author": "lina", "review_id": 1,
        "submitted_at": NOW - timedelta(days=40), "frozen_at": NOW - timedelta(days=39),
    }  # fmt: skip
    return ContractVersion(contract, number, state=state, **(values | more))


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with a compatible, a breaking, a first and an ended review, and two contracts."""
    made = Registry()
    made.people = {
        "amara": frozenset({Role.BOARD}), "jonas": frozenset({Role.BOARD, Role.AUDITOR}),
        "lina": frozenset({Role.AUTHOR, Role.BOARD}), "otto": frozenset({Role.OPERATOR}),
    }  # fmt: skip
    blockers = ("it breaks whoever relies on 1.0.0: only a new major may",)
    one = Approval(
        1, "jonas", _digest(11), "Additive, and the laboratory has it in test.", NOW - timedelta(hours=1)
    )
    rows = (
        review(1, "1.1.0", Outcome.COMPATIBLE, BREAKING[2:], approvals=(one,)),
        review(2, "1.2.0", Outcome.BREAKING, BREAKING, blockers=blockers),
        review(3, "1.0.0", None, contract="vitals", metadata=META | {"title": "Vital signs"}),
        review(
            4,
            "1.3.0",
            Outcome.UNDECIDED,
            (),
            state=ReviewState.REJECTED,
            ended_by="jonas",
            end_reason="Split it.",
        ),
        replace(schema := review(5, "1.1.0", Outcome.COMPATIBLE, kind="schema", contract="unit"),
                assessment=replace(schema.assessment, judgement=USED)),
    )  # fmt: skip
    made.reviews = {row.id: row for row in rows}
    made.hits = (Hit("c-1", "Ward 7", "lab-orders", 1, "1.0.0"), Hit("c-2", "EHR", "lab-orders", 1, None))
    made.versions = [
        _version("lab-orders", "1.0.0", State.FROZEN, active=True),
        _version("lab-orders", "1.1.0", State.IN_REVIEW, frozen_at=None),
        _version("patient-identity", "1.0.0", State.FROZEN, kind="schema", title="Patient identity"),
        _version("clinical-events", "1.0.0", State.DEPRECATED, kind="asyncapi", title="Clinical events"),
    ]
    samples = {
        ("lab-orders", "1.0.0"): "lab-orders/1.0.0/openapi.yaml", ("lab-orders", "1.1.0"): "lab-orders/1.1.0/openapi.yaml",
        ("patient-identity", "1.0.0"): "patient-identity/1.0.0/schema.json",
        ("clinical-events", "1.0.0"): "clinical-events/1.0.0/asyncapi.yaml",
    }  # fmt: skip
    for key, path in samples.items():
        data = next(
            found for found in (ROOT / "contracts").rglob(path.rsplit("/", 1)[1]) if str(found).endswith(path)
        )
        made.documents[key] = (data.read_bytes(), "yaml" if path.endswith("yaml") else "json")
    for module, names in (
        (accounts, ("sign_in", "session", "sign_out")), (decision, ("approve", "reject")), (impact, ("who_is_hit",)),
        (catalogue, ("review", "contracts", "contract", "version", "document")), (waiving, ("waive", "waivers")),
    ):  # fmt: skip
        for name in names:
            monkeypatch.setattr(module, name, getattr(made, name))
    monkeypatch.setattr(catalogue, "reviews", made.find_reviews)
    monkeypatch.setattr(conformance, "evidence", lambda *_, **__: ())
    return made


@pytest.fixture
def app(registry: Registry) -> Starlette:
    chosen = settings.Settings({row.name: row.default for row in settings.SETTINGS})
    services: Any = SimpleNamespace(
        settings=chosen, now=lambda: NOW
    )  # the acts behind are played by Registry
    return Starlette(routes=routes(services))


@contextlib.contextmanager
def _served(app: Starlette) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        with contextlib.suppress(OSError):
            listener.close()


@pytest.fixture
def serve() -> Callable[[Starlette], contextlib.AbstractContextManager[str]]:
    """Serve an application on a real port of loopback."""
    return _served


@pytest.fixture
def served(app: Starlette) -> Iterator[str]:
    """The pages on a real port of loopback."""
    with _served(app) as address:
        yield address


@pytest.fixture
def browser(served: str) -> Iterator[httpx.Client]:
    """Somebody without a session."""
    with httpx.Client(base_url=served, trust_env=False) as client:
        yield client


@pytest.fixture
def signed_in(browser: httpx.Client, registry: Registry) -> Callable[[str], tuple[httpx.Client, str]]:
    """Sign in as somebody: gives the client and the session's form token."""

    def enter(name: str) -> tuple[httpx.Client, str]:
        session = registry.sign_in(None, name, PASSWORD, source="127.0.0.1")  # type: ignore[arg-type]
        browser.cookies.set("interlock_session", session.token)
        return browser, session.csrf

    return enter


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page of Chromium; without JavaScript unless a test asks for it."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(java_script_enabled=getattr(request, "param", False))
        opened = context.new_page()
        opened.set_default_timeout(30_000)
        yield opened
        browser.close()
