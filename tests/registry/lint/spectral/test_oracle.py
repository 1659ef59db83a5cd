"""Spectral itself, from npm, judges the same documents by the same rulesets: same rules at the same places."""

import re
from pathlib import Path

import pytest

from kernel.contract.document import parse
from registry.lint.spectral.builtin import BUILTIN, stand_ins
from tests.registry.lint.spectral.oracle import DOCUMENTS, RULESETS, Told, install, ours, theirs

pytestmark = pytest.mark.long
# Where we differ, and why:
# · Spectral maps a result behind a reference back to the source through URI fragments, and gives up at a name
#   that they escape (`+`, `$`, …): it tells the nearest object above. We tell the place itself.
# · Of a reference that leads round in a circle, Spectral tells `$ref` and what holds it, by the way it came; we tell
#   each as the place where it is written.
# · The words of the function `schema`, and of the rulesets that Spectral brings, are our own. Of a member that a reference's target lacks, Spectral
#   names the target alone.
_OTHER_WORDS = frozenset({"schemas", "oas", "asyncapi"})
_ESCAPED = frozenset("+$%&;=?@ ")
_CIRCLES = {
    Told("orders.yaml", "r-ref-filter", "/components/schemas/Order/properties/parent", "warning"),
    Told("orders.yaml", "r-ref-filter", "/components/schemas/Tree/properties/children/items", "warning"),
    Told("orders.yaml", "p-deep-wild", "/components/schemas/Order/properties/parent/$ref", "warning"),
    Told("orders.yaml", "p-deep-wild", "/components/schemas/Tree/properties/children/items/$ref", "warning"),
}


@pytest.fixture(scope="module")
def spectral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program, reason = install(tmp_path_factory.mktemp("spectral"))
    if program is None:
        pytest.skip(f"Spectral is not there: {reason}")
    return program


def unexplained(here: set[Told], there: set[Told]) -> tuple[set[Told], set[Told]]:
    """Leave out what the list above explains: what we lack, and what we have besides."""
    lacking, besides = there - here - _CIRCLES, here - there - _CIRCLES
    hidden = {one for one in here if _ESCAPED & set(one.pointer)}
    nearest = {
        one
        for one in lacking
        if any(
            (one.document, one.rule) == (deep.document, deep.rule) and deep.pointer.startswith(one.pointer)
            for deep in hidden
        )
    }
    return lacking - nearest, {one for one in besides if not _ESCAPED & set(one.pointer)}


@pytest.mark.parametrize("ruleset", RULESETS, ids=[path.stem for path in RULESETS])
def test_the_same_rules_complain_at_the_same_places_in_the_same_words(spectral: Path, ruleset: Path) -> None:
    here, there = ours(ruleset, DOCUMENTS), without_stand_ins(theirs(spectral, ruleset, DOCUMENTS))
    assert len(there) >= 4
    assert unexplained(set(here), set(there)) == (set(), set())
    if ruleset.stem not in _OTHER_WORDS:
        said = {one: there[one] for one in here.keys() & there.keys() if one.pointer}
        assert said == {one: there[one] if there[one] <= spoken(here[one]) else here[one] for one in said}


def without_stand_ins(told: dict[Told, set[str]]) -> dict[Told, set[str]]:
    """Leave out the rules of Spectral's own rulesets for which rules of the house stand."""
    standing = {
        one.name
        for file in BUILTIN.values()
        for one in stand_ins(parse(file.read_bytes(), name=file.name).root)
    }
    return {one: messages for one, messages in told.items() if one.rule not in standing}


def spoken(messages: set[str]) -> set[str]:
    """Give messages as we say them, and with the member that a reference's target lacks left out."""
    return messages | {re.sub(r'"([^".]+)\.[^"]*" property', r'"\1" property', one) for one in messages}


@pytest.mark.corpus
def test_real_documents_are_judged_alike(spectral: Path, corpus: Path) -> None:
    chosen = [
        corpus / "openapi/nhs-immunisation/immunisation-fhir-api.yaml",
        corpus / "openapi/nhs-notify-supplier/openapi.yaml",
        corpus / "openapi/openehr/query-validation.openapi.yaml",
        *sorted((corpus / "openapi/adyen-chains").glob("*v4*.yaml")),
        *sorted((corpus / "openapi/openapi-diff-pairs").glob("*.yaml"))[:20],
        *sorted((corpus / "asyncapi/spec-examples").glob("[c-s]*.yml")),
    ]
    for ruleset in RULESETS:
        if ruleset.stem not in ("paths", "base", "extended", "off", "overrides"):
            here = ours(ruleset, chosen)
            there = without_stand_ins(theirs(spectral, ruleset, chosen))
            assert unexplained(set(here), set(there)) == (set(), set()), ruleset.stem
