"""The page of what runs where, over the real registry: every cell, the question, the history; and in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from registry.review import accounts, conformance, releasing, submission
from registry.review.evidence import Evidence
from registry.review.principal import Principal, Role
from registry.review.release import Need, Provided
from registry.web.app import routes

CI = Principal("pipeline", frozenset({Role.CI}))
PASSWORD = "correct horse battery"
PATHS = {"/orders": {"get": {"operationId": "findOrders", "responses": {"200": {"description": "found"}}}}}


def deployed(
    services: Any, place: str, application: str, version: str, *, provides: str = "", needs: str = ""
) -> None:
    releasing.record_release(
        services, CI, application=application, version=version,
        provides=tuple(Provided("lab-orders", one) for one in provides.split()),
        needs=tuple(Need("lab-orders", one) for one in needs.split()),
    )  # fmt: skip
    releasing.deploy(services, CI, environment=place, application=application, version=version)


@pytest.fixture
def services(desk: Any, doubles: Any) -> Any:
    """lab-orders 1.0.0 and 1.1.0 frozen; in test the newer runs, in production the older; portal has no provider."""
    for number in ("1.0.0", "1.1.0"):
        doubles.freeze(desk, doubles.openapi(version=number, paths=PATHS))
    doubles.freeze(desk, doubles.openapi(name="lab-results", version="1.0.0", paths=PATHS))
    releasing.add_environment(desk, doubles.OPERATOR, "test", "for trying out")
    releasing.add_environment(desk, doubles.OPERATOR, "production")
    deployed(desk, "test", "lis", "8", provides="1.1.0")
    deployed(desk, "test", "ehr", "3", needs="1.0.0")
    deployed(desk, "production", "lis", "7", provides="1.0.0")
    deployed(desk, "production", "ward-board", "2", needs="1.1.0")
    releasing.record_release(
        desk, CI, application="portal", version="1", provides=(), needs=(Need("lab-results", "1.0.0"),)
    )
    releasing.deploy(desk, CI, environment="production", application="portal", version="1")
    accounts.put_account(desk, doubles.LOCAL, name="amara", roles=frozenset({Role.BOARD}), password=PASSWORD)
    return desk


@pytest.fixture
def site(services: Any, serve: Any) -> Iterator[str]:
    with serve(Starlette(routes=routes(services))) as url:
        yield url


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    import re

    with httpx.Client(
        base_url=site, follow_redirects=True, trust_env=False, headers={"Origin": site}
    ) as made:
        token = re.search(r'name="csrf" value="([^"]+)"', made.get("/sign-in").text)
        assert token is not None
        made.post(
            "/sign-in", data={"name": "amara", "password": PASSWORD, "csrf": token[1], "next": "/deployments"}
        )
        yield made


def rows(text: str) -> dict[str, list[str]]:
    """The words of each cell, by the row's head."""
    import re

    found = {}
    for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", text, re.DOTALL):
        cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"<td[^>]*>", row)]
        found[cells[0]] = cells[1:]
    return found


@pytest.mark.enable_socket
def test_the_table_says_who_provides_and_whether_needs_are_met(client: httpx.Client) -> None:
    text = client.get("/deployments").text
    found = rows(text)
    assert found["lab-orders"] == [
        "1.1.0 by lis 8 ✓ met ehr 3 relies on 1.0.0",
        "1.0.0 by lis 7 ? unknown ward-board 2 relies on 1.1.0: the two were not compared",
    ]
    assert found["lab-results"] == ["–", "? unknown portal 1 relies on 1.0.0: no provider is recorded there"]
    assert 'aria-current="page"' in text
    assert "for trying out" in text


@pytest.mark.enable_socket
def test_the_question_is_answered_with_reasons(client: httpx.Client) -> None:
    asked = {"application": "lis", "version": "8", "to": "production"}
    text = client.get("/deployments", params=asked).text
    assert "lis 8 to production" in text
    assert (
        "ward-board 2, deployed in production, relies on lab-orders 1.1.0, which lis 8 provides</li>" in text
    )
    assert "no release 9 of lis was recorded" in client.get(
        "/deployments", params={**asked, "version": "9"}
    ).text.replace("No ", "no ")
    assert (
        "There is no environment &#39;moon&#39;"
        in client.get("/deployments", params={**asked, "to": "moon"}).text
    )
    hostile = client.get("/deployments", params={**asked, "application": "<script>"}).text
    assert "<script>" not in hostile


@pytest.mark.enable_socket
def test_an_environment_shows_what_ever_ran_there(client: httpx.Client, services: Any) -> None:
    releasing.deploy(services, CI, environment="production", application="lis", version="8")
    found = client.get("/deployments/production")
    assert found.status_code == 200
    assert [found.text.count(word) for word in ("</span>ended</span>", "</span>runs</span>")] == [1, 3]
    assert client.get("/deployments/moon").status_code == 404
    assert client.get("/deployments/production/more").status_code == 404


@pytest.mark.enable_socket
def test_a_review_shows_its_conformance_runs(client: httpx.Client, services: Any, doubles: Any) -> None:
    done = submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.2.0", paths=PATHS))
    review = done.review
    at = services.now()
    conformance.keep_evidence(services, CI, Evidence(
        0, "lab-orders", "1.2.0", review.digest, "http://lis.test/api", "failed", complete=False, seed=7, started_at=at,
        seconds=2.0, operations=1, calls=40, counts={"fuzzing": 40}, rules=("conformance/server-error",), tools={"schemathesis": "4.32.5"},
        recorded_at=at, recorded_by="",
    ))  # fmt: skip
    text = client.get(f"/board/reviews/{review.id}").text
    assert "Conformance runs" in text
    assert "http://lis.test/api" in text
    assert "conformance/server-error" in text


@pytest.mark.enable_socket
@pytest.mark.chromium
@pytest.mark.parametrize("page", [True], indirect=True)
def test_the_page_is_whole_in_a_browser(page: Any, site: str, tmp_path: Path) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(f"{site}/deployments")
    page.get_by_label("Name").fill("amara")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/deployments")
    for path in (
        "/deployments",
        "/deployments/production",
        "/deployments?application=lis&version=8&to=production",
    ):
        page.goto(site + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
        assert levels[0] == 1
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length).length"
        )
        assert unnamed == 0
    page.get_by_label("Version").fill("7")
    page.get_by_label("Environment", exact=True).select_option("test")
    page.get_by_role("button", name="Ask").click()
    assert "lis 7 to test" in page.inner_text("main")
    assert said == []
