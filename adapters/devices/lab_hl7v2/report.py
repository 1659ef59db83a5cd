"""ORU^R01 and OUL^R22 to R24 as canonical lab-results: one for each OBR, with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from adapters.canonical.envelope import moment
from adapters.canonical.values import CanonicalResource, Held
from adapters.devices.lab_hl7v2.clock import Clock
from adapters.devices.lab_hl7v2.grouping import Group, group_reports
from adapters.devices.lab_hl7v2.observation import normalise, read_observation
from adapters.devices.lab_hl7v2.patient import patient_key, read_patient
from adapters.devices.lab_hl7v2.settings import LabSettings
from adapters.devices.lab_hl7v2.status import EVENTS, report_status, settle_report
from adapters.errors import MessageRefused
from adapters.formats.hl7v2.datatypes import concept, entity, filled
from adapters.formats.hl7v2.parse import Message, Segment
from kernel.contract.digest import digest

# MSH-9 as type^trigger. Laboratory results all: unsolicited, of specimens, of containers, of orders.
MAPPED = frozenset({"ORU", "ORU^R01", "OUL^R22", "OUL^R23", "OUL^R24"})
KIND, MAJOR = "lab-result", 1


def to_lab_results(
    message: Message, held: Held, settings: LabSettings, *, profile: str
) -> tuple[CanonicalResource, ...]:
    """Make one resource for each OBR; raises `MessageRefused` with the place of what is missing or wrong."""
    groups = group_reports(message)
    if not groups:
        raise MessageRefused("no OBR", reason="report-missing", location="OBR[1]")
    made: list[CanonicalResource] = []
    seen: dict[tuple[str, ...], int] = {}
    for group in groups:
        clock = Clock(settings.zone, settings.zone_given, settings.flag_times, held.received_at)
        resource = _resource(message, group, clock, settings, held, profile)
        # The same number and panel twice in one message are two reports, told apart by their order.
        seen[resource.key] = seen.get(resource.key, 0) + 1
        if seen[resource.key] > 1:
            key = (*resource.key, str(seen[resource.key]))
            resource = replace(resource, key=key)
        made.append(resource)
    return tuple(made)


def _resource(  # noqa: PLR0917 - one value for each thing that a report is made of
    message: Message, group: Group, clock: Clock, settings: LabSettings, held: Held, profile: str
) -> CanonicalResource:
    obr = group.obr
    code = normalise(concept(obr.field(4)), settings.codes)
    if code is None:
        raise MessageRefused("OBR-4 is empty", reason="code-missing", location=obr.at(4))
    said = report_status(obr.value(25), obr.at(25))
    lines = _observations(group, clock, settings, code, said)
    status = settle_report(said, [line["status"] for line in lines])
    patient = read_patient(group.pid)
    numbers = _numbers(group)
    content = filled(
        status=status,
        statusRaw=obr.value(25),
        numbers=numbers,
        code=code,
        patient=patient,
        specimen=_specimen(group, clock),
        notes=group.notes,
    )
    times = filled(measured=clock.read(obr, 7), recorded=clock.read(obr, 22))
    content_digest = digest([content, lines, times])
    recorded = clock.instant(obr, 22) or clock.instant(message.header, 7)
    if "recorded" not in times and (sent := clock.read(message.header, 7)) is not None:
        times["recorded"] = sent
    received = moment(held.received_at)
    flags = {*clock.flags, *_flags(message, group, patient, numbers, said, lines, times)}
    document = {
        **content,
        "times": {**times, "received": received},
        "observations": [_timed(line, times, received, place) for place, line in enumerate(lines, 1)],
        "source": _source(message, held, profile),
        **filled(quality=sorted(flags)),
    }
    return CanonicalResource(
        KIND, _key(message, held, obr, numbers, code), patient_key(patient), document, status, recorded,
        content_digest, EVENTS[status],
    )  # fmt: skip


def _observations(
    group: Group, clock: Clock, settings: LabSettings, code: dict[str, Any], said: str
) -> list[dict[str, Any]]:
    lines = []
    for obx, notes in group.observations:
        line = read_observation(obx, notes, clock, settings, report_status=said)
        if "code" not in line:  # lines of a text report: they are about what the report is about
            line["code"] = code
            clock.flags.add("observation-code-missing")
        lines.append(line)
    return lines


def _timed(line: dict[str, Any], times: dict[str, Any], received: str, place: int) -> dict[str, Any]:
    """Give a line its three times: its own, else the report's."""
    own = line.get("times", {})
    merged = {**{name: times[name] for name in ("measured", "recorded") if name in times}, **own}
    return {**line, "sequence": place, "times": {**merged, "received": received}}


def _numbers(group: Group) -> dict[str, Any]:
    def first(number: int) -> dict[str, Any] | None:
        found = entity(group.obr.field(number))
        return found or (entity(group.orc.field(number)) if group.orc else None)

    return filled(placer=first(2), filler=first(3))


def _specimen(group: Group, clock: Clock) -> dict[str, Any]:
    if not group.specimens:
        return filled(type=concept(group.obr.field(15)))
    spm = group.specimens[0]
    pair = spm.field(2)  # EIP: the placer's and the filler's id, each an EI of subcomponents
    number = pair.component(1) or pair.component(2)
    return filled(id=filled(value=number), type=concept(spm.field(4)), collectedAt=clock.read(spm, 17))


def _flags(  # noqa: PLR0917 - the facts that the flags are about
    message: Message,
    group: Group,
    patient: dict[str, Any] | None,
    numbers: dict[str, Any],
    said: str,
    lines: list[dict[str, Any]],
    times: dict[str, Any],
) -> Iterator[str]:
    if patient is None:
        yield "patient-unidentified"
    if not numbers:
        yield "order-number-missing"
    if message.charset_guessed:
        yield "charset-guessed"
    if not said or any("statusRaw" not in line for line in lines):
        yield "status-not-sent"
    if "measured" not in times and any("measured" not in line.get("times", {}) for line in lines):
        yield "measured-time-missing"
    if any(spm.value(11).upper() == "Q" for spm in group.specimens):  # HL7 table 0369: quality control
        yield "control-sample"


def _source(message: Message, held: Held, profile: str) -> dict[str, Any]:
    header = message.header
    return filled(
        connection=held.connection,
        application=header.value(3),
        facility=header.value(4),
        messageId=header.value(10),
        messageType=header.field(9).plain(),
        profile=profile,
        digest=held.digest,
    )


def _key(
    message: Message, held: Held, obr: Segment, numbers: dict[str, Any], code: dict[str, Any]
) -> tuple[str, ...]:
    """Name the report by its filler (else placer) number, whose it is, and the panel.

    A number without authority counts within its sender. Without any number the message itself is the name:
    no later revision can find it, and the result says so.
    """
    header = message.header
    sender = (held.connection, header.value(3), header.value(4))
    panel = code.get("codings", [{}])[0]
    what = (
        panel.get("system", ""),
        panel.get("code", "") or panel.get("display", "") or code.get("text", ""),
    )
    for role in ("filler", "placer"):
        if role in numbers:
            authority = numbers[role].get("authority", {})
            whose = (authority.get("id") or authority.get("namespace", ""),) if authority else sender
            return (role, numbers[role]["value"], *whose, *what)
    return ("message", *sender, header.value(10), str(obr.occurrence), *what)
