"""First act: an empty registry, contracts submitted, approved by two board members, frozen and active."""

from __future__ import annotations

import http.cookiejar
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from cli.demo.stage import DemoFailed, Stage
from cli.errors import Exit

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
MEMBER = "ines.moreau"
CANONICAL = ("patient-identity", "observation", "lab-order", "lab-result")
INTERFACES = ("lab-orders", "vitals", "clinical-events")


class BoardPages:
    """A browser without JavaScript: signs in and approves through the pages' own forms."""

    def __init__(self, url: str) -> None:
        self._url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in with a local account."""
        page = self._open("/sign-in")
        self._open("/sign-in", {**hidden_fields(page), "name": name, "password": password})

    def approve(self, review_id: int, reason: str) -> str:
        """Approve what the decision page shows, by its form; returns the page that follows."""
        path = f"/board/reviews/{review_id}"
        page = self._open(path)
        return self._open(path, {**hidden_fields(page), "act": "approve", "reason": reason})

    def _open(self, path: str, form: dict[str, str] | None = None) -> str:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self._url + path, data)  # noqa: S310 - our own registry on loopback
        if form is not None:
            request.add_header("Origin", self._url)
        try:
            with self._browser.open(request, timeout=30) as answer:
                text: str = answer.read().decode()
        except urllib.error.HTTPError as error:
            said = re.sub(r"<[^>]+>|\s+", " ", error.read().decode())
            raise DemoFailed(f"the page {path} answered {error.code}", hint=said[-600:]) from None
        return text


def hidden_fields(page: str) -> dict[str, str]:
    """Read the hidden inputs of a page: the form's token, and the digest that is being signed."""
    fields = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            fields[name[1]] = value[1]
    return fields


def play(stage: Stage, registry_url: str, laboratory_port: int) -> None:
    """Bring everything up to the first active contracts."""
    stage.chapter("1. Contracts: submitted, approved, frozen, active")
    stage.expect(stage.interlock_json("contract", "list") == [], "an empty registry")
    stage.tell("The registry is empty; its databases were just made by the migrations.")
    pages = BoardPages(registry_url)
    pages.sign_in(MEMBER, _enter_member(stage))
    for name in (*CANONICAL, *INTERFACES):
        submit_and_freeze(stage, pages, CONTRACTS / name / "1.0.0")
    stage.tell(f"{len(CANONICAL)} canonical schemas and {len(INTERFACES)} interfaces are frozen:")
    stage.note(
        "each was submitted, judged, and approved by two board members: one by command, one on the page."
    )
    stage.facts["pages"] = pages
    _connect(stage, laboratory_port)
    _admit(stage)


def submit_and_freeze(stage: Stage, pages: BoardPages, folder: Path) -> dict[str, Any]:
    """Submit one folder as the author and approve its digest twice; returns the frozen review."""
    submitted = stage.interlock_json(
        "contract", "submit", str(folder), show=folder.parent.name == "lab-orders"
    )
    review_id, digest = submitted["review_id"], submitted["digest"]
    once = stage.interlock_json(
        "review", "approve", str(review_id), "--digest", digest, "--reason", "fits the canonical model",
        code=Exit.PENDING, show=folder.parent.name == "lab-orders",
    )  # fmt: skip
    stage.expect(once["state"] == "open", "one approval to be too few", seen=once["state"])
    pages.approve(review_id, "read it on the page")
    frozen: dict[str, Any] = stage.interlock_json("review", "show", str(review_id), show=False)
    stage.expect(frozen["state"] == "frozen", f"{folder.parent.name} to be frozen", seen=frozen["state"])
    return frozen


def _enter_member(stage: Stage) -> str:
    password = secrets.token_urlsafe(16)
    file = stage.data / "tokens" / "demo-board-member.password"
    file.touch(mode=0o600)
    file.write_text(password + "\n", encoding="utf-8")
    stage.interlock("db", "account", "add", MEMBER, "--role", "board", "--password-file", str(file))
    return password


def _connect(stage: Stage, laboratory_port: int) -> None:
    base_url = f"http://127.0.0.1:{laboratory_port}"
    stage.interlock("adapter", "add", "laboratory", "--kind", "http", "--set", f"base_url={base_url}")
    stage.interlock(
        "adapter", "add", "analyzer-chem1", "--kind", "lab_hl7v2",
        "--set", "host=127.0.0.1", "--set", f"port={stage.facts['mllp_port']}",
    )  # fmt: skip
    for name, adapter in (
        ("lab-orders", "laboratory"),
        ("vitals", "laboratory"),
        ("clinical-events", "analyzer-chem1"),
    ):
        stage.interlock("route", "add", name, "1", "--adapter", adapter, show=name == "lab-orders")
        stage.interlock("route", "activate", name, "1.0.0", show=name == "lab-orders")
    stage.tell(
        "Routes took them up; a signed bundle was written, and the running proxy took it up by itself."
    )


def _admit(stage: Stage) -> None:
    for consumer in ("ehr", "ward-terminals"):
        stage.interlock("consumer", "add", consumer, show=consumer == "ehr")
        for name in ("lab-orders", "vitals"):
            stage.interlock("consumer", "grant", consumer, name, "1", show=False)
        issued = stage.interlock_json("consumer", "key", "add", consumer, show=False)
        stage.facts[consumer] = issued["presented"]
    stage.interlock("consumer", "pin", "ward-terminals", "lab-orders", "1.0.0")
    stage.interlock(
        "consumer",
        "limit",
        "set",
        "ward-terminals",
        "calls",
        "--requests",
        "60",
        "--seconds",
        "60",
        "--burst",
        "5",
    )
    stage.tell(
        "Two consumers have keys; ward-terminals is pinned to lab-orders 1.0.0 and limited to bursts of 5."
    )
