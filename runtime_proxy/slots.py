"""What a supervisor remembers of each place for a worker over its workers, and how it tells of them all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_proxy.seat import Worker

_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0  # seconds before a worker that crashed again is replaced
_SETTLED: Final = 10.0  # seconds after which a worker counts as having started well


@dataclass(frozen=True, slots=True)
class Terms:
    """How long workers may take, in seconds."""

    start: float = 120.0  # until a worker says that it is ready
    silence: float = 30.0  # without a beat, then its loop hangs
    stop: float = 30.0  # to drain, then it is killed


@dataclass(slots=True)
class Slot:
    """One place for a worker."""

    crashes: int = 0  # in a row
    due: float = 0.0  # when the next worker is started, if there is none; time.monotonic()
    restarts: int = 0
    writer: str = ""  # journal of the last one: what it left open is closed by the next that uses it
    adopted_by: Worker | None = None  # who accepts for it while it is empty

    def crashed(self, worker: Worker) -> float:
        """Count the end of a worker; gives the seconds until the next one: 0 only after a good one."""
        now = time.monotonic()
        self.crashes = 1 if now - worker.since >= _SETTLED else self.crashes + 1
        self.restarts += 1
        again = self.crashes - 1
        wait = min(_FIRST_DELAY * 2 ** min(again - 1, 16), _LONGEST_DELAY) if again else 0.0
        self.due = now + wait
        return wait

    def adopt(self, number: int, workers: Sequence[Worker]) -> None:
        """Let a living neighbour accept for it while it is empty: its queue would stand still."""
        neighbour = next((one for one in workers if one.state == "ready"), None)
        if neighbour is not None and self.adopted_by is None:
            neighbour.tell("adopt", slot=number)
            self.adopted_by = neighbour

    def release(self, number: int) -> None:
        """Take its socket back from the neighbour: it has a worker again."""
        if self.adopted_by is not None:
            self.adopted_by.tell("release", slot=number)
            self.adopted_by = None


def choose_listening(workers: Sequence[Worker], former: Sequence[int]) -> None:
    """Have the device listeners run in one worker: their ports and their devices are one.

    Workers of `former` slots are about to be renewed and get none.
    """
    if any(one.listens for one in workers):
        return
    ready = [one for one in workers if one.state == "ready" and one.slot not in former]
    if ready:
        chosen = min(ready, key=lambda one: one.slot)
        chosen.listens = True
        chosen.tell("listen")


def report(workers: Sequence[Worker], slots: Sequence[Slot]) -> dict[str, Any]:
    """Describe who runs: `workers` in the order of their slots, and where device listeners are bound."""
    rows = [
        {
            "slot": one.slot + 1,
            "pid": one.pid,
            "state": one.state,
            "writer": one.writer,
            "restarts": slots[one.slot].restarts,
            "bundle": one.told.get("bundle", ""),
            "trouble": one.told.get("trouble", ""),
        }
        for one in sorted(workers, key=lambda one: (one.slot, one.since))
    ]
    listeners: dict[str, Any] = next((one.told.get("listeners", {}) for one in workers if one.listens), {})
    return {"workers": rows, "listeners": listeners}
