"""Compatible is never refuted by calls: what the old operations take, the new ones take, and answers the other way.

No verdict is written down by hand: documents are changed at random places, and what is called compatible is tried
with requests and answers that are built from one version alone and judged by the compiled operations of both.
"""

import copy
import random

from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from registry.compat import openapi
from registry.compat import openapi_samples as samples
from registry.compat.containment import Comparer
from registry.compat.oasdiff import Opinion
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_paths import operations, shape_of
from registry.compat.openapi_places import Placed, Scope
from registry.compat.openapi_sides import Api
from registry.compat.openapi_touched import Touched
from registry.compat.policy import compare
from registry.compat.runtime import Runtime
from registry.compat.schema_view import Unreadable
from registry.compat.writing import Unwritable
from tests.registry.compat.ward import WARD, ward

CHANGES = 220
VALUES = [
    True, False, 1, 5, 8, 20, "string", "integer", "number", ["a"], ["east"], ["free"], {"type": "string"}, {}, [],
    "required", "simple", "x-key", "query", "header", ["patient"], ["id"],
    {"$ref": "#/components/schemas/Bed"}, {"$ref": "#/components/schemas/State"},
]  # fmt: skip
# By rule, callers reckon with these: statuses, forms and bodies that the old version did not name.
ADDED = {"response-added", "response-media-type-added", "response-body-added", "operation-added"}


def places(node, path=()):
    yield path
    listed = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in listed:
        yield from places(child, (*path, key))


def changed(draw, path):
    """Give the document with something else, or nothing, at a place."""
    root = ward()
    parent = root
    for step in path[:-1]:
        parent = parent[step]
    if draw.random() < 0.4:
        del parent[path[-1]]
    else:
        parent[path[-1]] = copy.deepcopy(draw.choice(VALUES))
    return root


class Version:
    """One document: its operations, plain calls and answers of its own, and what it takes."""

    def __init__(self, root):
        touched = Touched(root, root)
        api = Api(root, "old", touched)
        self.journal = Journal(Comparer(declared_only=True), api, Api(root, "new", touched), touched)
        self.runtime = Runtime(root)
        self.operations = {
            (shape_of(template), method): Placed(template, api.path_item(template), method, operation)
            for template in root["paths"]
            for method, operation in operations(api, api.path_item(template))
        }

    def calls(self, placed):
        scope = Scope("", (placed.method, placed.template), ends=(placed, placed))
        try:
            plain = samples.plain_call(self.journal, scope)
        except (Unwritable, Unreadable):
            return
        yield plain
        for key, part in samples.parameters(self.journal, scope)[0].items():
            for value in list(samples.Ends(self.journal, "request", (part, part)).values())[:6]:
                yield plain.having(key, part.value, value)

    def answers(self, placed):
        scope = Scope("", (placed.method, placed.template), ends=(placed, placed))
        for status in placed.operation.value.get("responses") or {}:
            try:
                yield samples.plain_answer(self.journal, scope, status.upper()).answered()
            except (Unwritable, Unreadable):
                continue


def refuted(old, new, rules):
    """Count what was tried, and give what refutes that nobody is broken."""
    tried, found = 0, []
    for key, placed in old.operations.items():
        for call in old.calls(placed):
            try:
                sent = call.sent()
            except Unwritable:
                continue
            if old.runtime.takes(placed, sent, called=False):
                tried += 1
                if new.runtime.takes(new.operations.get(key), sent, called=False) is False:
                    found.append((key, sent))
    for key, placed in new.operations.items():
        for answer in new.answers(placed) if key in old.operations and not rules & ADDED else ():
            if new.runtime.allows(placed, answer):
                tried += 1
                if old.runtime.allows(old.operations[key], answer) is False:
                    found.append((key, answer))
    return tried, found


def test_what_is_called_compatible_is_refuted_by_no_call_and_no_answer(monkeypatch):
    monkeypatch.setattr(openapi, "ask_oasdiff", lambda *_: Opinion())
    draw = random.Random(20261126)
    paths = [path for path in places(WARD) if len(path) > 1 and path[0] not in {"openapi", "info"}]
    compatible = tried = 0
    for _ in range(CHANGES):
        root = changed(draw, draw.choice(paths))
        try:
            compile_contract(root).prepare()
        except InterlockError:
            continue  # no proxy would run it
        for pair in ((WARD, root), (root, WARD)):
            verdict = compare(*pair, "openapi")
            if str(verdict.outcome) == "compatible":
                rules = {finding.rule for finding in verdict.findings}
                number, found = refuted(Version(pair[0]), Version(pair[1]), rules)
                assert found == [], rules
                compatible += 1
                tried += number
    assert compatible >= 60
    assert tried >= 1_500
