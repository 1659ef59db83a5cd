"""The pages over the real registry: real acts, SQLite, argon2; two members freeze a version, one by browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette

from kernel import settings
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.lifecycle import State
from kernel.sealing.dsse import verify_statement
from kernel.sealing.keys import KeyFolder
from registry.errors import NotAllowed
from registry.review import accounts, catalogue, decision, submission
from registry.review.model import Draft
from registry.review.principal import Principal, Role
from registry.review.services import Services
from registry.store.database import SqlStore
from registry.store.engine import sqlite_engine
from registry.store.press import FolderPress
from registry.store.upgrade import upgrade
from registry.web.app import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

PASSWORD = "correct horse battery"
LOCAL = Principal("host", frozenset(Role), via="local")
LINA = Principal("lina", frozenset({Role.AUTHOR}))
META = b"""name: bed-board
version: %s
kind: openapi
title: Beds of a ward
owner: ward-systems
domain: wards
audience: internal
systems: {consumers: [ehr], provider: bed-manager, source_of_truth: bed-manager}
sensitivity: none
urgency: routine
retry: {policy: none, max_attempts: 1}
objectives: {latency_p99_ms: 500, availability: "99.9"}
description: How many beds a ward has free.
"""
BEDS = b"""openapi: 3.1.0
info: {title: Beds, version: %s}
paths:
  /wards/{ward}/beds:
    get:
      operationId: readBeds
      parameters:
        - {name: ward, in: path, required: true, schema: {type: string}}
      responses:
        "200": {description: Free beds of the ward}
"""


class Engines:
    """Says of every change that it breaks, so that only a first version is free."""

    def lint(self, root: Any, kind: str, name: str, house: Any) -> tuple[Finding, ...]:
        return ()

    def compile(self, root: Any, kind: str, name: str) -> tuple[Finding, ...]:
        return ()

    def compare(self, old: Any, new: Any, kind: str) -> Verdict:
        broken = Finding("response-gone", Severity.BREAKING, "/paths", "an answer is gone", "`EHR` reads it")
        return Verdict(Outcome.BREAKING, Bump.MAJOR, (broken,), {"double": "1"})

    def judge(self, old: Any, new: Any, kind: str, policy: Any, **more: Any) -> Verdict:
        return self.compare(old, new, kind)

    def judge_through(self, schema: Any, user: Any, lookup: Any, policy: Any) -> Verdict | None:
        return None

    def adapter_fault(self, kind: str, settings: Any) -> str | None:
        return None


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    engine = sqlite_engine(tmp_path / "registry.db")
    upgrade(engine)
    store = SqlStore(engine)
    chosen = settings.Settings({row.name: row.default for row in settings.SETTINGS} | {"data": str(tmp_path)})
    press = FolderPress(tmp_path / "bundle", KeyFolder(tmp_path / "keys"))
    made = Services(chosen, store, lambda: datetime.now(UTC), Engines(), press)
    for name in ("amara", "jonas"):
        accounts.put_account(made, LOCAL, name=name, roles=frozenset({Role.BOARD}), password=PASSWORD)
    yield made
    store.close()


@pytest.fixture
def board(
    services: Services, serve: Callable[[Starlette], AbstractContextManager[str]]
) -> Iterator[Callable[[str], httpx.Client]]:
    """Gives a browser of somebody who has signed in through the page."""
    clients: list[httpx.Client] = []
    with serve(Starlette(routes=routes(services))) as address:

        def enter(name: str) -> httpx.Client:
            client = httpx.Client(base_url=address, trust_env=False)
            clients.append(client)
            form = {"csrf": _token(client.get("/sign-in").text), "name": name, "password": PASSWORD}
            assert client.post("/sign-in", data=form).status_code == 303
            return client

        yield enter
        for client in clients:
            client.close()


def _token(text: str) -> str:
    return re.findall(r'name="csrf" value="([^"]+)"', text)[-1]


def _submit(services: Services, version: bytes) -> int:
    done = submission.submit(services, LINA, Draft(BEDS % version, META % version, "openapi.yaml"))
    assert done.review is not None, done
    return done.review.id


def test_two_members_freeze_a_version(services: Services, board: Callable[[str], httpx.Client]) -> None:
    number = _submit(services, b"1.0.0")
    jonas = Principal("jonas", frozenset({Role.BOARD}))
    found = catalogue.review(services, number)
    decision.approve(services, jonas, number, digest=found.digest, reason="By the command line.")
    amara = board("amara")
    text = amara.get(f"/board/reviews/{number}").text
    assert "bed-board 1.0.0 is the first version of major 1" in text
    assert "1 of 2 approvals: yours freezes it" in text
    form = {"csrf": _token(text), "digest": found.digest, "act": "approve", "reason": "On the\r\npage."}
    answer = amara.post(f"/board/reviews/{number}", data=form)
    assert answer.headers["location"] == f"/board/reviews/{number}?done=approve"
    assert "the version is frozen" in amara.get(answer.headers["location"]).text
    version = catalogue.version(services, "bed-board", "1.0.0")
    assert version.state is State.FROZEN
    assert [one.reason for one in catalogue.review(services, number).approvals] == [
        "By the command line.",
        "On the\npage.",
    ]
    trust = KeyFolder(Path(services.settings["data"]) / "keys").trust().may_sign("contracts")
    signed = verify_statement(catalogue.statement(services, "bed-board", "1.0.0"), trust)
    assert f"sha256:{signed.statement.subject[0].digest['sha256']}" == found.digest
    for path in (
        "/board",
        "/board?show=all",
        "/contracts",
        "/contracts/bed-board",
        "/contracts/bed-board/1.0.0",
    ):
        assert amara.get(path).status_code == 200, path
    assert "/wards/{ward}/beds" in amara.get("/contracts/bed-board/1.0.0").text


@pytest.mark.chromium
def test_a_member_approves_in_a_browser_by_keyboard(
    page: Any, services: Services, serve: Callable[[Starlette], AbstractContextManager[str]]
) -> None:
    number = _submit(services, b"1.0.0")
    digest = catalogue.review(services, number).digest
    jonas = Principal("jonas", frozenset({Role.BOARD}))
    decision.approve(services, jonas, number, digest=digest, reason="By the command line.")
    with serve(Starlette(routes=routes(services))) as address:
        page.goto(f"{address}/board")
        page.get_by_label("Name").fill("amara")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/board")
        page.get_by_role("link", name="bed-board 1.0.0").press("Enter")
        assert digest in page.get_by_role("main").inner_text()
        page.get_by_label("Reason").fill("In test since Monday.")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Approve this digest"
        page.keyboard.press("Enter")
        page.get_by_role("status").wait_for()
        assert "completed the quorum: the version is frozen" in page.get_by_role("status").inner_text()
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{address}/board/reviews/{number}")
        assert page.url == f"{address}/sign-in?next=/board/reviews/{number}"
    assert catalogue.version(services, "bed-board", "1.0.0").state is State.FROZEN
    assert catalogue.review(services, number).approvals[-1].principal == "amara"


def test_a_break_is_shown_and_cannot_be_approved(
    services: Services, board: Callable[[str], httpx.Client]
) -> None:
    first = _submit(services, b"1.0.0")
    digest = catalogue.review(services, first).digest
    for name in ("jonas", "amara"):
        decision.approve(
            services, Principal(name, frozenset({Role.BOARD})), first, digest=digest, reason="Good."
        )
    number = _submit(services, b"1.1.0")
    amara = board("amara")
    text = amara.get(f"/board/reviews/{number}").text
    assert "bed-board 1.1.0 breaks what 1.0.0 promised, in 1 place" in text
    assert "It breaks whoever relies on 1.0.0: only a new major may." in text
    assert "<code>EHR</code> reads it." in text
    form = {
        "csrf": _token(text),
        "digest": catalogue.review(services, number).digest,
        "reason": "x",
        "act": "approve",
    }
    answer = amara.post(f"/board/reviews/{number}", data=form)
    assert answer.status_code == 409
    amara.post(f"/board/reviews/{number}", data=form | {"act": "reject", "reason": "Keep the answer."})
    assert catalogue.version(services, "bed-board", "1.1.0").state is State.REJECTED
    assert "“Keep the answer.”" in amara.get(f"/board/reviews/{number}").text


def test_an_author_on_the_board_does_not_judge_own_work(
    services: Services, board: Callable[[str], httpx.Client]
) -> None:
    both = frozenset({Role.AUTHOR, Role.BOARD})
    accounts.put_account(services, LOCAL, name="sofia", roles=both, password=PASSWORD)
    done = submission.submit(services, Principal("sofia", both), Draft(BEDS % b"1.0.0", META % b"1.0.0"))
    assert done.review is not None
    sofia = board("sofia")
    text = sofia.get(f"/board/reviews/{done.review.id}").text
    assert "You submitted this version, so others decide on it." in text
    form = {"csrf": _token(text), "digest": done.review.digest, "reason": "Mine.", "act": "approve"}
    answer = sofia.post(f"/board/reviews/{done.review.id}", data=form)
    assert answer.status_code == NotAllowed.status
    assert catalogue.review(services, done.review.id).approvals == ()


def test_sign_in_rests_after_too_many_failures(
    services: Services, board: Callable[[str], httpx.Client]
) -> None:
    client = board("jonas")
    client.cookies.clear()
    form = {"csrf": _token(client.get("/sign-in").text), "name": "amara", "password": "a guess of mine"}
    for _ in range(30):
        text = client.post("/sign-in", data=form).text
        if "Too many failed attempts." in text:
            break
        assert "The name or the password is wrong." in text
    assert "Too many failed attempts." in client.post("/sign-in", data=form | {"password": PASSWORD}).text
    assert client.get("/board").status_code == 303
