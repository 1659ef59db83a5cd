"""The separators of one message, as its own MSH-1 and MSH-2 say them (HL7 ch. 2.5.4); none is assumed."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import MessageRefused

MOST = 5  # component, repetition, escape, subcomponent and, since 2.7, truncation


@dataclass(frozen=True, slots=True)
class Separators:
    """One character each; an empty one means that the message cannot use that level."""

    field: str
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding(self) -> str:
        """MSH-2 in the standard's order, without quirks."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


STANDARD = Separators("|")


def read_separators(start: str) -> Separators:
    """Read the separators from the text after `MSH`; raises `MessageRefused` for anything ambiguous."""
    if not start or start[0].isalnum() or start[0].isspace():
        raise _unreadable("MSH-1 is no separator", "MSH[1]-1")
    field = start[0]
    encoding = start[1:].split(field, 1)[0].rstrip("\r\n")
    if len(encoding) == MOST and encoding[2] == encoding[3]:
        encoding = encoding[:3] + encoding[4]  # `^~\\&`: written by an escaping tool, seen in real files
    if not encoding or len(encoding) > MOST:
        raise _unreadable(f"MSH-2 has {len(encoding)} characters", "MSH[1]-2")
    if len(set(encoding)) != len(encoding) or any(sign.isalnum() or sign.isspace() for sign in encoding):
        raise _unreadable("MSH-2 repeats a separator, or uses a letter, digit or space", "MSH[1]-2")
    parts = list(encoding) + [""] * (MOST - len(encoding))
    return Separators(field, *parts)


def _unreadable(message: str, location: str) -> MessageRefused:
    return MessageRefused(message, reason="header-unreadable", location=location)
