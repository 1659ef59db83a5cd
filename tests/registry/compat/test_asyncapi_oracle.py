"""No verdict *compatible* is refuted: what may be written under one version is read under the other.

Interfaces of several addresses and messages are made up and changed at random: payloads, headers, names, parameters,
who sends. The oracle knows no labels: it writes messages by hand from one version's schemas and asks the runtime's
validators of the other.
"""

import copy
import itertools
import random

import pytest

from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat.policy import compare
from tests.registry.compat.events import WRITERS, Said
from tests.registry.compat.test_asyncapi_versions import mutated, schema

WORDS = ("", "a", "b", "c", "zzzzz")
NAMES = ("Placed", "Moved", "Freed", "Alarm")


def values(one, depth=3):
    """Write values of a schema as the generator makes them, only what it declares."""
    if "enum" in one:
        return list(one["enum"])
    if one["type"] == "string":
        return [word for word in WORDS if len(word) <= one.get("maxLength", 9)]
    if one["type"] == "integer":
        return [number for number in (-1, 0, 1, 2, 3, 4) if number >= one.get("minimum", -9)]
    if one["type"] == "array":
        return [[], *([item] for item in values(one["items"], depth - 1)[:4])]
    required = [name for name in one.get("required", []) if name in one["properties"]]
    undeclared = [name for name in one.get("required", []) if name not in one["properties"]]
    found = []
    names = sorted(one["properties"])
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(names, size) for size in range(len(names) + 1)
    ):
        if set(required) <= set(chosen):
            lists = [values(one["properties"][name], depth - 1)[:4] for name in chosen]
            pairs = itertools.islice(itertools.product(*lists), 24)
            found += [
                {**dict.fromkeys(undeclared, "a"), **dict(zip(chosen, one_, strict=True))} for one_ in pairs
            ]
    return found


def interface(choose):
    made = {}
    for address in choose.sample(["beds", "wards/{ward}", "alarms"], choose.randint(1, 3)):
        one = {}
        if "{" in address:
            one["parameters"] = {"ward": choose.choice([None, ["icu"], ["icu", "er"]])}
        for action in choose.choice([["receive"], ["send"], ["receive", "send"]]):
            names = choose.sample(NAMES, choose.randint(1, 3))
            # A name means one message in the whole document: the address and the way make it its own.
            one[action] = [said(choose, f"{name}{action}{address[:1]}") for name in names]
        made[address] = one
    return made


def said(choose, name):
    headers = None
    if choose.random() < 0.3:
        headers = {"type": "object", "properties": {"h": schema(choose, 0)}}
        if choose.random() < 0.5:
            headers["required"] = ["h"]
    return Said(name, schema(choose), headers)


def changed(choose, old):
    """Change one or two things, or none that matters."""
    new = copy.deepcopy(old)
    for _ in range(choose.randint(1, 2)):
        address = choose.choice(sorted(new))
        actions = [action for action in ("receive", "send") if action in new[address]]
        action = choose.choice(actions)
        listed = new[address][action]
        index = choose.randrange(len(listed))
        one = listed[index]
        step = choose.randrange(8)
        if step == 0:
            listed[index] = Said(one.name, mutated(choose, one.payload), one.headers)
        elif step == 1:
            listed[index] = Said(f"New{one.name}", one.payload, one.headers)
        elif step == 2:
            listed[index] = Said(f"New{one.name}", mutated(choose, one.payload), one.headers)
        elif step == 3:
            listed.append(said(choose, f"More{action}{address[:1]}{len(listed)}"))
        elif step == 4 and len(listed) > 1:
            del listed[index]
        elif step == 5:
            listed[index] = Said(one.name, one.payload, said(choose, "").headers)
        elif step == 6 and len(listed) > 1:
            names = [other.name for other in listed]
            names = names[1:] + names[:1]
            new[address][action] = [
                Said(name, other.payload, other.headers) for name, other in zip(names, listed, strict=True)
            ]
        elif "parameters" in new[address]:
            new[address]["parameters"] = {"ward": choose.choice([None, ["icu"], ["icu", "er"]])}
    return new


def takes(said_, headers, payload):
    checks = ((said_.payload, payload), (said_.headers or True, headers))
    return all(
        compile_schema(one, root=one, dialect=Dialect.DRAFT_07).accepts(value) for one, value in checks
    )


def refutations(old, new):
    """Give a message of a writer that no reader takes: old ones that we receive, new ones that we send."""
    for action, writers, readers in (("receive", old, new), ("send", new, old)):
        for address, one in writers.items():
            if action == "send" and (address not in readers or "send" not in readers[address]):
                continue  # nobody listens yet
            read = readers.get(address, {}).get(action, [])
            for written in one.get(action, ()):
                for headers in values(written.headers)[:6] if written.headers else [{}]:
                    for payload in values(written.payload):
                        if not any(takes(other, headers, payload) for other in read):
                            yield action, address, written.name, headers, payload
    for address, one in old.items():
        for values_, other in ((one.get("parameters"), new.get(address, {}).get("parameters")),):
            if (
                values_
                and other
                and other["ward"]
                and not set(values_["ward"] or ["else"]) <= set(other["ward"])
            ):
                yield "parameter", address, values_, other


def judge(seed):
    choose = random.Random(seed)
    old = interface(choose)
    new = changed(choose, old)
    first, second = choose.choice(list(WRITERS.values())), choose.choice(list(WRITERS.values()))
    verdict = compare(first(old), second(new), "asyncapi")
    assert not any(one.rule == "document-not-comparable" for one in verdict.findings)
    if str(verdict.outcome) == "compatible":
        assert next(refutations(old, new), None) is None, seed
    elif str(verdict.outcome) == "breaking":
        for one in verdict.findings:
            if one.has_witness and one.exchange is not None and one.exchange["kind"] == "message":
                confirm(old, new, one.exchange)
    return str(verdict.outcome)


def confirm(old, new, exchange):
    """A whole message is taken by one version and refused by the other, at its address."""
    action = exchange["action"]
    writers, readers = (old, new) if action == "receive" else (new, old)
    address = next(one for one in writers if one.split("/")[0] == exchange["address"].split("/")[0])
    ends = [
        [
            takes(one, exchange.get("headers", {}), exchange["payload"])
            for one in side.get(address, {}).get(action, ())
        ]
        for side in (writers, readers)
    ]
    if exchange["address"] != address and [any(end) for end in ends] == [True, True]:
        return  # the address is what is refused
    if [any(end) for end in ends] == [True, True]:
        # It would be read as another message than it is: the one of its name refuses it.
        took = {one.name for one, took in zip(readers[address][action], ends[1], strict=True) if took}
        sent = [one.name for one, took in zip(writers[address][action], ends[0], strict=True) if took]
        assert any(name not in took for name in sent), exchange
        return
    if [any(end) for end in ends] == [False, True]:
        ends.reverse()  # a message that is sent no more: only the old version has it
        assert action == "send"
    assert [any(end) for end in ends] == [True, False], exchange


@pytest.mark.parametrize("block", range(8))
def test_compatible_is_never_refuted(block):
    found = [judge(seed) for seed in range(block * 30, block * 30 + 30)]
    assert {"compatible", "breaking"} <= set(found)
    assert found.count("undecided") <= 6


@pytest.mark.long
def test_compatible_is_never_refuted_among_thousands():
    for seed in range(1000, 4000):
        judge(seed)
