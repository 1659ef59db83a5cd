"""Names: cut into words, compared by a letter, held against the style that prevails."""

import pytest

from registry.lint.pattern_ends import open_ends
from registry.lint.words import folded, one_edit, prevailing, words


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("orderedAt", ("ordered", "at")), ("patient_id", ("patient", "id")), ("patientID", ("patient", "id")),
        ("HL7Message", ("hl", "message")), ("X-Request-ID", ("x", "request", "id")), ("", ()), ("42", ()),
    ],
)  # fmt: skip
def test_names_are_cut_into_words(name: str, cut: tuple[str, ...]) -> None:
    assert words(name) == cut


def test_spellings_of_one_name_fold_to_one() -> None:
    assert {folded(name) for name in ("patientId", "patient_id", "PatientID", "patient-id")} == {"patientid"}


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("identifier", "identifer", True), ("identifier", "identifeir", True), ("identifier", "identifiers", True),
        ("identifier", "identxfier", True), ("identifier", "identifier", False), ("identifier", "idntifer", False),
        ("abc", "cba", False),
    ],
)  # fmt: skip
def test_one_letter_more_less_other_or_swapped(first: str, second: str, near: bool) -> None:
    assert one_edit(first, second) is near
    assert one_edit(second, first) is near


def test_the_style_of_most_names_prevails() -> None:
    styles = ("camelCase", "snake_case")
    assert prevailing(["a_b", "c_d", "eF"], *styles) == "snake_case"
    assert prevailing(["a_b", "eF"], *styles) == "camelCase"
    assert prevailing(["one", "two"], *styles) == "camelCase"


@pytest.mark.parametrize(
    ("pattern", "where"),
    [
        ("^[A-Z]$", ""), ("[A-Z]", "both ends"), ("^[A-Z]", "its end"), ("[A-Z]$", "its beginning"),
        ("^a$|^b$", ""), ("^a|b$", "both ends"), ("^(?:a|b)$", ""), ("(^a$|^b$)", ""), ("(?:^a|b)$", "its beginning"),
        (r"^a\$", "its end"), (r"^a\\$", ""), ("^[$|^]$", ""), ("^https://.*", ""), (".*x.*", ""),
        ("^(?:a$)?", "its end"), ("^$", ""), ("(?=^a$).*", ""), ("", "both ends"), ("^(a$|b$)", ""),
    ],
)  # fmt: skip
def test_where_a_pattern_is_open(pattern: str, where: str) -> None:
    assert open_ends(pattern) == where
