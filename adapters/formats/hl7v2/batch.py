"""Files of several messages (HL7 ch. 2.10.3): FHS, BHS, MSH …, BTS, FTS, or messages one after another."""

from __future__ import annotations

import re

from adapters.errors import MessageRefused

MOST = 100_000  # messages of one file
_START = re.compile(rb"(?:\A|(?<=[\r\n]))(?=MSH[^A-Za-z0-9\s])")
_TRAILER = re.compile(rb"(?:\A|[\r\n])BTS.(\d+)")


def split_messages(data: bytes) -> list[bytes]:
    """Cut a file into its messages, bytes unchanged; raises `MessageRefused` where BTS-1 counts otherwise.

    What stands before the first MSH and is no batch header is left out (comments of sample files).
    """
    text = data.removeprefix(b"\xef\xbb\xbf")
    starts = [found.start() for found in _START.finditer(text)]
    if len(starts) > MOST:
        raise MessageRefused(f"more than {MOST} messages in one file", reason="message-too-large")
    ends = [*starts[1:], len(text)][: len(starts)]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    messages = [_cut_envelope(piece) for piece in pieces]
    counts = [int(found[1]) for found in _TRAILER.finditer(text)]
    if counts and sum(counts) != len(messages):
        raise MessageRefused(
            f"the batch trailers count {sum(counts)} messages, {len(messages)} are here",
            reason="batch-in-frame",
            location="BTS[1]-1",
        )
    return messages


def _cut_envelope(piece: bytes) -> bytes:
    lines = re.split(rb"(?<=[\r\n])(?=[^\r\n])", piece)
    for index, line in enumerate(lines):
        if line[:3] in (b"BTS", b"FTS", b"BHS", b"FHS"):
            return b"".join(lines[:index])
    return piece
