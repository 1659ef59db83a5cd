"""Third act: an analyzer delivers results; what is wrong is handed back, repaired, and taken once."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from adapters.wire.mllp.client import MllpClient
from cli.demo.opening import CONTRACTS
from cli.demo.stage import Stage

MESSAGES = CONTRACTS / "samples" / "messages"


def message(name: str) -> bytes:
    """Read a sample message; segments end with CR on the wire."""
    return (MESSAGES / f"{name}.hl7").read_bytes().replace(b"\n", b"\r")


def deliver(port: int, data: bytes, answers: int = 1) -> list[str]:
    """Send one message over MLLP as the analyzer would, and return the codes of its acknowledgements."""

    async def converse() -> list[bytes]:
        async with MllpClient("127.0.0.1", port) as analyzer:
            await analyzer.send(data)
            return [await analyzer.receive() for _ in range(answers)]

    got = asyncio.run(converse())
    return [found[1].decode() for text in got for found in [re.search(rb"\rMSA\|(\w\w)\|", text)] if found]


def play(stage: Stage, port: int) -> None:
    """Deliver, corrupt, repair."""
    stage.chapter("3. A device: durable before acknowledged, handed back when wrong")
    codes = deliver(port, message("oru-potassium"))
    stage.expect(codes == ["AA"], "AA in original mode", seen=codes)
    codes = deliver(port, message("oru-enhanced"), answers=2)
    stage.expect(codes == ["CA", "AA"], "CA and AA in enhanced mode", seen=codes)
    stage.tell("The analyzer's results were acknowledged: AA in original mode; CA, then AA in enhanced mode.")
    events = stage.interlock_json("adapter", "events")
    stage.expect(len(events) == 2, "two canonical events", seen=events)
    told = stage.interlock_json("adapter", "events", str(events[0]["id"]), "--reveal", show=False)
    stage.tell(
        f"Each became a canonical lab-result, matched its frozen schema, and was published: {_type(told)}."
    )

    codes = deliver(port, message("oru-corrupted"))
    stage.expect(bool(codes) and codes[0] in {"AE", "AR"}, "a negative acknowledgement", seen=codes)
    letters = stage.interlock_json("adapter", "dead-letters", "list")
    stage.expect(len(letters) == 1, "one dead letter", seen=letters)
    letter = letters[0]
    stage.tell(
        f"A corrupted message was answered {codes[0]} and lies in the dead letters: {letter['reason']}."
    )
    fixed = str(MESSAGES / "oru-corrupted-fixed.hl7")
    stage.interlock("adapter", "replay", str(letter["id"]), "--with", fixed)
    events = stage.interlock_json("adapter", "events", show=False)
    stage.expect(len(events) == 3, "a third event after the replay", seen=len(events))
    stage.tell("Replayed after the fix, it succeeded: a third event.")
    again = stage.interlock_refused("adapter", "replay", str(letter["id"]), "--with", fixed)
    stage.expect(
        len(stage.interlock_json("adapter", "events", show=False)) == 3, "nothing to be applied twice"
    )
    stage.tell("The same letter, replayed again, was refused: nothing is applied twice.")
    stage.note(again)


def _type(event: Any) -> str:
    found = event.get("event", event) if isinstance(event, dict) else {}
    return str(found.get("type", "result.final.v1"))
