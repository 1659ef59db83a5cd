"""Undeclared fields through the pipeline: strict about the query of frozen contracts, unless somebody says else."""

from __future__ import annotations

import json

import pytest

from kernel.bundle.policy import RoutePolicy, Unknown

ORDER = b'{"code":"2823-3","priority":"urgent"}'
TARGET = "/orders/v1/orders?wrad=7"
ODD = (("x-odd", "1"), ("cookie", "odd=1"))


async def published(make_house, kit, policy=None, **said):
    document = kit.orders_document()
    del document["x-interlock-unknown-query"]
    document |= {f"x-interlock-unknown-{place}": word for place, word in said.items()}
    house = make_house()
    await house.publish(document, policy=RoutePolicy(unknown=policy))
    return house


@pytest.mark.parametrize(
    ("policy", "said", "expected"),
    [
        (None, {}, [("query", "undeclared")]),
        (None, {"query": "allow"}, []),
        (Unknown(query="allow"), {}, []),
        (Unknown(query="allow"), {"query": "strict"}, []),
        (Unknown(query="strict"), {"query": "allow"}, [("query", "undeclared")]),
        (Unknown(query="report", header="strict"), {}, [("header", "undeclared")]),
        (Unknown(query="allow", cookie="strict"), {}, [("cookie", "undeclared")]),
    ],
)
async def test_what_is_undeclared_is_refused_by_policy(make_house, kit, policy, said, expected) -> None:
    house = await published(make_house, kit, policy, **said)
    reply = await house.ask("POST", TARGET, ORDER, *ODD)
    assert reply.status == (400 if expected else 201)
    assert len(house.provider.calls) == (not expected)
    if expected:
        problem = json.loads(reply.body)
        assert [(one["in"], one["keyword"]) for one in problem["errors"]] == expected
        assert "wrad" not in reply.body.decode()
        assert "odd" not in reply.body.decode()


async def test_what_is_only_reported_is_counted_and_goes_on_as_it_came(make_house, kit, caplog) -> None:
    house = await published(make_house, kit, Unknown("report", "report", "report"))
    reply = await house.ask("POST", TARGET, ORDER, *ODD)
    assert reply.status == 201
    assert kit.header(reply, "x-interlock-violations") == "3"
    assert house.provider.calls[0].target == b"/orders?wrad=7"
    assert [record.getMessage().count("keyword=undeclared") for record in caplog.records] == [1, 1, 1]
    assert "wrad" not in caplog.text
    plain = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert kit.header(plain, "x-interlock-violations") is None
