"""What the intake asks of a laboratory connection: read a message, answer it, make it canonical."""

from __future__ import annotations

from adapters.canonical.values import CanonicalResource, Held
from adapters.devices.lab_hl7v2.report import KIND, MAJOR, MAPPED, to_lab_results
from adapters.devices.lab_hl7v2.settings import LabSettings
from adapters.errors import MessageRefused
from adapters.formats.hl7v2.acknowledge import Problem, acknowledge
from adapters.formats.hl7v2.modes import Wishes, answers, wish
from adapters.formats.hl7v2.parse import DEFAULT, Limits, Message, Segment, parse, read_header
from adapters.message import Answers, Reading, SenderRule
from adapters.reasons import Fate, reason


class LabDevice:
    """One laboratory connection; holds no state but its settings."""

    def __init__(self, name: str, settings: LabSettings) -> None:
        self.name = name
        self.settings = settings
        self.contract = (KIND, MAJOR)
        self._limits = Limits(settings.limits.message_bytes, DEFAULT.segments, DEFAULT.fields)

    @property
    def profile(self) -> str:
        """Device profile for senders that no rule names."""
        return self.settings.profile

    @property
    def senders(self) -> tuple[SenderRule, ...]:
        """Who may send."""
        return self.settings.senders

    @property
    def silent_on_failure(self) -> bool:
        """Whether a failure of ours is answered by nothing."""
        return self.settings.silent

    def read(self, raw: bytes, damage: str = "") -> Reading:
        """Read as far as possible; never raises."""
        header: Segment | None = None
        message: Message | None = None
        refusal: MessageRefused | None = None
        try:
            header = read_header(raw)
            if damage:
                raise MessageRefused(reason(damage).summary, reason=damage)
            _check_header(header)
            message = parse(
                raw,
                default_charset=self.settings.default_charset,
                guess=self.settings.guess_charset,
                limits=self._limits,
            )
        except MessageRefused as refused:
            refusal = MessageRefused(refused.message, reason=damage, location="") if damage else refused
        if header is None:
            return Reading(refusal=refusal)
        kind = "^".join(part for part in (header.value(9), header.value(9, 2)) if part)
        is_acknowledgement = header.value(9) in ("ACK", "MCF") or (
            message is not None and any(message.all("MSA"))
        )
        mapped = kind in MAPPED and not is_acknowledgement
        if refusal is None and not mapped and not is_acknowledgement and not self.settings.store_unmapped:
            refusal = MessageRefused("this type is not mapped", reason="type-unmapped", location=header.at(9))
        return Reading(
            header, message, kind, header.value(10), header.value(3), header.value(4), mapped,
            is_acknowledgement, refusal,
        )  # fmt: skip

    def answers(self, reading: Reading, fate: Fate, refusal: MessageRefused | None = None) -> Answers:
        """Decide and write the acknowledgements that this message asks for."""
        header: Segment | None = reading.header
        wishes = Wishes(wish(header.raw(15)), wish(header.raw(16))) if header else Wishes(None, None)
        codes = answers(
            wishes, fate, is_acknowledgement=reading.is_acknowledgement, silent=self.settings.silent
        )
        problem = Problem(reason(refusal.reason), refusal.location) if refusal else None

        def write(code: str) -> bytes:
            negative = code[1:] in ("E", "R")
            return acknowledge(header, code, problem=problem if negative else None) if code else b""

        both = " ".join(code for code in (codes.commit, codes.application) if code)
        return Answers(write(codes.commit), write(codes.application), both)

    def to_canonical(self, reading: Reading, held: Held, profile: str) -> tuple[CanonicalResource, ...]:
        """Make lab-results; raises `MessageRefused`."""
        message: Message = reading.message
        return to_lab_results(message, held, self.settings, profile=profile)


def _check_header(header: Segment) -> None:
    if not header.value(9):
        raise MessageRefused("MSH-9 is empty", reason="type-missing", location=header.at(9))
    if not header.value(10):
        raise MessageRefused("MSH-10 is empty", reason="control-id-missing", location=header.at(10))
