"""Which segments belong to which report: ORU_R01 and OUL_R22 to R24 as one walk over the segments (ch. 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.formats.hl7v2.parse import Message, Segment

Line = tuple[Segment, list[str]]  # an OBX and the texts of the NTE that follow it


@dataclass(slots=True)
class Group:
    """One report: its OBR, and what stands around it."""

    obr: Segment
    orc: Segment | None
    pid: Segment | None
    specimens: list[Segment]
    notes: list[str] = field(default_factory=list)
    observations: list[Line] = field(default_factory=list)


class _Walk:
    """Takes segments in order; tolerant of the order that the standard does not allow and devices use."""

    def __init__(self, *, specimen_first: bool) -> None:
        self.groups: list[Group] = []
        self._specimen_first = specimen_first
        self._pid: Segment | None = None
        self._orc: Segment | None = None
        self._open = False  # whether the last group still takes segments
        self._specimens: list[Segment] = []  # of the reports to come
        self._early: list[Line] = []  # OBX of patient or specimen, before any OBR
        self._notes: list[str] = []  # where the next NTE goes

    def pid(self, segment: Segment) -> None:
        self._pid, self._orc, self._open = segment, None, False
        self._specimens, self._notes = [], []

    def orc(self, segment: Segment) -> None:
        self._orc = segment
        self._notes = []

    def obr(self, segment: Segment) -> None:
        group = Group(segment, self._orc, self._pid, list(self._specimens), observations=self._early)
        self.groups.append(group)
        self._orc, self._early, self._notes, self._open = None, [], group.notes, True

    def spm(self, segment: Segment) -> None:
        self._notes = []
        if self._open and not self._specimen_first:
            self.groups[-1].specimens.append(segment)
        else:
            self._specimens, self._open = [segment], False

    def obx(self, segment: Segment) -> None:
        line: Line = (segment, [])
        (self.groups[-1].observations if self._open else self._early).append(line)
        self._notes = line[1]

    def nte(self, segment: Segment) -> None:
        self._notes += [text for part in segment.repetitions(3) if (text := part.plain().strip())]

    def finish(self) -> list[Group]:
        if self._early and self.groups:  # OBX of a last specimen without a report of its own
            self.groups[-1].observations += self._early
        return self.groups


def group_reports(message: Message) -> list[Group]:
    """Give the reports of a message in order; none where it has no OBR.

    In OUL^R22 and R23 a specimen comes before its reports, elsewhere after them.
    """
    kind, trigger = message.header.value(9), message.header.value(9, 2)
    walk = _Walk(specimen_first=kind == "OUL" and trigger != "R24")
    steps: Mapping[str, Callable[[Segment], None]] = {
        "PID": walk.pid,
        "ORC": walk.orc,
        "OBR": walk.obr,
        "SPM": walk.spm,
        "OBX": walk.obx,
        "NTE": walk.nte,
    }
    for segment in message.segments:
        if (step := steps.get(segment.id)) is not None:
            step(segment)
    return walk.finish()
