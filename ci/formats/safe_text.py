"""Text from documents made safe for terminals, logs and pages: what cannot be seen is written out."""

from __future__ import annotations

import re
import unicodedata

# Zero-width and bidirectional marks, and whatever a terminal, a log or a page would act upon.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NO_CHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")  # and XML 1.0 §2.2 takes neither of the last two
_COMMAND = re.compile(
    r"##(?=\w*\[)|^(\s*)::"
)  # log commands: ##[…], ##vso[…], ##teamcity[…], and :: at the start


def visible(text: object, most: int = 2_000) -> str:
    r"""Write text on one line, with what cannot be seen, or would act on a terminal or log, as `\u…` escapes."""
    plain = str(text)
    if len(plain) > most:
        plain = plain[:most] + "…"
    out = "".join(
        _escaped(sign) if unicodedata.category(sign) in _UNSEEN or _NO_CHARACTER.match(sign) else sign
        for sign in plain
    )
    return _COMMAND.sub(lambda match: _broken(match[0]), out)


def _escaped(sign: str) -> str:
    if sign in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[sign]
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"  # noqa: PLR2004 - the basic plane


def _broken(command: str) -> str:
    return command.replace("##", "#\\u0023").replace("::", ":\\u003a")
