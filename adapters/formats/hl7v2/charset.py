"""Which characters the bytes of a message mean: MSH-18, then the connection's default, then a fallback."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import MessageRefused

# HL7 table 0211, and what devices write in its place. UNICODE (withdrawn) means UCS-2 on paper and
# ASCII or UTF-8 on the wire of every device seen.
CHARSETS: dict[str, str] = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1", "8859/2": "iso8859-2", "8859/3": "iso8859-3", "8859/4": "iso8859-4",
    "8859/5": "iso8859-5", "8859/6": "iso8859-6", "8859/7": "iso8859-7", "8859/8": "iso8859-8",
    "8859/9": "iso8859-9", "8859/15": "iso8859-15",
    "UNICODE": "utf-8", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8",
    "ISO IR6": "ascii", "ISO IR100": "iso8859-1", "ISO-8859-1": "iso8859-1",
    "GB 18030-2000": "gb18030", "KS X 1001": "euc-kr", "BIG-5": "big5",
    "WINDOWS-1252": "windows-1252", "CP1252": "windows-1252",
}  # fmt: skip
# Their bytes hold 0B, 1C, 0D inside characters, so no MLLP frame can carry them (MLLP release 1 §2.2).
_NOT_OVER_MLLP = frozenset({"UNICODE UTF-16", "UNICODE UTF-32", "UTF-16", "UTF-32"})
FALLBACK = "windows-1252"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message as text; `guessed` is True where neither MSH-18 nor the default fitted the bytes."""

    text: str
    codec: str
    guessed: bool


def decode(raw: bytes, declared: str, *, default: str = "utf-8", guess: bool = True) -> Decoded:
    """Turn bytes into text.

    `declared` is the first repetition of MSH-18, `default` a Python codec of the connection. Raises
    `MessageRefused` for a set that cannot travel; with `guess` off, for bytes that are not as declared.
    """
    name = " ".join(declared.upper().split())
    if name in _NOT_OVER_MLLP:
        raise MessageRefused(
            "MSH-18 is not possible over MLLP", reason="charset-unsupported", location="MSH[1]-18"
        )
    codec = CHARSETS.get(name, "")
    for candidate in (codec, default):
        if candidate:
            try:
                return Decoded(raw.decode(candidate), candidate, guessed=bool(codec) and candidate != codec)
            except UnicodeDecodeError:
                if candidate == codec and not guess:
                    raise MessageRefused(
                        "the bytes are not in the character set of MSH-18",
                        reason="charset-wrong",
                        location="MSH[1]-18",
                    ) from None
    try:
        return Decoded(raw.decode(FALLBACK), FALLBACK, guessed=True)
    except UnicodeDecodeError:  # five bytes mean nothing in windows-1252; Latin-1 takes every byte
        return Decoded(raw.decode("iso8859-1"), "iso8859-1", guessed=True)
