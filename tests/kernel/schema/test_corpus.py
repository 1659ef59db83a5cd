"""Every schema of the real documents compiles, or is refused for a reason that was looked at."""

import gzip

import pytest

from kernel.contract.document import kind_of, parse
from kernel.contract.grammar import grammar_of, members
from kernel.contract.local_files import inline_files
from kernel.contract.positions import token
from kernel.errors import InterlockError, SchemaRefused
from kernel.schema.validator import compile_schema, dialect_of

# document -> (schemas that are refused, why)
REFUSED = {
    # A parent that is `oneOf` its children, each `allOf` the parent: judged without end on one value.
    "composed_schema_2.yaml": (6, "leads back to itself"),
    "oneOf_diff_1.yaml": (6, "leads back to itself"),
    "oneOf_diff_2.yaml": (6, "leads back to itself"),
    "oneOf_diff_3.yaml": (6, "leads back to itself"),
    # `type: count`
    "schema-add-property-1.yaml": (2, "not valid"),
    "schema-add-property-2.yaml": (2, "not valid"),
    "schema-add-property-put-1.yaml": (3, "not valid"),
    "schema-add-property-put-2.yaml": (3, "not valid"),
    # `^\d{3}-\d{2}-\d{4}$?`
    "schema-pattern-diff-2.yaml": (1, "cannot be repeated"),
}


def schemas(root):
    """Give pointer and schema of every place where the grammar has one, outermost only."""
    grammar = grammar_of(root)
    stack = [("", root, grammar.root)]
    while stack:
        pointer, node, type_ = stack.pop()
        if not isinstance(node, dict):
            continue
        for key, value, row in grammar.fields(type_, node):
            for step, item in members(row, value):
                here = pointer + token(key) + ("" if step is None else token(step))
                if row.type not in ("schema", "payload"):
                    stack.append((here, item, row.type))
                elif isinstance(item, dict | bool):
                    yield here, item


def documents(corpus):
    for file in sorted(corpus.glob("openapi/*/*.json.gz")):
        yield file.name, parse(gzip.decompress(file.read_bytes()), name=file.name.removesuffix(".gz"))
    files = [*corpus.glob("openapi/**/*.y*ml"), *corpus.glob("asyncapi/**/*.y*ml")]
    for file in sorted(files):
        folder = corpus / "asyncapi/spec-examples-social-media" if "social-media" in str(file) else None
        try:
            document = inline_files(file, folder)
            if kind_of(document.root) != "schema" and "swagger" not in document.root:
                yield file.name, document
        except InterlockError:
            continue  # parts of a document of several files; that whole ones are read is tested elsewhere


@pytest.mark.corpus
def test_real_schemas_compile(corpus):
    refused, compiled, surprises = {}, 0, []
    for name, document in documents(corpus):
        dialect = dialect_of(document.root)
        for pointer, schema in schemas(document.root):
            try:
                compile_schema(schema, root=document.root, dialect=dialect, direction="request").accepts({})
                compiled += 1
            except SchemaRefused as error:
                refused[name] = refused.get(name, 0) + 1
                if name not in REFUSED or REFUSED[name][1] not in error.message:
                    surprises.append((name, pointer, error.message))
    assert surprises == []
    assert refused == {name: count for name, (count, _) in REFUSED.items()}
    assert compiled > 5_000
