"""Inclusion of patterns agrees with the engine that the runtime validators use."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.schema.pattern_text import samples, width
from registry.compat.languages import difference, included
from registry.compat.text_rules import TextRules

TEXT = TextRules()


@pytest.mark.parametrize(("inner", "outer"), [
    ("^[a-z]+$", "^[a-zA-Z]+$"), ("^[A-Z]{3}$", "^[A-Z]{2,5}$"), ("ab", "a"), ("^a", "a"), ("", "x*"),
    (r"^\d{3}-\d{2}$", "^[0-9-]{6}$"), ("^(a|b)*$", "^[ab]*$"), (r"^\w+$", r"^\S+$"), ("^$|^a$", "^a?$"),
    ("^[a-z]{1,100}$", "^[a-z]{1,200}$"), ("^(?:ward|bed)-[0-9]+$", "-"), (r"^\/a$", "^/a$"),
])  # fmt: skip
def test_what_is_included_is_proven(inner, outer):
    assert included(inner, outer)


@pytest.mark.parametrize(("inner", "outer", "text"), [
    ("^[a-zA-Z]+$", "^[a-z]+$", "A"), ("a", "b", "a"), ("^.$", "^[^a]$", "a"), ("a", "^a", "Aa"), ("", "x", ""),
    ("^[a-z]{1,41}$", "^[a-z]{1,40}$", "a" * 41),
])  # fmt: skip
def test_a_difference_is_a_text(inner, outer, text):
    assert difference(inner, outer) == text


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", r"(a)\1", r"\Bx", "(?i)a", "[[a]", "[a--b]", "a{,3}", "(" * 400, "["]
)
def test_what_is_not_modelled_has_no_answer(pattern):
    assert difference(pattern, "b") is False or pattern == "a{,3}"
    assert not included(pattern, "^b$")


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\d", "ab", "(?:a|b)", "^", "$", ""])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.filter(lambda p: p not in {"", "^", "$"}).map(lambda p: f"(?:{p})*"),
        inner.filter(lambda p: p not in {"", "^", "$"}).map(lambda p: f"(?:{p}){{1,2}}"),
    ),
    max_leaves=5,
)
TEXTS = ["", "a", "b", "c", "ab", "ba", "aa", "bb", "abc", "7", "a7", "\n", "a\n", "\na", "aab", "bab", " "]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(PATTERNS, PATTERNS)
def test_no_answer_is_refuted_by_the_engine(inner, outer):
    if TEXT.matches(inner, "") is None or TEXT.matches(outer, "") is None:
        return  # the engine refuses the pattern
    answer = difference(inner, outer)
    if isinstance(answer, str):
        assert TEXT.matches(inner, answer) is True
        assert TEXT.matches(outer, answer) is False
    elif answer:
        assert [t for t in TEXTS if TEXT.matches(inner, t) and not TEXT.matches(outer, t)] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(PATTERNS)
def test_lengths_and_samples_agree_with_the_engine(pattern):
    low, high = width(pattern)
    for text in TEXTS:
        if TEXT.matches(pattern, text):
            assert low <= len(text) <= (high if high is not None else len(text))
    assert all(isinstance(text, str) for text in samples(pattern))


def test_samples_of_usual_patterns_match():
    for pattern in [
        r"^[A-Z]{2}\d{4}$",
        "^(ward|bed)-[0-9]{1,3}$",
        r"^\+?[0-9 -]{6,20}$",
        "^[^@]+@[^@]+$",
        "x",
    ]:
        found = list(samples(pattern))
        assert found
        assert all(re.search(pattern, text) and TEXT.matches(pattern, text) for text in found)
