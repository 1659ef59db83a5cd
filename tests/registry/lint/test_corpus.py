"""Every real document is checked without a crash; those with errors stand in a list with the reason."""

import gzip
import time
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from kernel.contract.document import kind_of, parse
from kernel.contract.finding import Severity
from kernel.errors import DocumentError
from registry.lint.checking import check_file
from registry.lint.rules import BY_ID

OUT = "refers to the network, or to a file that is not part of the corpus"
# Path below the corpus → rules of its errors, and why they are right.
REVIEWED: dict[str, tuple[frozenset[str], str]] = {
    "openapi/cdc-rs/lookup-tables-openapi.yaml": (frozenset({"reference-refused"}), OUT),
    "openapi/hcx/openapi_hcx_notifications*.yaml": (frozenset({"reference-refused"}), OUT),
    "openapi/nhs-bars/booking-and-referral-1.[123].0.yaml": (
        frozenset({"cannot-be-served"}),
        "FHIR in XML beside a schema of its JSON, which says nothing of elements",
    ),
    "asyncapi/nhs-notify/supplier-api.yaml": (frozenset({"reference-refused"}), OUT),
    "asyncapi/spec-examples/adeo-kafka-request-reply-asyncapi.yml": (frozenset({"reference-refused"}), OUT),
    "asyncapi/spec-examples/operation-security-asyncapi.yml": (
        frozenset({"default-mistyped"}),
        "a boolean with the text 'false' as its default: it MUST be of the type (3.1 §Schema Object)",
    ),
    "events/nhs-digital-letters-schemas/*/digital-letters-*profile.schema.yaml": (
        frozenset({"reference-refused"}),
        OUT,
    ),
    "events/nhs-digital-letters-schemas/*/events/*.schema.yaml": (frozenset({"reference-refused"}), OUT),
    "jsonschema/omh/body-temperature-4.0.json": (frozenset({"reference-refused"}), OUT),
    "jsonschema/omh/*stolic-blood-pressure-1.1.json": (frozenset({"reference-refused"}), OUT),
}
# Documents made to show one difference: rules, reason, and the names below openapi/openapi-diff-pairs.
PAIRS: dict[tuple[frozenset[str], str], str] = {
    (frozenset({"path-duplicate"}), "two templates are one path to a router"): (
        "add_endpoint_2 deprecate_endpoint_1 deprecate_endpoint_2 parameterDiff/parameters_overloading "
        "parameterDiff/parameters_overloading_2 path_4 "
    ),
    (frozenset({"openapi-invalid"}), "an implicit flow has no tokenUrl"): (
        "bc_oauthflow_authorization_url_changed bc_oauthflow_base bc_oauthflow_refresh_url_changed "
        "bc_oauthflow_token_url_changed "
    ),
    (frozenset({"path-parameter-undeclared"}), "a placeholder without a parameter"): (
        "bc_openapi_changed_but_compatible bc_paths_base bc_paths_changed_but_compatible "
        "content_type_request_add_1 content_type_request_add_2 content_type_response_add_1 "
        "content_type_response_add_2 "
    ),
    (frozenset({"openapi-invalid"}), "the style is none of its place"): (
        "bc_request_param_style_changed parameterDiff/parameter_diff_1 parameterDiff/parameter_diff_2 "
    ),
    (frozenset({"openapi-invalid"}), "an operation must have responses (3.0)"): (
        "bc_response_apiresponse_base bc_response_apiresponse_decreased "
        "schemaDiff/schema-min-max-properties-diff-1 schemaDiff/schema-min-max-properties-diff-2 "
        "schemaDiff/schema-nullable-diff-1 schemaDiff/schema-nullable-diff-2 "
        "schemaDiff/schema-pattern-diff-1 schemaDiff/schema-pattern-diff-2 "
        "schemaDiff/schema-uniqueItems-diff-1 schemaDiff/schema-uniqueItems-diff-2 "
    ),
    (frozenset({"openapi-invalid"}), "a security scheme lacks what its type asks for"): (
        "bc_security_scheme_base bc_security_scheme_bearer_format_changed "
        "bc_security_scheme_changed_but_compatible bc_security_scheme_in_changed "
        "bc_security_scheme_open_id_connect_url_changed bc_security_scheme_scopes_increased "
        "bc_security_scheme_type_changed "
    ),
    (frozenset({"cannot-be-served"}), "HTTP digest has no verifier"): ("bc_security_scheme_scheme_changed "),
    (frozenset({"cannot-be-served"}), "a schema that is made of itself on the same value"): (
        "composed_schema_2 oneOf_diff_1 oneOf_diff_2 oneOf_diff_3 "
    ),
    (frozenset({"cannot-be-served"}), "text that is declared as an object"): (
        "recursive_model_1 recursive_model_2 recursive_model_3 recursive_new recursive_old "
    ),
    (frozenset({"operation-id-duplicate", "path-duplicate"}), "one operationId twice"): (
        "delete_endpoint_1 path_3 "
    ),
    (frozenset({"openapi-invalid"}), "a path parameter must be required"): (
        "issue-666-oas-3-0-examples-handling-1 issue-666-oas-3-0-examples-handling-2 "
    ),
    (frozenset({"openapi-invalid"}), "an answer must have a description"): (
        "issue-666-oas-3-1-examples-handling-1 issue-666-oas-3-1-examples-handling-2 missing_property_1 "
        "missing_property_2 "
    ),
    (frozenset({"openapi-invalid"}), "a parameter must have a name"): ("path_5 path_6 "),
    (frozenset({"version-unsupported"}), "Swagger 2.0"): ("petstore_swagger2 "),
    (frozenset({"operation-id-duplicate"}), "one operationId twice"): (
        "request_diff_1 request_diff_2 security_diff_1 security_diff_2 "
    ),
    (frozenset({"openapi-invalid"}), "a media type is no place for $ref in 3.0"): (
        "response_schema_added_1 "
    ),
    (frozenset({"openapi-invalid"}), "a type that is none"): (
        "schemaDiff/schema-add-property-1 schemaDiff/schema-add-property-2 "
        "schemaDiff/schema-add-property-put-1 schemaDiff/schema-add-property-put-2 "
    ),
    (frozenset({"security-scheme-undeclared", "operation-id-duplicate"}), "one operationId twice"): (
        "security_diff_3 security_diff_4 "
    ),
    (frozenset({"security-scheme-undeclared"}), "a requirement names no scheme"): ("security_diff_5 "),
}
# What cannot be read: links of the original repository, here files that hold the target's name.
UNREADABLE = ("jsonschema/omh/*.json",)
FOLDERS = (
    ("openapi", ("*.yaml", "*.yml", "*.json", "*.gz")),
    ("asyncapi", ("*.yaml", "*.yml")),
    ("schema", ("*.json", "*.gz", "*.schema.yaml")),
)
HOMES = {
    "openapi": ("openapi",),
    "asyncapi": ("asyncapi",),
    "schema": ("jsonschema", "events/nhs-digital-letters-schemas"),
}


def documents(corpus: Path) -> Iterator[tuple[str, Path]]:
    for kind, endings in FOLDERS:
        for home in HOMES[kind]:
            for path in sorted(path for ending in endings for path in (corpus / home).rglob(ending)):
                yield kind, path


def reviewed(name: str) -> frozenset[str]:
    """Give the rules whose errors are expected in a document."""
    short = name.removeprefix("openapi/openapi-diff-pairs/").removesuffix(".yaml")
    if short != name:
        for (rules, _), names in PAIRS.items():
            if short in names.split():
                return rules
    return next((rules for pattern, (rules, _) in REVIEWED.items() if fnmatch(name, pattern)), frozenset())


@pytest.mark.corpus
def test_every_real_document_is_judged_and_only_reviewed_ones_have_errors(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, unreadable, judged, table = {}, [], Counter[str](), []
    for kind, path in documents(corpus):
        name, entry, root = str(path.relative_to(corpus)), path, corpus / path.relative_to(corpus).parts[0]
        if path.suffix == ".gz":
            entry, root = tmp_path / path.stem, tmp_path
            entry.write_bytes(gzip.decompress(path.read_bytes()))
        began = time.perf_counter()
        try:
            if kind_of(parse(entry.read_bytes(), name=entry.name).root) != kind:
                continue
            findings = check_file(entry, root)
        except DocumentError as error:
            if error.code != "document-kind" and kind_by_place(name):
                unreadable.append(name)
            continue
        judged[kind] += 1
        counts = Counter(str(one.severity) for one in findings)
        errors = {one.rule for one in findings if one.severity is Severity.ERROR}
        told = " ".join(f"{counts[severity]:>5}" for severity in ("error", "warning", "info"))
        table.append(f"{told} {time.perf_counter() - began:6.2f} s  {name}  {' '.join(sorted(errors))}")
        if errors != reviewed(name):
            wrong[name] = sorted(errors)
        assert {one.rule for one in findings} <= BY_ID.keys()
        assert all(one.line is not None for one in findings), name
    with capsys.disabled():
        print("\nerror  warn  info  seconds  document\n" + "\n".join(table))
    assert wrong == {}
    assert [name for name in unreadable if not any(fnmatch(name, pattern) for pattern in UNREADABLE)] == []
    assert judged["openapi"] > 250
    assert judged["asyncapi"] == 12
    assert judged["schema"] > 30


def kind_by_place(name: str) -> bool:
    """Whether a file is a document at all: the examples beside some documents are none."""
    return "/examples" not in name
