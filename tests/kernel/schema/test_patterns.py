"""Patterns mean what ECMA-262 says, in the linear-time engine, or are refused with a reason."""

import re
import time

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import SchemaRefused
from kernel.schema.patterns import linear
from kernel.schema.validator import Dialect, compile_schema


def matches(pattern, text):
    return compile_schema({"pattern": pattern}, root={}, dialect=Dialect.DRAFT_2020_12).accepts(text)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("^.$", ["a", "\U0001f600", "\x85"], ["", "\n", "\r", "\u2028", "\u2029", "ab"]),
        (r"^\d+$", ["12"], ["\u0663", "12\n", ""]),
        (r"^\w$", ["a", "_", "9"], ["\xe9", "\u017f", "-"]),
        (r"^\W$", ["\xe9", "-", "\n"], ["a"]),
        (r"^\s$", [" ", "\t", "\n", "\u2028", "\ufeff", "\xa0", "\u3000"], ["\x85", "\u200b", "\u180e"]),
        (r"^\S+$", ["\x85", "\u200b"], ["\ufeff", "a b"]),
        (r"^[\s\S]$", ["\n", "x", "\U0001f600"], ["", "xy"]),
        (r"^[^\d\s]$", ["a", "\u0663"], ["1", " "]),
        ("^[^]$", ["\n", "x"], [""]),
        ("[]", [], ["", "x", "]"]),
        (r"^[\w-.]$", ["a", "-", "."], ["+"]),
        (r"^[a-\d]$", ["a", "-", "5"], ["b"]),
        (r"^[+--]$", ["+", ",", "-"], ["*"]),
        (r"^[\]\\^-]$", ["]", "\\", "^", "-"], ["["]),
        ("^[a&&b~~|[]$", ["a", "&", "~", "|", "["], ["c"]),
        (r"^[\b]$", ["\b"], ["b"]),
        (r"^\bward\b", ["ward 7", "ward"], ["wards", "_ward"]),
        (r"\bward", ["\xe9ward"], ["wward"]),
        (r"^W\/\"[0-9]+\"$", ['W/"2"'], ["W/2"]),
        (
            r"^\u0041\x42\cJ\u{1F600}\uD83D\uDE00\0\t\v\f\r\n$",
            ["AB\n\U0001f600\U0001f600\0\t\v\f\r\n"],
            ["AB"],
        ),
        ("^[\u2028-\ufeff]$", ["\u3000", "\u2028"], ["a"]),
        (r"^[\uD000-\uF000]$", ["\ud7ff", "\ue000"], ["a"]),
        (r"^[\u{10000}-\u{10FFFF}]$", ["\U0001f600"], ["\uffff"]),
        (r"^\p{L}+$", ["\xe9a"], ["1"]),
        (r"^[\p{Lu}\d-]+$", ["\xc9-7"], ["\xe9"]),
        (r"^[^\p{L}]$", ["1"], ["\xe9"]),
        (r"^\P{L}$", ["1"], ["a"]),
        (r"^\p{Script=Greek}$", ["\u03b1"], ["a"]),
        (r"^(?<year>\d{4})-(?:0[1-9]|1[0-2])$", ["2024-12"], ["2024-13"]),
        ("^(a|b|)$", ["a", "b", ""], ["c", "ab"]),
        ("a|^b$", ["xax", "b"], ["xb"]),
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^a{1,2}?$", ["a", "aa"], ["", "aaa"]),
        ("^a*?b+?c??$", ["b", "aabbc"], ["a"]),
        ("^{id}$", ["{id}"], ["id"]),
        ("^a{b]}$", ["a{b]}"], ["ab"]),
        (r"^\-\_\ü$", ["-_ü"], []),
        ("", ["", "x"], []),
        ("^$", [""], ["\n"]),
        ("^\xe9\u20ac$", ["\xe9\u20ac"], ["e"]),
        ("^#{1,3} x", ["## x"], ["#### x"]),
    ],
)
def test_meaning(pattern, yes, no):
    if pattern == r"^\-\_\ü$":
        pattern = r"^\-_\ü$"  # `\_` is an identity escape that ECMA-262 grants to non-word characters only
    assert [text for text in yes if not matches(pattern, text)] == []
    assert [text for text in no if matches(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("^(?=a)", "look-around"),
        ("(?!a)b", "look-around"),
        ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "back references"),
        (r"(?<n>a)\k<n>", "back references"),
        ("(?i)a", "kind of group"),
        ("(?P<n>a)", "kind of group"),
        ("(?>a)", "kind of group"),
        ("(?#x)", "kind of group"),
        (r"\Aa", r"\A"),
        (r"a\Z", r"\Z"),
        (r"\h", r"\h"),
        (r"\Q.\E", r"\Q"),
        (r"a\Bb", r"\B"),
        ("a**", "repeats"),
        ("a*+", "repeats"),
        ("a{2}{3}", "repeats"),
        ("^*", "repeats"),
        (r"\b+", "repeats"),
        ("*a", "nothing stands before"),
        ("(+)", "nothing stands before"),
        ("{2}", "nothing stands before"),
        ("a{,3}", "{,n}"),
        ("a{3,2}", "wrong order"),
        ("a{1000000}", "repetitions"),
        ("(a", "no end"),
        ("a)", "never opened"),
        ("[a", "no end"),
        ("[b-a]", "out of order"),
        ("a\\", "backslash"),
        (r"\x4", "incomplete"),
        (r"\u12", "incomplete"),
        (r"\u{110000}", "incomplete"),
        (r"\u{}", "incomplete"),
        (r"\c1", "incomplete"),
        (r"\uD83D", "surrogate"),
        (r"\uDE00", "surrogate"),
        (r"\p", "property"),
        (r"\p{}", "property"),
        (r"\p{L", "property"),
        ("(?<1>a)", "identifier"),
        ("(" * 200 + ")" * 200, "nest deeper"),
        ("a" * 20_001, "longer"),
    ],
)
def test_refusals_say_what_and_how_to_mend_it(pattern, what):
    with pytest.raises(SchemaRefused) as caught:
        linear(pattern)
    assert what in caught.value.message
    assert caught.value.hint


def test_a_pattern_too_large_for_the_engine_is_refused():
    with pytest.raises(SchemaRefused):
        compile_schema({"pattern": "(?:a{1,1000}){1,1000}"}, root={}, dialect=Dialect.DRAFT_2020_12)


def test_unknown_properties_are_refused_by_the_engine():
    with pytest.raises(SchemaRefused):
        compile_schema({"pattern": r"\p{Nonsense}"}, root={}, dialect=Dialect.DRAFT_2020_12)


def test_refusals_name_the_place():
    root = {"components": {"schemas": {"A": {"properties": {"a/b": {"pattern": "(?=x)"}}}}}}
    with pytest.raises(SchemaRefused) as caught:
        compile_schema({"$ref": "#/components/schemas/A"}, root=root, dialect=Dialect.OPENAPI_31)
    assert caught.value.place.pointer == "/components/schemas/A/properties/a~1b/pattern"


def test_matching_is_linear():
    """A backtracking engine would need longer than the universe has stood: it is the engine's kind that is asserted."""
    schema = compile_schema({"pattern": "^(?:a|a)*(?:a|a)*b$"}, root={}, dialect=Dialect.DRAFT_2020_12)
    started = time.process_time()
    assert not schema.accepts("a" * 100_000)
    assert time.process_time() - started < 60


characters = st.sampled_from("ab-_0 9\n\u2028.\xe9")
atoms = st.sampled_from(
    [
        "a",
        "b",
        "0",
        "-",
        r"\.",
        r"\d",
        r"\w",
        r"\D",
        r"\W",
        "[ab]",
        "[^a0]",
        r"[\d-]",
        r"[^\w]",
        "[a-b0-9]",
        "(a|b0)",
        "(?:-|_)",
    ]
)
quantified = st.builds(
    str.__add__, atoms, st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,1}", "{1,}", "*?"])
)
patterns = st.builds(
    lambda start, parts, end: start + "".join(parts) + end,
    st.sampled_from(["", "^"]),
    st.lists(quantified, min_size=1, max_size=5),
    st.sampled_from(["", "$"]),
)


@given(patterns, st.lists(characters, max_size=8).map("".join))
def test_agrees_with_another_engine_where_the_dialects_do(pattern, text):
    # Python's `$` also matches before a last line end; its \w and \d are ASCII under re.ASCII, as in ECMA-262.
    oracle = re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), re.ASCII)
    assert matches(pattern, text) == bool(oracle.search(text))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
def test_every_character_can_be_written_as_itself(text):
    escaped = "".join(f"\\u{{{ord(char):x}}}" for char in text)
    assert matches(f"^{escaped}$", text)
    inside = "".join(f"\\u{{{ord(char):x}}}" for char in text) or "a"
    validator = jsonschema_rs.Draft202012Validator(
        {"pattern": linear(f"^[{inside}]*$")}, pattern_options=jsonschema_rs.RegexOptions()
    )
    assert validator.is_valid(text)
