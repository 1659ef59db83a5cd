"""Formats are asserted as their RFCs have them; unknown ones are notes."""

import pytest

from kernel.schema.formats import ASSERTED, LOWERED
from kernel.schema.validator import Dialect, SchemaViolation, compile_schema

CASES = {
    "date-time": (
        ["2024-02-29T12:00:00Z", "2024-02-29t12:00:00z", "1998-12-31T15:59:60.123-08:00", "2024-02-29T12:00:00.5+05:30"],
        ["2023-02-29T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29T12:00:00", "2024-02-29T24:00:00Z", "2016-12-31T23:58:60Z",
         "2024-02-29T12:00:00+0100", "2024-02-29T12:00:00.Z", "\u0662024-02-29T12:00:00Z", "2024-02-29T12:00:00Z\n",
         "20+6-11-20T08:31:00Z", "2026-11-20T08:3/:00Z", "2026-11-20T08:31:00+0.:00"],
    ),
    "date": (["2024-02-29"], ["2023-02-29", "2024-2-9", "20240229", "2024-02-29Z", "22++-11-20", "2024-0+-29"]),
    "time": (["12:00:00Z", "12:00:00.5+01:00", "23:59:60Z"], ["12:00:00", "24:00:00Z", "12:00Z", "0/:31:00Z", "08:31:00+0-:50"]),
    "duration": (["P1Y", "P3W", "PT0S", "P1M2D", "PT1H30M"], ["P", "P1YT", "P1Y2W", "PT1.5S", "-P1D", "PT1H2S"]),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
        ["{123e4567-e89b-12d3-a456-426614174000}", "123e4567e89b12d3a456426614174000"],
    ),
    "uri": (["http://a/b", "urn:oid:2.16.840", "mailto:a@b"], ["a/b", "//a", "http://a b", "http://\xe9", "1http://x", "http://a/%zz"]),
    "uri-reference": (["a/b", "//a", "?q", "#f", ""], ["a b", "\\a", "%zz"]),
    "iri": (["http://\xe9/"], ["http://a b", "a"]),
    "iri-reference": (["\xe9"], ["a b"]),
    "email": (["a@b.example", '"a b"@c.example'], ["a", "@b", "a@b@c", "a.@b.c", "a..b@c.d", "\xe9@b.c", "Ann <a@b.example>"]),
    "idn-email": (["\xe9@b.example"], ["a"]),
    "hostname": (["lab.hospital.example", "a" * 63], ["-a.b", "a_b", "a" * 64, "a..b", "", "\xe9.example"]),
    "idn-hostname": (["\xe9.example"], ["-a"]),
    "ipv4": (["10.0.0.255"], ["256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4\n"]),
    "ipv6": (["::1", "::ffff:1.2.3.4"], ["1::2::3", "fe80::1%eth0", "12345::"]),
    "json-pointer": (["", "/a~0~1"], ["a", "/~2", "#/a"]),
    "relative-json-pointer": (["0", "1/a", "0#"], ["/a", "01", "-1"]),
    "regex": (["a", "(?=a)"], ["(", "[a-"]),
    "uri-template": (["/a{b}", "{?x*}"], ["/a{b"]),
    "int32": (
        [0, 2**31 - 1, -(2**31), 2147483647.0, "not a number"],
        [2**31, -(2**31) - 1, 2**40, 1.5, 2147483648.0],
    ),
    "int64": ([2**63 - 1, -(2**63), 1.0], [2**63, -(2**63) - 1, 0.5, 1e19]),
    "int8": ([127, -128, 1.0, "x"], [128, -129, 0.5]),
    "int16": ([2**15 - 1, -(2**15)], [2**15, -(2**15) - 1, 0.5]),
    "uint8": ([0, 255], [256, -1, 0.5]),
    "uint16": ([0, 2**16 - 1], [2**16, -1]),
    "uint32": ([0, 2**32 - 1], [2**32, -1]),
    "uint64": ([0, 2**64 - 1], [2**64, -1]),
    "double-int": ([2**53 - 1, -(2**53) + 1], [2**53, -(2**53), 0.5]),
    "base64url": (["", "QUI", "a-_Z"], ["QQ==", "a+b", "a/b", "QUI\n"]),
    "float": ([0.1, 3.4028234663852886e38, 12], [3.5e38, -3.5e38, 10**39]),
    "double": ([1.7976931348623157e308, 0.1], [10**309]),
    "byte": (["", "QUJD", "QUI=", "QQ=="], ["QUJ", "Q===", "QU-D", "QUJD\n", "QU I="]),
}  # fmt: skip


def test_every_asserted_format_has_cases():
    assert CASES.keys() == ASSERTED | LOWERED.keys()


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("dialect", list(Dialect))
def test_asserted(name, dialect):
    schema = compile_schema({"format": name}, root={}, dialect=dialect)
    good, bad = CASES[name]
    assert [value for value in good if not schema.accepts(value)] == []
    assert [value for value in bad if schema.accepts(value)] == []
    assert all(schema.violations(value) == (SchemaViolation("", "format"),) for value in bad)
    # Formats speak of their own type only.
    assert schema.accepts(True)
    assert schema.accepts({})


@pytest.mark.parametrize("name", ["binary", "password", "patient-number", "", "DATE"])
def test_other_formats_are_notes(name):
    assert compile_schema({"format": name}, root={}, dialect=Dialect.OPENAPI_31).accepts("anything \u0000")


def test_numbers_of_a_format_are_judged_exactly():
    assert compile_schema({"format": "int64"}, root={}, dialect=Dialect.OPENAPI_30).exact
    assert not compile_schema({"format": "double"}, root={}, dialect=Dialect.OPENAPI_30).exact
