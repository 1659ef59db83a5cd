"""What a message would become, and keep nothing: for `adapter try` and for a replay's dry run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.canonical.values import Held, Violations
from adapters.errors import MessageRefused
from adapters.identify import identify
from adapters.reasons import Fate, reason
from kernel.audit.stamps import new_id

if TYPE_CHECKING:
    from adapters.frozen_schemas import FrozenSchemas
    from adapters.message import Device, Reading

_NO_ID = "0" * 40  # ids are pseudonyms of a store, and a trial has none


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of a trial.

    `reason` is "" where the message would be taken; `documents` are canonical and hold health data;
    `checked` is False where no frozen schema was at hand; `answers` are the codes that its sender would get.
    """

    type: str
    reason: str
    location: str
    mapped: bool
    checked: bool
    violations: Violations
    documents: tuple[dict[str, Any], ...]
    answers: str


def try_message(raw: bytes, device: Device, schemas: FrozenSchemas | None) -> Trial:
    """Read, make canonical and validate one message; never raises for what a message may be."""
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    held = Held(new_id(), device.name, datetime.now(UTC), raw, digest)
    reading = device.read(raw)
    if reading.refusal is not None:
        blame = reason(reading.refusal.reason).blame
        fate: Fate = "header-refused" if blame == "header" else "body-refused"
        return _refused(device, reading, fate, reading.refusal)
    documents: tuple[dict[str, Any], ...] = ()
    violations: Violations = ()
    try:
        identity = identify(device, reading)
        if reading.mapped:
            made = device.to_canonical(reading, held, identity.profile)
            documents = tuple({**resource.document, "id": _NO_ID, "revision": 1} for resource in made)
            if schemas is not None:
                schema = schemas.find(*device.contract)
                violations = tuple(place for document in documents for place in schema.check(document))
    except MessageRefused as refused:
        return _refused(device, reading, "content-refused", refused)
    problem = MessageRefused("", reason="outside-contract") if violations else None
    codes = device.answers(reading, "content-refused" if problem else "taken", problem).codes
    return Trial(
        reading.type, problem.reason if problem else "", "", reading.mapped, schemas is not None, violations,
        documents, codes,
    )  # fmt: skip


def _refused(device: Device, reading: Reading, fate: Fate, refused: MessageRefused) -> Trial:
    codes = device.answers(reading, fate, refused).codes
    return Trial(
        reading.type, refused.reason, refused.location, reading.mapped, checked=False, violations=(),
        documents=(), answers=codes,
    )  # fmt: skip
