"""HL7 v2 results as canonical lab-results: values, statuses, times, identity; each decision of the guide."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.canonical.values import Held
from adapters.devices.lab_hl7v2.device import LabDevice
from adapters.devices.lab_hl7v2.settings import read_settings
from adapters.devices.lab_hl7v2.status import OBSERVATION, REPORT
from adapters.errors import AdapterSettingsError, MessageRefused
from adapters.frozen_schemas import FrozenSchemas

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "devices.md"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEAD = "MSH|^~\\&|COBAS|LAB|IL|H|20260301103000||ORU^R01^ORU_R01|M1|P|2.5.1"
PID = "PID|1||700123^^^HOSP&1.2.3&ISO^MR~55^^^NHS^NH||Zelenka^Jan^A^Jr^Dr||19610412|M"
OBR = "OBR|1|P7^EHR|F9^LAB^1.2.9^ISO|24323-8^CMP^LN^CMP^Metabolic^L|||20260301093000+0100|||||||||||||||20260301101500+0100|||F"


def obx(
    kind="NM", value="5.4", *, unit="mmol/L", status="F", code="2951-2^Sodium^LN", tail="", ranges="3.5-5.1"
):
    return f"OBX|1|{kind}|{code}||{value}|{unit}|{ranges}|H~A|||{status}|||{tail}"


def make(*lines, settings=None, head=HEAD):
    device = LabDevice("analyzer", read_settings({"port": 0, **(settings or {})}))
    raw = ("\r".join((head, *lines)) + "\r").encode()
    reading = device.read(raw)
    assert reading.refusal is None, reading.refusal
    held = Held("1" * 36, "analyzer", NOW, raw, "sha256:" + "0" * 64)
    return device.to_canonical(reading, held, "cobas/2.0.0")


def line(*args, settings=None, **more):
    [result] = make(PID, OBR, obx(*args, **more), settings=settings)
    return result.document["observations"][0]


@pytest.fixture(scope="module")
def check(frozen):
    return FrozenSchemas(lambda: frozen).find("lab-result", 1).check


def test_a_whole_report(check):
    [result] = make(
        PID, "NTE|1||of the patient", OBR, "NTE|1||fasting", obx(), "NTE|1||haemolysed", "NTE|2||repeat"
    )
    document = result.document
    assert document["status"] == "final"
    assert document["numbers"] == {
        "placer": {"value": "P7", "authority": {"namespace": "EHR"}},
        "filler": {"value": "F9", "authority": {"namespace": "LAB", "id": "1.2.9", "idType": "ISO"}},
    }
    assert document["code"]["normalised"] == {"code": "24323-8", "display": "CMP", "system": "LN"}
    assert document["patient"]["identifiers"] == [
        {"value": "700123", "type": "MR", "authority": {"namespace": "HOSP", "id": "1.2.3", "idType": "ISO"}},
        {"value": "55", "type": "NH", "authority": {"namespace": "NHS"}},
    ]
    assert document["patient"]["name"] == {
        "family": "Zelenka",
        "given": ["Jan", "A"],
        "suffix": "Jr",
        "prefix": "Dr",
    }
    assert document["patient"]["birthDate"] == "1961-04-12"
    assert document["notes"] == ["fasting"]
    assert document["observations"][0]["notes"] == ["haemolysed", "repeat"]
    assert document["times"]["received"] == "2026-03-01T12:00:00.000Z"
    assert document["source"] == {
        "connection": "analyzer", "application": "COBAS", "facility": "LAB", "messageId": "M1",
        "messageType": "ORU^R01^ORU_R01", "profile": "cobas/2.0.0", "digest": "sha256:" + "0" * 64,
    }  # fmt: skip
    assert "quality" not in document
    assert result.patient == ("1.2.3", "MR", "700123")
    assert result.recorded_at == datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
    assert check({**document, "id": "a", "revision": 1}) == ()


VALUES = [
    ("NM", "5.40", {"kind": "quantity", "raw": "5.40", "number": "5.40"}),
    ("NM", "&lt;40".replace("&lt;", "<"), {"kind": "quantity", "raw": "<40", "number": "40", "comparator": "<"}),
    ("ST", ">=1.5", {"kind": "quantity", "raw": ">=1.5", "number": "1.5", "comparator": ">="}),
    ("ST", "Negative", {"kind": "text", "text": "Negative"}),
    ("SN", "^5.5", {"kind": "quantity", "raw": "^5.5", "number": "5.5"}),
    ("SN", "<^40", {"kind": "quantity", "raw": "<^40", "number": "40", "comparator": "<"}),
    ("SN", "^1^:^128", {"kind": "interval", "raw": "^1^:^128", "first": "1", "separator": ":", "second": "128"}),
    ("SN", "<>^5", {"kind": "text", "text": "<>^5"}),
    ("TX", "one~two\\.br\\three", {"kind": "text", "text": "one\ntwo\nthree"}),
    ("DT", "20260301", {"kind": "moment", "raw": "20260301", "time": {"at": "2026-03-01", "raw": "20260301", "precision": "day", "offset": "none"}}),
    ("TS", "not known", {"kind": "moment", "raw": "not known"}),
    ("XCN", "7^Zelenka", {"kind": "text", "text": "7^Zelenka"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
def test_values_by_their_type(kind, value, expected):
    found = dict(line(kind, value, unit="")["value"])
    assert found == expected


def test_coded_values_are_one_concept_a_repetition():
    found = line("CWE", "260415000^Not detected^SCT^ND^neg^L~X^Y^L", unit="")["value"]
    assert found["kind"] == "coded"
    assert found["concepts"][0]["codings"] == [
        {"code": "260415000", "display": "Not detected", "system": "SCT"},
        {"code": "ND", "display": "neg", "system": "L"},
    ]
    assert found["concepts"][0]["normalised"]["system"] == "SCT"
    assert len(found["concepts"]) == 2


def test_attachments_and_huge_texts_are_kept_by_digest(check):
    import hashlib

    data = "^AP^PDF^Base64^" + "QUJD" * 5000
    found = line("ED", data, unit="")["value"]
    assert found == {
        "kind": "attachment", "bytes": len(data), "sha256": hashlib.sha256(data.encode()).hexdigest(),
        "type": "AP/PDF", "encoding": "Base64",
    }  # fmt: skip
    [result] = make(PID, OBR, obx("FT", "x" * 300_000, unit=""))
    assert result.document["observations"][0]["value"]["kind"] == "attachment"
    assert check({**result.document, "id": "a", "revision": 1}) == ()


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        ("", "F", "unknown"), ("", "X", "not-performed"), ("", "N", "not-asked"), ("", "P", "temp-unknown"),
        ('""', "F", "unknown"), ("NO RESULT", "F", "unknown"), ("error", "F", "error"), ("INVALID", "F", "error"),
    ],
)  # fmt: skip
def test_no_value_is_a_reason_and_never_zero(value, status, reason):
    found = line("NM", value, status=status)
    assert found["dataAbsentReason"] == reason
    assert "value" not in found
    assert found.get("absentRaw", "") == ("" if value in ("", '""') else value)
    assert found["referenceRange"] == {"raw": "3.5-5.1", "low": "3.5", "high": "5.1"}


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("mmol/L", {"raw": "mmol/L", "ucum": "mmol/L"}),
        ("UMOLL", {"raw": "UMOLL", "ucum": "umol/L"}),
        ("10*9/L", {"raw": "10*9/L", "ucum": "10*9/L"}),
        ("g^gram^UCUM", {"raw": "g", "ucum": "g"}),
        ("X^strange^L^mg/dL^mg^UCUM", {"raw": "X", "ucum": "mg/dL"}),
        ("furlong", {"raw": "furlong"}),
        ("MG%", {"raw": "MG%", "ucum": "mg/dL"}),
        ("µg/L", {"raw": "µg/L", "ucum": "ug/L"}),
    ],
)
def test_units_are_kept_and_read(unit, expected):
    assert line(unit=unit, settings={"units": {"MG%": "mg/dL"}})["value"]["unit"] == expected


def test_a_bare_number_in_a_string_is_a_quantity_only_with_a_unit():
    assert line("ST", "7.2", unit="g/L")["value"]["kind"] == "quantity"
    assert line("ST", "0012", unit="")["value"] == {"kind": "text", "text": "0012"}


def test_local_codes_are_mapped_by_the_profile():
    settings = {"codes": {"NA": {"code": "2951-2", "system": "LN", "display": "Sodium"}}}
    found = line(code="NA^Natrium^99LAB", settings=settings)["code"]
    assert found["codings"] == [{"code": "NA", "display": "Natrium", "system": "99LAB"}]
    assert found["normalised"] == {"code": "2951-2", "system": "LN", "display": "Sodium"}


def test_words_for_numbers_are_text_only_where_the_profile_wants_it():
    assert line("NM", "see comment", unit="", settings={"number_policy": "text"})["value"] == {
        "kind": "text",
        "text": "see comment",
    }


def test_ranges_with_one_end():
    assert line(ranges="<5")["referenceRange"] == {"raw": "<5", "high": "5"}
    assert line(ranges="> 3")["referenceRange"] == {"raw": "> 3", "low": "3"}
    assert line(ranges="49 - 92")["referenceRange"] == {"raw": "49 - 92", "low": "49", "high": "92"}
    assert line(ranges="negative")["referenceRange"] == {"raw": "negative"}


def guide_rows(title):
    section = GUIDE.read_text().split(title, 1)[1]
    return re.findall(r"(?m)^\| ([A-Z](?:, [A-Z])*) \| ([a-z-]+)", section)


def test_the_guide_says_what_the_status_table_does():
    said = {code: status for codes, status in guide_rows("OBX-11, HL7") for code in codes.split(", ")}
    assert said == dict(OBSERVATION)


@pytest.mark.parametrize(("code", "status"), OBSERVATION.items())
def test_every_code_of_table_0085_is_a_decision(code, status, check):
    [result] = make(PID, OBR, obx(status=code))
    found = result.document["observations"][0]
    assert (found["status"], found["statusRaw"]) == (status, code)
    assert check({**result.document, "id": "a", "revision": 1}) == ()


@pytest.mark.parametrize(("code", "status"), REPORT.items())
def test_every_code_of_table_0123_is_a_decision(code, status, check):
    [result] = make(PID, OBR[:-1] + code, obx(status="P"))
    assert result.status == status
    assert check({**result.document, "id": "a", "revision": 1}) == ()


@pytest.mark.parametrize(
    ("report", "lines", "status", "event"),
    [
        ("F", "FF", "final", "result.final"), ("F", "FC", "corrected", "result.corrected"),
        ("F", "WD", "entered-in-error", "result.withdrawn"), ("F", "FA", "amended", "result.corrected"),
        ("", "FF", "final", "result.final"), ("", "FX", "final", "result.final"),
        ("", "PF", "preliminary", "result.preliminary"), ("", "XX", "cancelled", "result.withdrawn"),
        ("", "", "unknown", "result.preliminary"), ("P", "FC", "preliminary", "result.preliminary"),
    ],
)  # fmt: skip
def test_the_report_is_brought_in_line_with_its_lines(report, lines, status, event):
    [result] = make(PID, OBR[:-1] + report, *(obx(status=code) for code in lines))
    assert (result.status, result.event) == (status, event)


@pytest.mark.parametrize(
    ("lines", "reason", "location"),
    [
        ((PID, OBR, obx(status="Q")), "status-unknown", "OBX[1]-11"),
        ((PID, OBR[:-1] + "?", obx()), "status-unknown", "OBR[1]-25"),
        ((PID, OBR, obx(value="", status="U")), "final-without-value", "OBX[1]-5"),
        ((PID, OBR, obx("NM", "a hundred and forty")), "value-unreadable", "OBX[1]-5"),
        ((PID, obx()), "report-missing", "OBR[1]"),
        ((PID, "OBR|1|P7|F9||||20260301", obx()), "code-missing", "OBR[1]-4"),
    ],
)
def test_what_cannot_be_a_result_is_refused_with_its_place(lines, reason, location):
    with pytest.raises(MessageRefused) as refused:
        make(*lines)
    assert (refused.value.reason, refused.value.location) == (reason, location)


def test_three_times_and_whose_they_are():
    found = line(tail="20260301092500||||20260301095500", settings={"timezone": "Europe/Zurich"})
    assert {name: time if name == "received" else time["at"] for name, time in found["times"].items()} == {
        "measured": "2026-03-01T09:25:00+01:00",
        "recorded": "2026-03-01T10:15:00+01:00",
        "received": "2026-03-01T12:00:00.000Z",
    }
    assert found["times"]["measured"]["offset"] == "connection"
    assert found["times"]["recorded"]["offset"] == "sent"


def test_what_a_reader_must_know_is_flagged():
    [result] = make("PID|1", "OBR|1|||X^Y^L|||DATE!", obx(tail="20300101", code=""), "SPM|1|S1||SER|||||||Q")
    assert result.document["quality"] == [
        "clock-assumed", "control-sample", "observation-code-missing", "order-number-missing",
        "patient-unidentified", "status-not-sent", "time-unreadable",
    ]  # fmt: skip
    assert result.document["times"]["measured"] == {
        "raw": "DATE!",
        "precision": "unreadable",
        "offset": "none",
    }
    assert result.document["observations"][0]["code"] == result.document["code"]
    [future] = make(PID, OBR, obx(tail="20260301140000+0100"))
    assert future.document["quality"] == ["measured-after-received"]


def test_an_unreadable_time_is_refused_where_the_profile_wants_it():
    with pytest.raises(MessageRefused) as refused:
        make(PID, OBR.replace("20260301093000+0100", "DATE!"), obx(), settings={"time_policy": "refuse"})
    assert (refused.value.reason, refused.value.location) == ("time-unreadable", "OBR[1]-7")


def test_one_result_for_each_order_with_its_own_specimen_and_patient():
    made = make(
        PID, "ORC|RE|P1|F1", "OBR|1|||A^a^L", obx(), "SPM|1|S1^T1||SER", "OBR|2||F2|B^b^L", obx(), obx(),
        "PID|2||800^^^HOSP^MR", "OBR|3||F3|C^c^L", obx(),
    )  # fmt: skip
    assert [len(result.document["observations"]) for result in made] == [1, 2, 1]
    assert made[0].document["numbers"]["filler"]["value"] == "F1"
    assert made[0].document["specimen"] == {
        "id": {"value": "S1"},
        "type": {"codings": [{"code": "SER"}]},
    }
    assert "specimen" not in made[1].document
    assert made[2].document["patient"]["identifiers"][0]["value"] == "800"


def test_in_oul_r22_the_specimen_comes_first():
    head = HEAD.replace("ORU^R01^ORU_R01", "OUL^R22^OUL_R22")
    made = make(
        "SPM|1|S1||SER",
        "OBR|1||F1|A^a^L",
        obx(),
        "SPM|2|S2||PLAS",
        obx(),
        "OBR|2||F2|B^b^L",
        obx(),
        head=head,
    )
    assert [result.document["specimen"]["id"]["value"] for result in made] == ["S1", "S2"]
    assert [len(result.document["observations"]) for result in made] == [1, 2]


def test_identity_is_the_number_its_authority_and_the_panel():
    def key(obr, head=HEAD):
        [result] = make(PID, obr, obx(), head=head)
        return result.key

    other = HEAD.replace("|LAB|", "|LAB2|")
    assert key("OBR|1||F9^LAB|A^a^L") == key("OBR|1|P7|F9^LAB|A^a^L", other)
    assert key("OBR|1||F9|A^a^L") != key("OBR|1||F9|A^a^L", other)
    assert key("OBR|1||F9^LAB|A^a^L") != key("OBR|1||F9^LAB|B^a^L")
    assert key("OBR|1|F9^LAB||A^a^L") != key("OBR|1||F9^LAB|A^a^L")
    twice = make(PID, "OBR|1||F9|A^a^L", obx(), "OBR|2||F9|A^a^L", obx())
    assert twice[0].key != twice[1].key


def test_the_content_digest_leaves_out_what_changes_with_every_sending():
    def content(head):
        [result] = make(PID, "OBR|1||F9|A^a^L", obx(), head=head)
        return result.content_digest

    assert content(HEAD) == content(HEAD.replace("20260301103000", "20260302").replace("|M1|", "|M2|"))
    [other] = make(PID, "OBR|1||F9|A^a^L", obx(value="5.5"))
    assert other.content_digest != content(HEAD)


def test_patients_of_devices():
    [result] = make("PID|1|55|||Joan^JIang||19900804000000|Female", OBR, obx())
    assert result.document["patient"] == {
        "identifiers": [{"value": "55"}],
        "name": {"family": "Joan", "given": ["JIang"]},
        "birthDate": "1990-08-04",
        "sex": "female",
        "sexRaw": "Female",
    }


@pytest.mark.parametrize(
    "settings", [{"timezone": "Mars/Base"}, {"default_charset": "utf-16"}, {"default_charset": "x"}]
)
def test_settings_that_a_schema_cannot_judge(settings):
    with pytest.raises(AdapterSettingsError):
        read_settings({"port": 0, **settings})


def test_the_guide_lists_every_setting():
    from adapters.devices.lab_hl7v2.settings import SETTINGS_SCHEMA

    said = re.findall(r"(?m)^\| `([a-z_]+)` \|", GUIDE.read_text())
    assert sorted(said) == sorted(SETTINGS_SCHEMA["properties"])
