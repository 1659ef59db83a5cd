"""Reading HL7 v2: every byte given back, quirks of real senders taken, ambiguity refused; python-hl7 as oracle."""

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.parse import Limits, parse, read_header

HEAD = "MSH|^~\\&|A|B|C|D|20260301||ORU^R01|1|P|2.5"
TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"), max_size=20
)


def message(*lines, end="\r", head=HEAD):
    return (end.join((head, *lines)) + end).encode()


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n"])
def test_segments_end_with_cr_and_what_senders_write_instead(end):
    found = parse(message("PID|1||7^^^H^MR", "OBX|1|NM|X||5", end=end))
    assert [segment.id for segment in found.segments] == ["MSH", "PID", "OBX"]
    assert found.text.encode() == message("PID|1||7^^^H^MR", "OBX|1|NM|X||5", end=end)


def test_a_byte_order_mark_and_blank_lines_before_msh_are_taken():
    found = parse(b"\xef\xbb\xbf\r\n" + message("PID|1"))
    assert found.header.value(9, 2) == "R01"
    assert found.text.encode() == b"\r\n" + message("PID|1")


def test_a_lone_line_feed_before_text_belongs_to_the_field():
    found = parse(b"MSH|^~\\&|A\rNTE|1||first line\nsecond line\rOBX|1\r")
    assert [segment.id for segment in found.segments] == ["MSH", "NTE", "OBX"]
    assert found.segments[1].value(3) == "first line\nsecond line"


def test_a_line_that_is_no_segment_is_refused_with_its_place():
    for bad in ("obx|1|NM", "not a segment", "OB|1", "1OB|x", "OBX^1"):
        with pytest.raises(MessageRefused) as refused:
            parse(message("PID|1", bad, "OBX|2"))
        assert (refused.value.reason, refused.value.location) == ("segment-unreadable", "PID[1]")


def test_separators_are_read_and_never_assumed():
    found = parse(b"MSH$*%!:$A*B\rPID$1$$7***H:OID:ISO*MR%8\r")
    pid = found.segments[1]
    assert [part.component(1) for part in pid.repetitions(3)] == ["7", "8"]
    assert pid.field(3).component(4, 2) == "OID"
    assert found.header.raw(1) == "$"
    assert found.header.raw(2) == "*%!:"


def test_the_doubled_escape_of_real_files_is_understood():
    found = parse(b"MSH|^~\\\\&|A\rOBX|1|TX|X||a&b\r")
    assert found.separators.subcomponent == "&"
    assert found.segments[1].field(5).component(1, 2) == "b"


@pytest.mark.parametrize(
    "head", ["MSH", "MSH|", "MSHx^~", "MSH|^^~", "MSH||", "MSH|a~\\&|", "MSH |", "PID|1"]
)
def test_an_ambiguous_header_is_refused(head):
    with pytest.raises(MessageRefused) as refused:
        parse(head.encode())
    assert refused.value.reason == "header-unreadable"


@pytest.mark.parametrize("head", ["FHS|^~\\&|A\rBHS|^~\\&\r", "BHS|^~\\&\r"])
def test_a_batch_is_refused(head):
    with pytest.raises(MessageRefused) as refused:
        parse(head.encode() + message())
    assert refused.value.reason == "batch-in-frame"


def test_several_messages_in_one_frame_are_refused():
    with pytest.raises(MessageRefused) as refused:
        parse(message("PID|1") + message("PID|2"))
    assert (refused.value.reason, refused.value.location) == ("batch-in-frame", "MSH[2]")


def test_limits_of_bytes_segments_and_fields():
    small = Limits(message_bytes=200, segments=3, fields=10)
    for bad, reason in (
        (message("NTE|1||" + "x" * 200), "message-too-large"),
        (message("OBX|1", "OBX|2", "OBX|3"), "too-many-parts"),
        (message("OBX" + "|" * 11), "too-many-parts"),
    ):
        with pytest.raises(MessageRefused) as refused:
            parse(bad, limits=small)
        assert refused.value.reason == reason


def test_null_and_missing_read_as_nothing():
    pid = parse(message('PID|1|""|x^""^z')).segments[1]
    assert pid.value(2) == ""
    assert pid.repetitions(2) == ()
    assert [pid.value(3, number) for number in (1, 2, 3, 4)] == ["x", "", "z", ""]
    assert pid.value(40) == ""


def test_places_name_segment_occurrence_and_field():
    second = parse(message("OBX|1", "OBX|2")).segments[2]
    assert second.at(5) == "OBX[2]-5"
    assert second.at(5, 1) == "OBX[2]-5.1"


def test_the_header_of_a_broken_message_can_be_read_alone():
    assert read_header(message("obx broken")).value(10) == "1"


@given(st.lists(st.lists(TEXT, min_size=1, max_size=6), max_size=6))
def test_every_message_is_given_back_and_read_as_python_hl7_reads_it(rows):
    lines = [f"ZZ{place}|" + "|".join(row) for place, row in enumerate(rows)] + [
        "ZZZ|end"
    ]  # hl7 strips the end
    raw = message(*lines)
    found = parse(raw)
    assert found.text.encode() == raw
    theirs = hl7.parse(raw.decode())
    assert len(theirs) == len(found.segments)
    for ours, other in zip(found.segments[1:], list(theirs)[1:], strict=True):
        assert [ours.raw(number) for number in range(1, len(other))] == [
            str(field) for field in list(other)[1:]
        ]


def test_real_header_fields_are_read_as_python_hl7_reads_them():
    raw = message("PID|1||70^^^HOSP&1.2&ISO^MR~71^^^X||Doe^Jane")
    theirs = hl7.parse(raw.decode())
    ours = parse(raw)
    assert ours.header.value(9) == str(theirs["MSH.F9.R1.C1"])
    assert ours.segments[1].field(3).component(4, 2) == str(theirs["PID.F3.R1.C4.S2"])
    assert ours.segments[1].repetitions(3)[1].component(1) == str(theirs["PID.F3.R2.C1"])
