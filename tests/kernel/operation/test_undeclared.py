"""Fields that nothing declares: refused, told or left alone, by a policy for each place."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import ContractInvalid
from kernel.operation.compile import compile_contract
from kernel.operation.operation import Operation
from kernel.operation.undeclared import Unknown

OK = {"responses": {"200": {"description": "ok"}}}
PARAMETERS = [
    {"name": "q", "in": "query", "schema": {"type": "string"}},
    {"name": "f", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
    {"name": "X-Ward", "in": "header", "schema": {"type": "string"}},
    {"name": "sid", "in": "cookie", "schema": {"type": "string"}},
]
SCHEMES = {
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "token"},
}


NOTHING = Unknown()


def operation(unknown: Unknown = NOTHING, *, root: Any = None, item: Any = None, **spec: Any) -> Operation:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1.0.0"},
        "components": {"securitySchemes": SCHEMES},
        "security": [{name: [] for name in SCHEMES}],
        "paths": {"/a": {"get": {"parameters": PARAMETERS, **OK, **spec}, **(item or {})}},
        **(root or {}),
    }
    (made,) = compile_contract(document, unknown=unknown).operations
    return made


QUERY = b"q=1&f[a]=2&key=secret"
HEADERS = [
    *((b"host", b"a"), (b"user-agent", b"a"), (b"accept", b"*/*"), (b"sec-fetch-mode", b"cors")),
    *(
        (b"x-forwarded-for", b"a"),
        (b"traceparent", b"a"),
        (b"idempotency-key", b"a"),
        (b"x-request-id", b"a"),
    ),
    *((b"x-ward", b"7"), (b"x-key", b"secret"), (b"cookie", b"sid=1; token=secret")),
]


def told(made: Operation, query: bytes = QUERY, *more: tuple[bytes, bytes]) -> list[tuple[str, str, str]]:
    problem = made.check_request((), query, [*HEADERS, *more], b"")
    assert problem is None or problem.slug == "parameter-invalid"
    return [(one.location, one.keyword, one.name) for one in problem.violations] if problem else []


def test_each_place_has_its_policy() -> None:
    made = operation(Unknown("strict", "strict", "strict"))
    assert told(made) == []
    assert told(made, QUERY + b"&secret=1&secret=2&g[a]=1") == [("query", "undeclared", "{key}")] * 2
    assert told(made, QUERY, (b"x-secret", b"1"), (b"x-secret", b"2")) == [("header", "undeclared", "{key}")]
    assert told(made, QUERY, (b"cookie", b"secret=1;;")) == [("cookie", "undeclared", "{key}")]
    for place in ("query", "header", "cookie"):
        alone = operation(Unknown(**{place: "strict"}))  # type: ignore[arg-type]
        found = told(alone, QUERY + b"&x=1", (b"x-secret", b"1"), (b"cookie", b"secret=1"))
        assert found == [(place, "undeclared", "{key}")]


def test_without_a_policy_everything_passes() -> None:
    assert told(operation(), b"x=1", (b"x-secret", b"1"), (b"cookie", b"secret=1")) == []


def test_the_nearest_word_of_the_contract_counts() -> None:
    key = "x-interlock-unknown-query"
    for root, item, own, refused in (
        ("strict", None, None, True),
        ("allow", "strict", None, True),
        ("strict", "strict", "report", False),
        (None, None, "strict", True),
    ):
        made = operation(
            Unknown("allow"),
            root={key: root} if root else None,
            item={key: item} if item else None,
            **({key: own} if own else {}),
        )
        assert bool(told(made, b"x=1")) is refused


@pytest.mark.parametrize("place", ["query", "header", "cookie"])
def test_a_misspelt_policy_is_refused(place: str) -> None:
    with pytest.raises(ContractInvalid, match="strict, report, allow") as caught:
        operation(**{f"x-interlock-unknown-{place}": "stirct"})
    assert caught.value.place is not None
    assert caught.value.place.pointer == f"/paths/~1a/get/x-interlock-unknown-{place}"


def test_what_is_only_reported_passes_and_is_counted() -> None:
    made = operation(Unknown("report", "report", "report"))
    more = ((b"x-secret", b"1"), (b"cookie", b"other=1"))
    assert told(made, QUERY + b"&a=1&b=2", *more) == []
    found = made.undeclared(QUERY + b"&a=1&b=2", [*HEADERS, *more])
    assert [one.location for one in found] == ["query", "query", "header", "cookie"]
    assert "secret" not in repr(found)
    assert made.undeclared(QUERY, HEADERS) == ()
    assert made.undeclared(b"%zz=1", HEADERS) == ()
    assert operation(Unknown("strict")).undeclared(b"a=1", HEADERS) == ()


def test_a_route_may_have_a_policy_of_its_own() -> None:
    made = operation(Unknown("strict"))
    assert made.under(Unknown()) is made
    assert made.under(Unknown("strict")) is made
    relaxed = made.under(Unknown(query="allow", header="strict"), frozenset({b"api-version"}))
    assert told(relaxed, b"x=1", (b"api-version", b"1")) == []
    assert told(relaxed, b"", (b"other-version", b"1")) == [("header", "undeclared", "{key}")]
    assert told(made, b"x=1") == [("query", "undeclared", "{key}")]
    assert (relaxed.id, relaxed.template) == (made.id, made.template)


def test_a_key_beside_a_query_that_is_one_value_belongs_to_security() -> None:
    spec = {
        "name": "all",
        "in": "querystring",
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {"n": {"type": "integer"}},
                    "additionalProperties": False,
                }
            }
        },
    }
    made = operation(root={"openapi": "3.2.0"}, parameters=[spec])
    assert told(made, b"n=1&key=secret") == []
    assert told(made, b"n=1&kay=secret") == [("query", "additionalProperties", "")]
