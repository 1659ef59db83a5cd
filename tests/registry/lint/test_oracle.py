"""openapi-spec-validator's own checks as the oracle: what it refuses we refuse, with reviewed exceptions."""

import json
from pathlib import Path
from typing import Any

import pytest

from kernel.contract.document import kind_of
from kernel.contract.local_files import inline_files
from kernel.errors import InterlockError
from registry.lint.document import lint

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
# What the oracle says beyond us, and why we do not: a part of its message.
ARGUED = {
    "is a dependency of": "draft-04's; OpenAPI 3.0 is built on Wright-00, where the flag alone is legal: exclusive-bound-alone warns",
    "RecursionError": "the oracle walks around in a circle of allOf; the document is legal",
}
# Rules of ours that the oracle does not know.
BEYOND = {"path-duplicate", "security-scheme-undeclared", "header-names-collide", "server-variable-undeclared",
          "reference-refused", "reference-kind-mismatch"}  # fmt: skip


def oracle(root: Any) -> list[str]:
    from openapi_spec_validator import (
        OpenAPIV30SpecValidator,
        OpenAPIV31SpecValidator,
        OpenAPIV32SpecValidator,
    )

    kinds = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator, "3.2": OpenAPIV32SpecValidator}
    told: list[str] = []
    try:
        for error in kinds[root["openapi"][:3]](root).iter_errors():
            told += [error.message]
    except Exception as error:  # noqa: BLE001 - after the errors of structure it stumbles over what is missing
        told.append(type(error).__name__)
    return told


def agree(root: Any) -> str:
    """Compare the two answers; an empty string when they agree or the difference is argued."""
    theirs = [text for text in oracle(root) if not any(part in text for part in ARGUED)]
    ours = {one.rule for one in lint(root, "openapi") if one.severity == "error"}
    if theirs and not ours:
        return f"only the oracle refuses it: {theirs[0][:200]}"
    if ours - BEYOND and not theirs:
        return f"only we refuse it: {sorted(ours)}"
    return ""


@pytest.mark.parametrize(
    "path", sorted(CONTRACTS.glob("*/*/openapi.yaml")), ids=lambda path: path.parent.parent.name
)
def test_the_contracts_of_the_house(path: Path) -> None:
    root = inline_files(path).root
    text = json.dumps(root, default=str)
    if "urn:interlock" in text:
        pytest.skip("the oracle would fetch registry URNs")
    assert agree(root) == ""


@pytest.mark.corpus
def test_real_documents(corpus: Path) -> None:
    folder = corpus / "openapi"
    judged, wrong = 0, {}
    for path in sorted([*folder.rglob("*.y*ml"), *folder.rglob("*.json")]):
        try:
            root = inline_files(path, folder).root
            if kind_of(root) != "openapi" or "swagger" in root:
                continue
        except InterlockError:
            continue  # not read, or several files of which some are not there: the corpus test lists them
        judged += 1
        told = agree(root)
        if told:
            wrong[str(path.relative_to(folder))] = told
    assert wrong == {}
    assert judged > 200
