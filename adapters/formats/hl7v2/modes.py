"""Who gets which answer: MSH-15 and MSH-16 against what became of the message (HL7 ch. 2.9).

The whole table, cell by cell, stands in docs/reference/acknowledgements.md and is the test of this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adapters.reasons import Fate

# When an answer is wanted, HL7 table 0155. An unknown word counts as AL: rather one answer too many.
Wish = Literal["AL", "NE", "ER", "SU"]

_WANTED_ON_SUCCESS = ("AL", "SU")
_WANTED_ON_ERROR = ("AL", "ER")


@dataclass(frozen=True, slots=True)
class Wishes:
    """MSH-15 and MSH-16 as read; both None is the original mode."""

    accept: Wish | None
    application: Wish | None

    @property
    def enhanced(self) -> bool:
        """Whether the enhanced mode applies: one of the two is filled (ch. 2.9.3)."""
        return self.accept is not None or self.application is not None


@dataclass(frozen=True, slots=True)
class Answers:
    """Codes of HL7 table 0008: `commit` as soon as the bytes are durable, `application` at the end."""

    commit: str = ""
    application: str = ""


def wish(text: str) -> Wish | None:
    """Read MSH-15 or MSH-16: empty and null are None."""
    word = text.strip().upper()
    if word in ("", '""'):
        return None
    return word if word in ("AL", "NE", "ER", "SU") else "AL"  # type: ignore[return-value] # narrowed by `in`


def answers(wishes: Wishes, fate: Fate, *, is_acknowledgement: bool = False, silent: bool = False) -> Answers:
    """Decide both answers; `silent` is the profile's choice to say nothing about failures of ours.

    An acknowledgement is never acknowledged in original mode: two systems would thank each other for ever.
    """
    if not wishes.enhanced:
        return Answers() if is_acknowledgement else _original(fate, silent=silent)
    if fate in ("taken", "content-refused", "failed"):
        commit = "CA" if wishes.accept in _WANTED_ON_SUCCESS else ""
        return Answers(commit, _application(wishes, fate, silent=silent))
    if fate == "not-held" and silent:
        return Answers()
    letter = "E" if fate == "body-refused" else "R"
    if wishes.accept in _WANTED_ON_ERROR:
        return Answers(commit="C" + letter)
    if wishes.application in _WANTED_ON_ERROR:  # told once, where the sender listens
        return Answers(application="A" + letter)
    return Answers()


def _original(fate: Fate, *, silent: bool) -> Answers:
    if fate in ("failed", "not-held"):
        return Answers(application="" if silent else "AR")
    code = {"taken": "AA", "header-refused": "AR"}.get(fate, "AE")
    return Answers(application=code)


def _application(wishes: Wishes, fate: Fate, *, silent: bool) -> str:
    if fate == "taken":
        return "AA" if wishes.application in _WANTED_ON_SUCCESS else ""
    if wishes.application not in _WANTED_ON_ERROR or (fate == "failed" and silent):
        return ""
    return "AE" if fate == "content-refused" else "AR"
