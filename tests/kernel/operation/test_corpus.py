"""Every real OpenAPI document becomes operations, or is refused for a reason that a person has read."""

from __future__ import annotations

import gzip
import resource
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kernel.contract.document import kind_of, parse
from kernel.contract.local_files import inline_files
from kernel.contract.references import check_references
from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from runtime_proxy.match import Match, PathTrie

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.contract.document import Document

pytestmark = pytest.mark.corpus

NETWORK = "points to the network"  # DESIGN §7.12: no document is ever fetched
UNDECLARED = "disagree about 'id'"  # a brace without a path parameter: OpenAPI 3.x "Path Templating"
REQUIRED = "must say `required: true`"  # of a path parameter: OpenAPI 3.x "Parameter Object"
STYLE = "cannot have the style"  # simple and matrix are no styles of a query
SAME = "are the same path to a router"  # OpenAPI 3.x "Paths Object": identical, and MUST NOT exist
SCHEME = "is not declared"  # a security requirement MUST correspond to a declared scheme
VERIFIER = "that no proxy here can verify"  # http without its `scheme`, which MUST be there, and digest
LOOP = "leads back to itself on the same value"  # Pet is oneOf Cat, Cat is allOf Pet: nothing can be judged
UNREAD = "so that its content could not be checked"  # text of an object, FHIR XML of a JSON schema
TYPE = "the schema is not valid"  # `type: count` and the like are no JSON Schema types

# Reviewed by eye: each breaks the specification in the way that its reason says.
REFUSED = {
    "cdc-rs/lookup-tables-openapi.yaml": NETWORK,
    "hcx/openapi_hcx_notifications-draft.yaml": NETWORK,
    "hcx/openapi_hcx_notifications.yaml": NETWORK,
    "openapi-diff-pairs/bc_openapi_changed_but_compatible.yaml": UNDECLARED,
    "openapi-diff-pairs/bc_paths_base.yaml": UNDECLARED,
    "openapi-diff-pairs/bc_paths_changed_but_compatible.yaml": UNDECLARED,
    "openapi-diff-pairs/content_type_request_add_1.yaml": UNDECLARED,
    "openapi-diff-pairs/content_type_request_add_2.yaml": UNDECLARED,
    "openapi-diff-pairs/content_type_response_add_1.yaml": UNDECLARED,
    "openapi-diff-pairs/content_type_response_add_2.yaml": UNDECLARED,
    "openapi-diff-pairs/issue-666-oas-3-0-examples-handling-1.yaml": REQUIRED,
    "openapi-diff-pairs/issue-666-oas-3-0-examples-handling-2.yaml": REQUIRED,
    "openapi-diff-pairs/issue-666-oas-3-1-examples-handling-1.yaml": REQUIRED,
    "openapi-diff-pairs/issue-666-oas-3-1-examples-handling-2.yaml": REQUIRED,
    "openapi-diff-pairs/bc_request_param_style_changed.yaml": STYLE,
    "openapi-diff-pairs/parameterDiff/parameter_diff_1.yaml": STYLE,
    "openapi-diff-pairs/parameterDiff/parameter_diff_2.yaml": STYLE,
    "openapi-diff-pairs/delete_endpoint_1.yaml": SAME,
    "openapi-diff-pairs/path_3.yaml": SAME,
    "openapi-diff-pairs/parameterDiff/parameters_overloading.yaml": SAME,
    "openapi-diff-pairs/parameterDiff/parameters_overloading_2.yaml": SAME,
    "openapi-diff-pairs/security_diff_3.yaml": SCHEME,
    "openapi-diff-pairs/security_diff_4.yaml": SCHEME,
    "openapi-diff-pairs/security_diff_5.yaml": SCHEME,
    "openapi-diff-pairs/bc_security_scheme_base.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_bearer_format_changed.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_changed_but_compatible.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_in_changed.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_open_id_connect_url_changed.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_scheme_changed.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_scopes_increased.yaml": VERIFIER,
    "openapi-diff-pairs/bc_security_scheme_type_changed.yaml": "an API key needs a name",
    "openapi-diff-pairs/path_5.yaml": "a parameter needs a name",
    "openapi-diff-pairs/path_6.yaml": "a parameter needs a name",
    "openapi-diff-pairs/composed_schema_2.yaml": LOOP,
    "openapi-diff-pairs/oneOf_diff_1.yaml": LOOP,
    "openapi-diff-pairs/oneOf_diff_2.yaml": LOOP,
    "openapi-diff-pairs/oneOf_diff_3.yaml": LOOP,
    "nhs-bars/booking-and-referral-1.1.0.yaml": UNREAD,
    "nhs-bars/booking-and-referral-1.2.0.yaml": UNREAD,
    "nhs-bars/booking-and-referral-1.3.0.yaml": UNREAD,
    "openapi-diff-pairs/recursive_model_1.yaml": UNREAD,
    "openapi-diff-pairs/recursive_model_2.yaml": UNREAD,
    "openapi-diff-pairs/recursive_model_3.yaml": UNREAD,
    "openapi-diff-pairs/recursive_new.yaml": UNREAD,
    "openapi-diff-pairs/recursive_old.yaml": UNREAD,
    "openapi-diff-pairs/schemaDiff/schema-add-property-1.yaml": TYPE,
    "openapi-diff-pairs/schemaDiff/schema-add-property-2.yaml": TYPE,
    "openapi-diff-pairs/schemaDiff/schema-add-property-put-1.yaml": TYPE,
    "openapi-diff-pairs/schemaDiff/schema-add-property-put-2.yaml": TYPE,
    "openapi-diff-pairs/schemaDiff/schema-pattern-diff-2.yaml": "repeats what cannot be repeated",
}


def documents(folder: Path) -> list[Path]:
    """List the files that say they are OpenAPI."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.endswith((".yaml", ".yml", ".json", ".json.gz")):
            head = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())[:4000]
            if b"openapi:" in head or b'"openapi"' in head:
                found.append(path)
    return found


def read(path: Path) -> Document:
    """Read a document as the command line would: local files inlined, nothing fetched."""
    if path.suffix == ".gz":
        document = parse(gzip.decompress(path.read_bytes()), name=path.name.removesuffix(".gz"))
    else:
        document = inline_files(path)
    check_references(document.root)
    return document


def memory() -> float:
    """Give the peak of resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_every_document_compiles_or_is_on_the_reviewed_list(corpus: Path) -> None:
    folder = corpus / "openapi"
    paths = documents(folder)
    assert len(paths) > 200
    refused: dict[str, str] = {}
    rows = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        before, started = memory(), time.perf_counter()
        try:
            document = read(path)
            if kind_of(document.root) != "openapi":
                continue
            compiled = compile_contract(document.root, name=name)
            findings = compiled.prepare()
            PathTrie(compiled.operations)
        except InterlockError as error:
            refused[name] = str(error)
            continue
        seconds = time.perf_counter() - started
        version = document.root["openapi"]
        rows.append((name, version, len(compiled.operations), seconds, memory() - before, len(findings)))
    table = [f"{'document':<70}{'version':<9}{'operations':>10}{'seconds':>9}{'MB':>7}{'findings':>9}"]
    for name, version, operations, seconds, growth, count in rows:
        table.append(f"{name:<70}{version:<9}{operations:>10}{seconds:>9.2f}{growth:>7.1f}{count:>9}")
    table += [f"refused: {name}: {reason}" for name, reason in sorted(refused.items())]
    sys.stdout.write("\n" + "\n".join(table) + "\n")
    assert refused.keys() == REFUSED.keys()
    assert {name: why for name, why in REFUSED.items() if why not in refused[name]} == {}


def test_the_github_document_is_served_whole(corpus: Path) -> None:
    document = read(corpus / "openapi/github/ghes-3.18.json.gz")
    compiled = compile_contract(document.root)
    assert len(compiled.operations) == 980
    trie = PathTrie(compiled.operations)
    found = trie.match(b"GET", (b"repos", b"o", b"r", b"compare", b"main...topic"))
    assert getattr(found, "path_values", None) == (b"o", b"r", b"main", b"topic")
    for operation in compiled.operations:
        segments = tuple(
            f"s{index}" if "{" in part else part for index, part in enumerate(operation.segments)
        )
        reached = trie.match(operation.method, tuple(map(str.encode, segments)))
        split = [part for part in operation.segments if "{" in part and part.count("{") + part.count("}") > 2]
        assert split or (isinstance(reached, Match) and reached.operation is operation)
    # What the proxy cannot look into is one content type of one operation.
    rules = [finding.rule for finding in compiled.prepare()]
    assert [rule for rule in rules if rule != "content-undeclared"] == ["content-assumed-json"]
