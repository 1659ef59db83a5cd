"""Report-only of requests: nothing is refused for the contract's sake, everything is counted."""

import json
import logging

import pytest

ORDER = {"code": "2823-3", "priority": "urgent"}


@pytest.fixture
async def watched(make_house):
    house = make_house(open_reports=True)
    await house.publish(report_only=True, report_requests=True)
    return house


async def test_in_service_reporting_opens_no_door(make_house, kit) -> None:
    house = make_house()
    await house.publish(report_only=True, report_requests=True)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, key=None)).status == 401
    assert (await house.ask("GET", "/orders/v1/patients")).status == 404
    assert house.provider.calls == []
    reply = await house.ask("POST", "/orders/v1/orders", {"code": 1})
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (201, "2")
    assert all(name != b"x-api-key" for name, _ in house.provider.calls[0].headers)


async def test_a_clean_call_counts_nothing(watched, kit) -> None:
    reply = await watched.ask("POST", "/orders/v1/orders", ORDER, key=None)
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (201, "0")
    assert "report_only" not in watched.journal.records[-1]


async def test_request_and_answer_are_counted_and_logged_without_values(watched, kit, caplog) -> None:
    caplog.set_level(logging.WARNING)
    watched.provider.answer = lambda _: kit.answer(201, {"state": "Sandberg"})
    reply = await watched.ask("POST", "/orders/v1/orders", {"code": "Sandberg"}, key=None)
    assert (reply.status, json.loads(reply.body)) == (201, {"state": "Sandberg"})
    assert kit.header(reply, "x-interlock-violations") == "4"
    assert watched.provider.calls[0].body == b'{"code": "Sandberg"}'
    lines = sorted(record.getMessage() for record in caplog.records)
    assert lines == [
        "violation request placeOrder body-invalid in=body pointer=/code keyword=pattern",
        "violation request placeOrder body-invalid in=body pointer=/priority keyword=required",
        "violation response placeOrder provider-broke-contract in=body pointer=/id keyword=required",
        "violation response placeOrder provider-broke-contract in=body pointer=/state keyword=enum",
    ]
    assert watched.journal.records[-1]["report_only"] is True


async def test_an_undeclared_call_goes_on_as_it_came(watched, kit) -> None:
    watched.provider.answer = lambda _: kit.answer(200, b"anything")
    reply = await watched.ask("GET", "/orders/v1/patients/7?x=1", key=None)
    assert (reply.status, reply.body, kit.header(reply, "x-interlock-violations")) == (200, b"anything", "1")
    assert watched.provider.calls[-1].target == b"/patients/7?x=1"
    reply = await watched.ask("DELETE", "/orders/v1/orders", key=None)
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (200, "1")
    assert watched.journal.stages() == ["completed", "received", "completed"]
    assert "patients" not in json.dumps(watched.journal.records)


async def test_options_goes_on_and_is_no_violation(watched, kit) -> None:
    watched.provider.answer = lambda _: kit.answer(204)
    reply = await watched.ask("OPTIONS", "/orders/v1/orders", key=None)
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (204, "0")
    assert watched.provider.calls[-1].method == b"OPTIONS"


async def test_credentials_are_the_providers_own(watched) -> None:
    await watched.ask("POST", "/orders/v1/orders", ORDER, ("x-api-key", "theirs"), key=None)
    assert (b"x-api-key", b"theirs") in watched.provider.calls[0].headers


async def test_what_cannot_be_recorded_is_refused_all_the_same(watched, kit) -> None:
    watched.journal.refuse_next()
    reply = await watched.ask("POST", "/orders/v1/orders", {"code": 1}, key=None)
    assert reply.status == 503
    assert watched.provider.calls == []


async def test_outside_the_route_nothing_is_served(watched) -> None:
    assert (await watched.ask("GET", "/elsewhere", key=None)).status == 404
    assert (await watched.ask("GET", "/orders/v1/%00", key=None)).status == 400
