"""Takes a dead letter through the intake again: after the fix, once, and never when a resend was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.canonical.reading import DeadLetter, Reading
from adapters.errors import ReplayRefused
from kernel.audit.record import act_record

if TYPE_CHECKING:
    from adapters.canonical.values import Settled
    from adapters.intake import AuditLog, Intake
    from adapters.message import Device

_DONE = ("published", "unchanged", "stored-only")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay led to: `message` is the id of the new inbox row."""

    letter: str
    message: str
    settled: Settled


def replayable(reading: Reading, letter_id: str) -> DeadLetter:
    """Give a dead letter that may be replayed; raises `ReplayRefused` with the reason."""
    letter = reading.letter(letter_id)
    if letter.state == "replayed":
        raise ReplayRefused(
            f"dead letter {letter.id} was replayed before", hint=f"see message {letter.replayed_by}"
        )
    if letter.state == "superseded":
        raise ReplayRefused(
            f"dead letter {letter.id}: its sender sent the message again and it was taken",
            hint="nothing to do: replaying it would apply it twice",
        )
    return letter


async def replay(
    intake: Intake,
    device: Device,
    letter: DeadLetter,
    *,
    audit: AuditLog,
    actor: str,
    corrected: bytes | None = None,
) -> Replayed:
    """Run a dead letter, or its corrected form, through the whole path; nobody gets an acknowledgement.

    The act is in the audit log before anything happens. Raises `ReplayRefused` when the message is
    refused again (the dead letter stays open), or was taken since.
    """
    original = await intake.store.read(letter.id)
    raw = original.raw if corrected is None else corrected
    act = act_record(
        actor=actor,
        act="dead-letter-replayed",
        subject=letter.id,
        adapter=letter.connection,
        subject_digest=letter.digest,
        detail={"corrected": int(corrected is not None)},
    )
    await audit.append(act)
    held = await intake.store.hold(letter.connection, raw, replay_of=letter.id)
    settled = await intake.settle(held, device, None)
    if settled.state not in _DONE:
        why = (settled.record or {}).get("reason", settled.state)
        raise ReplayRefused(
            f"dead letter {letter.id} was not taken: {why}",
            hint="correct it and use --with FILE; what each reason means: docs/reference/acknowledgements.md",
        )
    return Replayed(letter.id, held.id, settled)
