"""What `x-interlock-idempotency` may say, and that nothing that is not understood is taken for silence."""

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.compile import compile_contract
from kernel.operation.idempotency import Idempotency


def compiled(declared, method="post"):
    operation = {"x-interlock-idempotency": declared, "responses": {"200": {"description": "ok"}}}
    document = {"openapi": "3.1.0", "info": {}, "paths": {"/orders": {method: operation}}}
    return compile_contract(document).operations[0].idempotency


@pytest.mark.parametrize(
    ("declared", "meant"),
    [
        ("required", Idempotency(required=True)),
        ("optional", Idempotency(required=False)),
        ({"key": "required"}, Idempotency(True, 86_400, "operation", False, frozenset({429}))),
        (
            {
                "key": "optional",
                "ttl": 60,
                "scope": "contract",
                "provider": "honours",
                "not-done": [429, 503],
            },
            Idempotency(False, 60, "contract", True, frozenset({429, 503})),
        ),
        ({"key": "required", "not-done": []}, Idempotency(True, not_done=frozenset())),
        (None, None),
    ],
)
def test_what_is_declared_is_what_is_meant(declared, meant) -> None:
    assert compiled(declared) == meant


@pytest.mark.parametrize(
    ("declared", "pointer"),
    [
        ("yes", "/key"),
        (True, ""),
        ({}, ""),
        ({"ttl": 60}, ""),
        ({"key": "required", "ttl": 59}, "/ttl"),
        ({"key": "required", "ttl": True}, "/ttl"),
        ({"key": "required", "ttl": "60"}, "/ttl"),
        ({"key": "required", "scope": "consumer"}, "/scope"),
        ({"key": "required", "provider": True}, "/provider"),
        ({"key": "required", "not-done": [200]}, "/not-done/0"),
        ({"key": "required", "not-done": 429}, "/not-done"),
        ({"key": "required", "seconds": 60}, "/seconds"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_place(declared, pointer) -> None:
    with pytest.raises(ContractInvalid) as caught:
        compiled(declared)
    assert caught.value.place.pointer == f"/paths/~1orders/post/x-interlock-idempotency{pointer}"


@pytest.mark.parametrize("method", ["get", "head", "options", "trace"])
def test_an_operation_that_changes_nothing_takes_no_key(method) -> None:
    with pytest.raises(ContractInvalid, match="changes nothing"):
        compiled("optional", method)
