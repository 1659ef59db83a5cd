"""Real event documents, each changed in one way at a time: the change is found, both ways, and called right."""

import copy
import itertools

import pytest

from kernel.contract.finding import Severity
from kernel.contract.sites import resolve_pointer
from kernel.errors import InterlockError
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.operation.shapes import follow
from registry.compat.inputs import read_self_contained
from registry.compat.policy import compare

pytestmark = pytest.mark.corpus


def documents(corpus):
    for file in sorted((corpus / "asyncapi").rglob("*.y*ml")):
        inside = corpus / "asyncapi" / "spec-examples-social-media"
        try:
            root = read_self_contained(file, inside if inside in file.parents else None).root
        except InterlockError:
            continue  # a part of another document, or one that refers to the network
        if "info" in root:
            yield file.relative_to(corpus), root


def blocks(old, new):
    found = compare(old, new, "asyncapi").findings
    for one in found:
        for root, pointer in ((old, one.base_pointer), (new, one.pointer)):
            if pointer is not None and not (root is new and one.pointer == one.base_pointer):
                try:
                    resolve_pointer(root, pointer)
                except InterlockError:
                    resolve_pointer(old, one.pointer)  # something that is gone
    return {one.rule for one in found if one.severity is not Severity.SAFE}


def ways_of(root):
    """Give the way of each payload, by the pointer where it stands."""
    found = {}
    for flow in read_asyncapi(root).flows:
        payload = flow.message.payload
        if payload is not None and payload.dialect is not None:
            schema, place = follow(root, payload.schema, payload.pointer)
            if isinstance(schema, dict) and schema.get("type") == "object" and "properties" in schema:
                found.setdefault(place, set()).add(flow.way)
    return found


def test_a_document_is_compatible_with_itself_however_it_is_written(corpus):
    judged = 0
    for name, root in documents(corpus):
        again = copy.deepcopy(root)
        again["info"]["description"] = "Other words."
        for section in ("channels", "components", "operations", "servers"):
            if isinstance(again.get(section), dict):
                again[section] = dict(reversed(again[section].items()))
        assert blocks(root, again) == set(), name
        judged += 1
    assert judged >= 10


def test_every_channel_is_missed(corpus):
    for name, root in documents(corpus):
        for key, channel in read_asyncapi(root).channels.items():
            if channel.address is None:
                continue
            less = copy.deepcopy(root)
            del less["channels"][key]
            if "operations" in less:
                less["operations"] = {
                    one: value for one, value in less["operations"].items()
                    if f"#/channels/{key}'" not in str(value).replace('"', "'") and f"#/channels/{key}/" not in str(value)
                }  # fmt: skip
            assert "channel-removed" in blocks(root, less), (name, key)
            assert not blocks(less, root) & {"channel-removed", "document-not-comparable"}, (name, key)


def test_what_payloads_ask_for_is_judged_by_their_way(corpus):
    judged = 0
    for name, root in documents(corpus):
        for pointer, ways in ways_of(root).items():
            more = copy.deepcopy(root)
            schema = resolve_pointer(more, pointer)
            schema["properties"]["zz"] = {"type": "string"}
            schema["required"] = [*schema.get("required", []), "zz"]
            forward, back = blocks(root, more), blocks(more, root)
            assert ("value-no-longer-accepted" in forward) is ("receive" in ways), (name, pointer, forward)
            assert ("value-newly-emitted" in back) is ("send" in ways), (name, pointer, back)
            if schema.get("additionalProperties") is not False:  # a closed object neither took nor sent `zz`
                assert "value-newly-emitted" not in forward
                assert "value-no-longer-accepted" not in back
            judged += 1
    assert judged >= 12


def other_protocol(root):
    name = next(iter(root.get("servers", {})))
    root["servers"][name]["protocol"] = "pigeon"


def unknown_binding(root):
    channel = next(iter(root["channels"].values()))
    channel["bindings"] = {"pigeon": {"wings": 2}}


def unknown_key(root):
    next(iter(root["channels"].values()))["wings"] = 2


def nameless(root):
    root["id"] = "urn:example:other"


@pytest.mark.parametrize(("change", "rule"), [
    (other_protocol, "server-protocol-changed"), (unknown_binding, "binding-undecided"),
    (unknown_key, "change-unclassified"), (nameless, "change-unclassified"),
])  # fmt: skip
def test_one_change_of_each_kind_is_found(corpus, change, rule):
    judged = 0
    for name, root in documents(corpus):
        new = copy.deepcopy(root)
        try:
            change(new)
        except (StopIteration, KeyError):
            continue
        assert rule in blocks(root, new), name
        assert rule in blocks(new, root), name
        judged += 1
    assert judged >= 5


def test_every_pair_of_different_documents_gets_a_verdict_and_no_error(corpus):
    roots = [root for _, root in documents(corpus)]
    for old, new in itertools.permutations(roots, 2):
        assert str(compare(old, new, "asyncapi").outcome) != "compatible"
