"""@asyncapi/parser as the oracle: over the corpus and over documents broken in one place after the other.

Whoever refuses alone has to have a reason below: the specification's text decides, not the tool. Every third
mutation is judged, in a fixed order; `INTERLOCK_EVERY=1` judges all 1,607 of them (about half a second each).
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from kernel.contract.document import parse
from kernel.contract.local_files import inline_files
from kernel.contract.positions import token
from kernel.errors import DocumentError, ReferenceRefused
from registry.lint.document import lint
from tests.bench import npm
from tests.bench.machine import BenchError
from tests.registry.lint.asyncapi_samples import NEW, OLD, changed

pytestmark = pytest.mark.long

PARSER = "@asyncapi/parser@3.6.0"
Oracle = Callable[[Any], list[str]]

# What the oracle refuses and we take: mutation and place, and why the text takes it too.
THEIRS = [
    ("old", "*", "*/security/*/token/*", "no MUST says that a flow offers the scope; `security-scope-unknown` warns"),
    ("old", "drop", "/components/securitySchemes/token/flows/clientCredentials*", "as above"),
    ("old", "*", "/components/messages/Final/schemaFormat", "custom formats are allowed; `payload-unchecked` warns"),
    ("new", "*", "*/bindingVersion", "a later version of a binding is none of its errors; `binding-unchecked` warns"),
    ("new", "drop", "*/amqp/queue", "the page of AMQP requires no `queue` beside `is: queue`"),
    ("new", "*", "/components/messages/Avro/payload/schema*", "Avro is not looked into; `payload-unchecked` warns"),
    ("new", "drop", "/components/schemas/Wrapped/schema/enum/0", "draft-07 says that an enum SHOULD have a value"),
    ("new", "*", "/components/securitySchemes/bearer/scheme", "bearerFormat is a hint, and no MUST binds it to the scheme"),
]  # fmt: skip
# What we refuse and the oracle takes, by our rule: where the demand stands.
OURS = {
    "content-type-invalid": "MUST be a specific media type (§Default Content Type, §Message Object)",
    "server-host-invalid": "a host name with an optional port (§Server Object)",
    "server-variable-undeclared": "a placeholder without a variable has no value; the oracle asks so only in 2.x servers with variables",
    "channel-address-invalid": "the oracle looks at the channel's key instead of its address (§Channel Object)",
    "channel-parameter-undeclared": "MUST contain all the parameters used in the address (§Parameters Object)",
    "channel-parameter-unused": "MUST match the parameter name used in the address (§Parameters Object)",
    "operation-message-foreign": "a subset of the messages of the reply's channel (§Operation Reply Object)",
    "message-example-invalid": "MUST validate against the payload (§Message Example Object); the oracle does so in 2.x only",
    "discriminator-undeclared": "MUST be defined at this schema, and required (§Schema Object)",
    "default-mistyped": "MUST conform to the type (§Schema Object)",
    "binding-invalid": "the page of the protocol's binding; the oracle knows no bindings of 2.x",
    "runtime-expression-invalid": "the ABNF of §Runtime Expression",
    "url-relative": "MUST be an absolute URL; the oracle takes any URI reference in some places",
    "schema-encoding-invalid": "MUST be inlined in the form of the format (§Multi Format Schema Object)",
    "schema-invalid": "the oracle judges no schemas inside bindings of 2.x",
    "reference-refused": "the oracle leaves references that are no strings alone",
    "schema-keyword-invalid": "the types of §Schema Object",
}  # fmt: skip
# Places where the structure alone makes the difference.
STRUCTURE = [
    ("*/bindings*", "a binding is an object (§Bindings)"),
    ("/components/*Bindings/*", "a binding is an object (§Bindings)"),
    ("*/parameters*", "a parameter is an object (§Parameters Object); the oracle's pattern lets other values pass"),
    ("*/$ref", "`$ref` is a string (§Reference Object)"),
    ("*/messages/0", "messages are references (§Operation Object)"),
    ("*/channel", "a channel is a reference (§Operation Object)"),
    ("*/payload", "a Multi Format Schema Object has `schema`, and no other members (§Multi Format Schema Object)"),
    ("*/Wrapped*", "as above"),
    ("/components/securitySchemes/token", "an OAuth 2 scheme has the members of its type (§Security Scheme Object)"),
]  # fmt: skip
# Documents of the corpus that one of the two refuses alone.
CORPUS = {
    "spec-examples/operation-security-asyncapi.yml": "default-mistyped: a boolean whose default is the text 'false'",
}


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    folder = tmp_path_factory.mktemp("oracle")
    try:
        npm.install(folder, PARSER, wanted="@asyncapi/parser")
    except BenchError as error:
        pytest.skip(f"{PARSER}: {error}")
    script = Path(__file__).with_name("asyncapi_oracle.mjs")
    with subprocess.Popen(
        ["node", str(script), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        watch = Timer(3_600, process.kill)
        watch.start()
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def ask(root: Any) -> list[str]:
            asked.write(json.dumps(root) + "\n")
            asked.flush()
            told: list[str] = json.loads(answered.readline())
            return told

        yield ask
        watch.cancel()
        asked.close()


def ours(root: Any) -> list[tuple[str, str]]:
    try:
        return [(one.rule, one.pointer) for one in lint(root, "asyncapi") if one.severity == "error"]
    except DocumentError as error:
        return [(error.code, "")]


def places(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    yield pointer, node
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in steps:
        yield from places(child, pointer + token(step))


def mutations(root: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Break a document in each place: nothing there, another type, an odd text, a lost reference, a foreign key."""
    for pointer, node in places(root):
        if not pointer:
            continue
        yield "drop", pointer, changed(root, pointer, ...)
        yield "mistype", pointer, changed(root, pointer, "seven" if isinstance(node, int | bool) else 7)
        if isinstance(node, dict):
            yield "unknown", pointer, changed(root, f"{pointer}/unknownKey", 1)
        elif isinstance(node, str) and pointer.endswith("/$ref"):
            yield "dangle", pointer, changed(root, pointer, f"{node}Nowhere")
        elif isinstance(node, str):
            yield "odd", pointer, changed(root, pointer, "?? {")


def is_argued(name: str, kind: str, pointer: str, found: list[tuple[str, str]]) -> bool:
    if not found:
        return any(fnmatch(name, a) and fnmatch(kind, b) and fnmatch(pointer, c) for a, b, c, _ in THEIRS)
    return all(
        rule in OURS or (rule == "asyncapi-invalid" and any(fnmatch(at, one) or fnmatch(pointer, one) for one, _ in STRUCTURE))
        for rule, at in found
    )  # fmt: skip


@pytest.mark.parametrize(("name", "root"), [("new", NEW), ("old", OLD)])
def test_a_document_broken_in_one_place_is_refused_by_both_or_the_difference_is_argued(
    oracle: Oracle, name: str, root: dict[str, Any]
) -> None:
    assert (ours(root), oracle(root)) == ([], [])
    every = int(os.environ.get("INTERLOCK_EVERY", "3"))
    differing, both = [], 0
    for number, (kind, pointer, broken) in enumerate(mutations(root)):
        if number % every:
            continue
        found, theirs = ours(broken), oracle(broken)
        both += bool(found) and bool(theirs)
        if bool(found) != bool(theirs) and not is_argued(name, kind, pointer, found):
            differing.append((kind, pointer, found, theirs[:3]))
    assert differing == []
    assert both > 150 // every


@pytest.mark.corpus
def test_the_real_documents_have_the_oracles_verdict_or_an_argued_one(oracle: Oracle, corpus: Path) -> None:
    home = corpus / "asyncapi"
    differing, judged = {}, 0
    for path in sorted(home.rglob("*.y*ml")):
        name = str(path.relative_to(home))
        if not isinstance(root := _read(path, home), dict) or "asyncapi" not in root:
            continue
        judged += 1
        found, theirs = ours(root), oracle(root)
        if bool(found) != bool(theirs):
            differing[name] = (found, theirs[:3])
    assert judged == 10
    assert differing.keys() == CORPUS.keys(), differing


def _read(path: Path, home: Path) -> Any:
    """Give the whole document; None where it refers to what is not there (both refuse that, each in its way)."""
    try:
        root = parse(path.read_bytes(), name=path.name).root
        return inline_files(path, home).root if isinstance(root, dict) and "asyncapi" in root else None
    except ReferenceRefused:
        return None
