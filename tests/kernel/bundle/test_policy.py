"""Policies: what is refused, and that the refusal names the place."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.bundle.policy import Address, ConsumerPolicy, RoutePolicy
from kernel.bundle.policy_document import policy_document, read_policy
from kernel.errors import PolicyInvalid


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ([], "", "object"),
        ({"teleport": True}, "/teleport", "no field 'teleport'"),
        ({"address": 3}, "/address", "got `int`"),
        ({"address": {"host": []}}, "/address/host", "no field 'host'"),
        ({"address": {"hosts": ["a.example", 1]}}, "/address/hosts/1", "got `int`"),
        ({"address": {"hosts": ["A.example"]}}, "/address", "lower case"),
        ({"address": {"hosts": ["a.example:80"]}}, "/address", "port"),
        ({"address": {"hosts": ["a.example", "a.example"]}}, "/address", "once"),
        ({"address": {"header": "X Version"}}, "/address", "field name"),
        ({"unknown": {"query": "stirct"}}, "/unknown/query", "stirct"),
    ],
)
def test_a_fault_is_told_with_its_pointer(document: Any, pointer: str, words: str) -> None:
    with pytest.raises(PolicyInvalid, match=words) as caught:
        read_policy(RoutePolicy, document)
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer
    assert (pointer or "its root") in caught.value.message


def test_a_document_reads_as_what_it_was_written_from() -> None:
    policy = RoutePolicy(address=Address(("a.example",), "Api-Version"))
    assert read_policy(RoutePolicy, policy_document(policy)) == policy
    assert policy_document(RoutePolicy()) == policy_document(ConsumerPolicy()) == {}


def test_a_policy_has_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.bundle.policy_document.LARGEST_POLICY", 100)
    with pytest.raises(PolicyInvalid, match="larger"):
        read_policy(RoutePolicy, {"address": {"hosts": ["a" * 60 + ".example"]}})
