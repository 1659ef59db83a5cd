"""Character sets, escapes, times, numbers: what bytes and fields mean."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.charset import decode
from adapters.formats.hl7v2.datatypes import compared, number
from adapters.formats.hl7v2.escape import escape, unescape
from adapters.formats.hl7v2.separators import STANDARD, Separators
from adapters.formats.hl7v2.timestamps import read_time


@pytest.mark.parametrize(
    ("raw", "declared", "text", "codec", "guessed"),
    [
        ("µg".encode(), "UNICODE UTF-8", "µg", "utf-8", False),
        ("µg".encode(), "", "µg", "utf-8", False),
        ("µg".encode("iso8859-1"), "8859/1", "µg", "iso8859-1", False),
        ("µg".encode("iso8859-1"), "", "µg", "windows-1252", True),
        ("µg".encode(), "ASCII", "µg", "utf-8", True),
        ("mü".encode(), "UNICODE", "mü", "utf-8", False),  # Mindray
        ("尿".encode("gb18030"), "GB 18030-2000", "尿", "gb18030", False),
        (b"\x81x", "", "\x81x", "iso8859-1", True),
        (b"x", "KLINGON", "x", "utf-8", False),
    ],
)
def test_the_declared_set_then_the_default_then_a_fallback(raw, declared, text, codec, guessed):
    found = decode(raw, declared)
    assert (found.text, found.codec, found.guessed) == (text, codec, guessed)


def test_sets_that_mllp_cannot_carry_and_bytes_that_are_not_as_declared_are_refused():
    with pytest.raises(MessageRefused) as refused:
        decode(b"x", "UNICODE UTF-16")
    assert refused.value.reason == "charset-unsupported"
    with pytest.raises(MessageRefused) as refused:
        decode("µ".encode("iso8859-1"), "UNICODE UTF-8", guess=False)
    assert refused.value.reason == "charset-wrong"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"line\.br\next", "line\nnext"),
        (r"\X41C3A4\!", "Aä!"),
        (r"\H\bold\N\ text", "bold text"),
        (r"\Zunknown\ stays", r"\Zunknown\ stays"),
        (r"5\6", r"5\6"),
        (r"\XFF\ is no UTF-8", r"\XFF\ is no UTF-8"),
    ],
)
def test_escapes_are_resolved_and_unknown_ones_stay(sent, text):
    assert unescape(sent, STANDARD) == text


@given(st.text(max_size=60))
def test_escaped_text_comes_back(text):
    for separators in (
        STANDARD,
        Separators("|", "^", "~", "\\", "&", "#"),
        Separators("$", "*", "%", "!", ":"),
    ):
        written = escape(text, separators)
        signs = separators.field + separators.component + separators.subcomponent + separators.repetition
        assert not set(written) & {*signs, "\r", "\n"}
        assert unescape(written, separators) == text.replace("\r", "\n")


ZURICH = ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("raw", "at", "precision", "offset"),
    [
        ("2026", "2026", "year", "none"),
        ("202603", "2026-03", "month", "none"),
        ("20260301", "2026-03-01", "day", "none"),
        ("2026030110", "2026-03-01T10:00:00+01:00", "hour", "connection"),
        ("202607011015", "2026-07-01T10:15:00+02:00", "minute", "connection"),
        ("20260301101530", "2026-03-01T10:15:30+01:00", "second", "connection"),
        ("20260301101530-0500", "2026-03-01T10:15:30-05:00", "second", "sent"),
        ("20260301101530.1200+0000", "2026-03-01T10:15:30.12+00:00", "fraction", "sent"),
        ("20260301101530.0000Z", "2026-03-01T10:15:30+00:00", "fraction", "sent"),
    ],
)
def test_times_are_as_precise_as_sent(raw, at, precision, offset):
    found = read_time(raw, ZURICH)
    assert found is not None
    assert found.document() == {"at": at, "raw": raw, "precision": precision, "offset": offset}


def test_a_moment_is_known_in_utc_from_the_hour_on():
    assert read_time("20260301", ZURICH).instant is None
    assert read_time("202603011000", ZURICH).instant.astimezone(UTC).hour == 9


@pytest.mark.parametrize(
    "raw",
    ["DATE!", "0000", "20261301", "20260230", "2026030125", "20260301 10", "20260301101530+9", "1", "٢٠٢٦"],
)
def test_what_is_no_time_is_refused(raw):
    with pytest.raises(MessageRefused) as refused:
        read_time(raw, UTC, location="OBX[1]-14")
    assert (refused.value.reason, refused.value.location) == ("time-unreadable", "OBX[1]-14")


@pytest.mark.parametrize("raw", ["", "  ", '""'])
def test_no_time_is_none(raw):
    assert read_time(raw, UTC) is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("5.40", "5.40"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("-0.10", "-0.10"),
        ("1e5", "1e5"),
        ("007", "007"),
        (" 3 ", "3"),
    ],
)
def test_numbers_keep_their_digits(text, digits):
    assert number(text) == digits


@pytest.mark.parametrize("text", ["", ".", "-", "5,4", "5 4", "NaN", "Infinity", "0x10", "٣", "1e", "<5"])
def test_what_is_no_number_is_none(text):
    assert number(text) is None


def test_a_sign_before_a_number_is_a_comparator():
    assert compared("<40") == ("<", "40")
    assert compared(">= 1.5") == (">=", "1.5")
    assert compared("< low") is None
    assert compared("40") is None
