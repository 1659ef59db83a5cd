"""ACK segments byte by byte, and files of several messages."""

from datetime import UTC, datetime

import hl7
import pytest

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.acknowledge import Problem, acknowledge, answered
from adapters.formats.hl7v2.batch import split_messages
from adapters.formats.hl7v2.parse import read_header
from adapters.reasons import reason

NOW = datetime(2026, 3, 1, 10, 15, tzinfo=UTC)


def ack(head, code="AA", **more):
    return acknowledge(read_header(head), code, now=NOW, **more)


def test_sender_and_receiver_change_places_and_the_rest_is_kept():
    written = ack(
        b"MSH|^~\\&|LAB^1.2^ISO|W7|HIS|H|20260301||ORU^R01^ORU_R01|CTL-1|T|2.5.1||||||8859/1\rPID|1\r"
    )
    msh, msa, rest = written.split(b"\r")
    fields = msh.split(b"|")
    assert fields[:9] == [
        b"MSH", b"^~\\&", b"HIS", b"H", b"LAB^1.2^ISO", b"W7", b"20260301101500+0000", b"", b"ACK^R01^ACK",
    ]  # fmt: skip
    assert fields[10:] == [b"T", b"2.5.1", b"", b"", b"", b"", b"", b"8859/1"]
    assert len(fields[9]) == 20
    assert msa == b"MSA|AA|CTL-1"
    assert rest == b""


def test_names_come_back_to_the_byte_in_whatever_character_set():
    written = ack("MSH|^~\\&|Zürich-Süd|||||| ADT^A01|é|P|2.3".encode("iso8859-1"))
    assert "|Zürich-Süd|".encode("iso8859-1") in written
    assert "MSA|AA|é".encode("iso8859-1") in written


@pytest.mark.parametrize(
    ("type_", "expected"),
    [("ORU^R01^ORU_R01", "ACK^R01^ACK"), ("ORU^R01", "ACK^R01"), ("ACK", "ACK"), ("", "ACK")],
)
def test_the_type_of_the_answer_has_the_components_of_the_message(type_, expected):
    assert f"|{expected}|".encode() in ack(f"MSH|^~\\&|A|B|C|D|1||{type_}|7|P|2.4".encode())


def test_separators_are_the_senders_own():
    written = ack(b"MSH$*%!:$A$B$C$D$1$$ORU*R01$7$P$2.5")
    assert written.startswith(b"MSH$*%!:$C$D$A$B$")
    assert b"\rMSA$AA$7\r" in written


@pytest.mark.parametrize("head", [None, b"MSH|^~\\&|||"])
def test_even_an_unreadable_message_gets_a_negative_answer(head):
    problem = Problem(reason("header-unreadable"), "MSH[1]")
    written = acknowledge(read_header(head) if head else None, "AR", problem=problem, now=NOW)
    assert answered(written) == ("AR", "UNKNOWN")
    assert hl7.parse(written.decode())["MSA.F1.R1.C1"] == "AR"
    assert written.endswith(b"ERR||MSH^1|100^Segment sequence error^HL70357|E||||header-unreadable\r")


def test_the_error_segment_has_the_form_of_its_version():
    problem = Problem(reason("time-unreadable"), "OBX[3]-14.1")
    new = ack(b"MSH|^~\\&|A|B|C|D|1||ORU^R01|7|P|2.5", "AE", problem=problem)
    old = ack(b"MSH|^~\\&|A|B|C|D|1||ORU^R01|7|P|2.3.1", "AE", problem=problem)
    assert new.endswith(b"ERR||OBX^3^14^1^1|102^Data type error^HL70357|E||||time-unreadable\r")
    assert old.endswith(b"ERR|OBX^3^14^102&Data type error&HL70357\r")


def test_a_field_that_is_no_name_but_an_attack_is_cut():
    written = ack(b"MSH|^~\\&|" + b"A" * 100_000 + b"|B|C|D|1||ORU^R01|" + b"7" * 100_000 + b"|P|2.5")
    assert len(written) < 1000


BATCH = b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|1\rPID|1\rMSH|^~\\&|2\rBTS|2\rFTS|1\r"


def test_a_batch_file_is_cut_into_its_messages_bytes_unchanged():
    assert split_messages(BATCH) == [b"MSH|^~\\&|1\rPID|1\r", b"MSH|^~\\&|2\r"]
    assert split_messages(b"\xef\xbb\xbf# note\nMSH|^~\\&|1\nPID|MSH|\n") == [b"MSH|^~\\&|1\nPID|MSH|\n"]
    assert split_messages(b"nothing") == []


def test_a_batch_that_counts_otherwise_is_refused():
    with pytest.raises(MessageRefused, match="count 3 messages, 2 are here"):
        split_messages(BATCH.replace(b"BTS|2", b"BTS|3"))
