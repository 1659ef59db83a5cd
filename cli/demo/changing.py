"""Fourth act: a breaking candidate is refused with its findings; a compatible one goes live beside the old."""

from __future__ import annotations

from cli.demo.calling import call, order
from cli.demo.opening import CONTRACTS, submit_and_freeze
from cli.demo.stage import Stage
from cli.output import counted

_MOST_SHOWN = 3


def play(stage: Stage, port: int) -> None:
    """Submit both candidates."""
    stage.chapter("4. Change: what breaks a consumer does not get through")
    refused = stage.interlock_json(
        "contract", "submit", str(CONTRACTS / "samples" / "lab-orders-breaking"), code=1
    )
    against = refused["assessment"]["comparisons"][0]
    breaking = [finding for finding in against["findings"] if finding["severity"] == "breaking"]
    stage.expect(
        against["verdict"] == "breaking" and bool(breaking), "a breaking verdict", seen=against["verdict"]
    )
    stage.tell(
        f"The candidate 1.1.0-rc.1 breaks whoever relies on {against['base_version']}: "
        f"{counted(len(breaking), 'finding')}."
    )
    stage.note(f"engines: {_engines(against)}")
    for finding in breaking[:_MOST_SHOWN]:
        stage.note(f"{finding['rule']} at {finding['pointer']}: {finding['what']}")
    if len(breaking) > _MOST_SHOWN:
        stage.note(f"… and {len(breaking) - _MOST_SHOWN} more")
    if refused.get("review_id"):
        stuck = stage.interlock_refused(
            "review",
            "approve",
            str(refused["review_id"]),
            "--digest",
            refused["digest"],
            "--reason",
            "we like it",
        )
        stage.tell("Even a board member cannot approve it:")
        stage.note(stuck)

    submit_and_freeze(stage, stage.facts["pages"], CONTRACTS / "lab-orders" / "1.1.0")
    stage.interlock("route", "activate", "lab-orders", "1.1.0")
    key, pinned = stage.facts["ehr"], stage.facts["ward-terminals"]
    serves = "lab-orders@1.1.0"
    stage.wait_until("1.1.0 to be served", lambda: _version(port, key).startswith(serves))
    placed = call(port, "POST", "/lab-orders/v1/orders", key=key, body=order("ORD-20400"))
    number = placed.problem()["orderId"]
    cancelled = call(
        port, "PUT", f"/lab-orders/v1/orders/{number}/cancellation", key=key, body={"reason": "duplicate"}
    )
    stage.expect(
        cancelled.status == 200, "the new operation of 1.1.0 to work", seen=(cancelled.status, cancelled.body)
    )
    stage.wait_until(
        "the limit of ward-terminals to have room",
        lambda: call(port, "GET", "/lab-orders/v1/orders", key=pinned).status == 200,
    )
    held = stage.wait_until("room again", lambda: _pinned_answer(port, pinned, number))
    stage.expect(held == 404, "the new operation to be unknown to a pinned consumer", seen=held)
    stage.tell(
        "1.1.0 is frozen and active, without a restart: ehr uses its new operation, pinned ward-terminals stay on 1.0.0."
    )


def _version(port: int, key: str) -> str:
    return call(port, "GET", "/lab-orders/v1/orders", key=key).headers.get("x-interlock-contract", "")


def _pinned_answer(port: int, key: str, number: str) -> int | None:
    path = f"/lab-orders/v1/orders/{number}/cancellation"
    status = call(port, "PUT", path, key=key, body={"reason": "duplicate"}).status
    return None if status == 429 else status


def _engines(against: dict[str, object]) -> str:
    engines = against["engines"]
    return (
        ", ".join(f"{name} {version}" for name, version in engines.items())
        if isinstance(engines, dict)
        else ""
    )
