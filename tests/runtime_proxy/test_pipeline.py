"""The main path: what passes, what is refused with which status, and what the audit log says of it."""

import json

import pytest

from adapters.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from kernel.audit.forms import Draft

ORDER = {"code": "2823-3", "priority": "urgent"}


async def test_a_valid_call_is_carried_and_answered(house, kit) -> None:
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert reply.status == 201
    assert json.loads(reply.body) == {"id": "o-1", "state": "placed"}
    assert kit.header(reply, "x-interlock-contract") == "orders@1.0.0"
    assert kit.header(reply, "x-request-id") == house.last.request_id
    (call,) = house.provider.calls
    assert (call.method, call.target) == (b"POST", b"/orders")
    assert (call.contract, call.operation_id, call.idempotent) == ("orders", "placeOrder", False)
    assert house.journal.stages() == ["received", "completed"]


async def test_the_records_of_a_call_say_who_what_and_how(house) -> None:
    await house.ask("POST", "/orders/v1/orders", ORDER)
    received, completed = house.journal.records[-2:]
    for record in (received, completed):
        assert record["consumer"] == "ward"
        assert record["key"] == "w1"
        assert record["contract"] == "orders"
        assert record["operation"] == "placeOrder"
        assert record["route"] == "/orders"
        assert record["client"] == "192.0.2.7"
        assert record["request_id"] == house.last.request_id
    assert completed["closes"] == received["id"]
    assert (completed["outcome"], completed["status"], completed["upstream_status"]) == ("success", 201, 201)
    assert received["request_bytes"] == len(json.dumps(ORDER))
    assert len(completed["response_sha256"]) == 64


async def test_the_records_of_a_plain_call_are_written_by_a_form(house, monkeypatch) -> None:
    given, append = [], house.journal.append
    monkeypatch.setattr(
        house.journal, "append", lambda record, loop: given.append(record) or append(record, loop)
    )
    await house.ask("POST", "/orders/v1/orders", ORDER)
    assert [isinstance(record, Draft) for record in given] == [True, True]
    assert [record["auth"] for record in house.journal.records[-2:]] == ["api-key", "api-key"]


async def test_a_safe_call_has_one_record(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    reply = await house.ask("GET", "/orders/v1/orders/o-1")
    assert reply.status == 200
    assert house.journal.stages() == ["completed"]


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "status", "slug"),
    [
        ("GET", "/nowhere", b"", (), 404, "not-found"),
        ("GET", "/orders/v2/orders", b"", (), 404, "not-found"),
        ("GET", "/orders/v1/patients", b"", (), 404, "not-found"),
        ("GET", "/orders/v1/../v1/orders", b"", (), 400, "target-invalid"),
        ("DELETE", "/orders/v1/orders", b"", (), 405, "method-not-allowed"),
        ("GET", "/orders/v1/orders?limit=x", b"", (), 400, "parameter-invalid"),
        ("GET", "/orders/v1/orders?limit=101", b"", (), 400, "parameter-invalid"),
        ("GET", "/orders/v1/orders", b"", (("x-ward", "much too long"),), 400, "parameter-invalid"),
        ("POST", "/orders/v1/orders", b"", (), 400, "body-missing"),
        ("POST", "/orders/v1/orders", b"{", (), 400, "body-malformed"),
        ("POST", "/orders/v1/orders", b'{"code":"1-2","code":"3-4"}', (), 400, "body-malformed"),
        ("POST", "/orders/v1/orders", b"x", (("content-type", "text/plain"),), 415, "media-type-unsupported"),
        ("POST", "/orders/v1/orders", {"code": "x"}, (), 422, "body-invalid"),
        ("POST", "/orders/v1/orders", b"[]", (("content-encoding", "compress"),), 415, "content-coding-unsupported"),
    ],
)  # fmt: skip
async def test_what_the_contract_does_not_admit_never_reaches_the_provider(
    house, kit, method, target, body, headers, status, slug
) -> None:
    reply = await house.ask(method, target, body, *headers)
    body = kit.problem(reply)
    assert (reply.status, body["slug"]) == (status, slug)
    assert house.provider.calls == []
    (record,) = house.journal.records
    assert (record["stage"], record["outcome"], record["refusal"]) == ("refused", "refused", slug)


async def test_a_violation_names_place_and_keyword(house, kit) -> None:
    reply = await house.ask("POST", "/orders/v1/orders", {"code": "2823-3", "priority": "x", "copies": 10})
    body = kit.problem(reply)
    assert sorted((one["in"], one["pointer"], one["keyword"]) for one in body["errors"]) == [
        ("body", "/copies", "maximum"),
        ("body", "/priority", "enum"),
    ]
    assert (body["contract"], body["version"]) == ("orders", "1.0.0")
    assert body["digest"].startswith("sha256:")
    reply = await house.ask("GET", "/orders/v1/orders?limit=101")
    (error,) = kit.problem(reply)["errors"]
    assert error == {"in": "query", "name": "limit", "pointer": "", "keyword": "maximum"}


async def test_405_and_options_tell_what_is_allowed(house, kit) -> None:
    reply = await house.ask("PATCH", "/orders/v1/orders")
    assert (reply.status, kit.header(reply, "allow")) == (405, "GET, HEAD, OPTIONS, POST")
    reply = await house.ask("OPTIONS", "/orders/v1/orders", key=None)
    assert (reply.status, kit.header(reply, "allow"), reply.body) == (204, "GET, HEAD, OPTIONS, POST", b"")
    assert house.provider.calls == []


async def test_head_is_taken_where_get_is_declared(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(
        200, None, (b"content-type", b"application/json"), (b"content-length", b"77")
    )
    reply = await house.ask("HEAD", "/orders/v1/orders/o-1")
    assert (reply.status, reply.body, kit.header(reply, "content-length")) == (200, b"", "77")
    assert house.provider.calls[0].method == b"HEAD"


async def test_without_key_401_says_how_to_present_one(house, kit) -> None:
    reply = await house.ask("GET", "/orders/v1/orders", key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "credentials-missing")
    assert kit.header(reply, "www-authenticate") == 'ApiKey realm="orders", in="header", name="X-API-Key"'
    reply = await house.ask("GET", "/orders/v1/orders", key="ilk_w1_wrong")
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "credentials-refused")
    assert house.provider.calls == []


async def test_an_operation_without_security_needs_no_key(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(204)
    assert (await house.ask("GET", "/orders/v1/status", key=None)).status == 204
    assert "consumer" not in house.journal.records[-1]


async def test_scopes_and_grants_are_asked_for(make_house, kit) -> None:
    from kernel.bundle.model import Grant

    house = make_house()
    house.provider.answer = lambda _: kit.answer(204)
    await house.publish()
    reply = await house.ask("PUT", "/orders/v1/orders/o-1", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (403, "scope-missing")
    await house.publish(grants=(Grant("orders", 1, scopes=("orders.write",)),))
    assert (await house.ask("PUT", "/orders/v1/orders/o-1", ORDER)).status == 204
    await house.publish(grants=())
    reply = await house.ask("PUT", "/orders/v1/orders/o-1", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (403, "not-granted")


async def test_an_internal_contract_is_not_for_partners(make_house, kit) -> None:
    house = make_house()
    await house.publish(reaches="partner")
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"]) == (403, "audience-refused")


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (UpstreamUnreachable("laboratory: refused", sent=False), 502, "upstream-unreachable"),
        (UpstreamBroken("laboratory: not HTTP", sent=True), 502, "upstream-broken"),
        (UpstreamTimeout("laboratory: no answer", sent=True), 504, "upstream-timeout"),
    ],
)
@pytest.mark.parametrize(("method", "target"), [("POST", "/orders/v1/orders"), ("GET", "/orders/v1/orders")])
async def test_a_provider_that_fails_is_told_and_recorded(
    house, kit, error, status, slug, method, target
) -> None:
    def fail(_call):
        raise error

    house.provider.answer = fail
    reply = await house.ask(method, target, ORDER if method == "POST" else b"")
    assert (reply.status, kit.problem(reply)["slug"]) == (status, slug)
    assert "laboratory" not in reply.body.decode()
    record = house.journal.records[-1]
    unknown = method == "POST" and error.sent
    assert (record["stage"], record["outcome"], record["refusal"]) == (
        "completed",
        "unknown" if unknown else "failed",
        slug,
    )
    assert kit.header(reply, "retry-after") is None


async def test_a_provider_outside_its_contract_is_not_shown(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(201, {"patient": "Sandberg"}, (b"x-secret", b"Sandberg"))
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (502, "provider-broke-contract")
    assert b"Sandberg" not in reply.body
    assert kit.header(reply, "x-secret") is None
    assert "errors" not in kit.problem(reply)
    record = house.journal.records[-1]
    assert (record["outcome"], record["upstream_status"], record["status"]) == ("failed", 201, 502)
    assert record["problems"] == [{"pointer": "/id", "keyword": "required", "in": "body"}]
    assert "Sandberg" not in json.dumps(house.journal.records)


@pytest.mark.parametrize("status", [200, 418, 500])
async def test_a_status_that_is_not_declared_breaks_the_contract(house, kit, status) -> None:
    house.provider.answer = lambda _: kit.answer(status, {"id": "o-1"})
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 502


async def test_a_declared_error_of_the_provider_is_its_answer(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(404)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 404
    assert house.journal.records[-1]["outcome"] == "failed"


async def test_report_only_lets_the_answer_pass_and_records_it(make_house, kit) -> None:
    house = make_house()
    await house.publish(report_only=True)
    house.provider.answer = lambda _: kit.answer(201, {"patient": "x"})
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, json.loads(reply.body)) == (201, {"patient": "x"})
    record = house.journal.records[-1]
    assert record["report_only"] is True
    assert record["problem_count"] == 1
    assert (await house.ask("POST", "/orders/v1/orders", {"code": 1})).status == 422


async def test_nothing_goes_out_before_received_is_durable(house, kit) -> None:
    house.journal.refuse_next()
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "audit-unavailable")
    assert kit.header(reply, "retry-after") == "5"
    assert house.provider.calls == []


async def test_a_call_whose_end_cannot_be_recorded_is_of_unknown_outcome(house, kit) -> None:
    house.journal.refuse_next(after=1)
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (500, "outcome-unknown")
    assert kit.header(reply, "retry-after") is None
    assert len(house.provider.calls) == 1
    assert b"o-1" not in reply.body


async def test_a_safe_call_whose_end_cannot_be_recorded_discloses_nothing(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    house.journal.refuse_next()
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "audit-unavailable")
    assert b"o-1" not in reply.body


async def test_a_dead_journal_stops_calls_before_they_go_out(house, kit) -> None:
    from kernel.errors import AuditError

    house.journal.failure = AuditError("the disk is gone")
    for method, body in (("GET", b""), ("POST", ORDER)):
        reply = await house.ask(method, "/orders/v1/orders", body)
        assert (reply.status, kit.problem(reply)["slug"]) == (503, "audit-unavailable")
    assert house.provider.calls == []


async def test_a_refusal_that_cannot_be_recorded_is_not_given(house, kit) -> None:
    house.journal.refuse_next()
    reply = await house.ask("GET", "/nowhere")
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "audit-unavailable")


@pytest.mark.pure
async def test_a_fault_of_ours_is_500_and_recorded(house, kit, monkeypatch) -> None:
    import runtime_proxy.pipeline as module

    def crash(*_args, **_more):
        raise ZeroDivisionError("Sandberg")

    monkeypatch.setattr(module, "validate_request", crash)
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (500, "internal-error")
    assert house.journal.records[-1]["refusal"] == "internal-error"
    assert house.provider.calls == []
    monkeypatch.setattr(module, "authenticate", crash)
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"]) == (500, "internal-error")


@pytest.mark.pure
async def test_a_fault_after_the_call_went_out_does_not_deny_that_it_did(house, kit, monkeypatch) -> None:
    import runtime_proxy.pipeline as module

    def crash(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(module, "validate_response", crash)
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (500, "outcome-unknown")
    record = house.journal.records[-1]
    assert (record["stage"], record["outcome"]) == ("completed", "unknown")
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"]) == (500, "internal-error")


async def test_a_call_that_is_given_up_is_recorded_as_unknown(house) -> None:
    import asyncio

    started = asyncio.Event()

    async def never(_call):
        started.set()
        await asyncio.Event().wait()

    house.provider.call = never
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    assert house.pipeline.admit(exchange)
    task = asyncio.create_task(house.pipeline.serve(exchange))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    record = house.journal.records[-1]
    assert (record["stage"], record["outcome"], record["reason"]) == ("completed", "unknown", "consumer-gone")
    assert house.pipeline.plan.slots[0].in_flight == 0


async def test_before_the_first_bundle_nothing_is_served(make_house, kit) -> None:
    house = make_house()
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"], kit.header(reply, "retry-after")) == (
        503,
        "not-ready",
        "5",
    )
    assert (await house.ask("GET", "/-/readyz")).status == 503
    assert (await house.ask("GET", "/-/healthz")).status == 200
    await house.publish()
    ready = await house.ask("GET", "/-/readyz", key=None)
    assert ready.status == 200
    assert json.loads(ready.body)["bundle"] == {"contracts": 1, "access": 1, "routes": 1}


async def test_metrics_are_only_read(house, kit) -> None:
    assert (await house.ask("GET", "/-/metrics", key=None)).status == 200
    assert (await house.ask("POST", "/-/metrics", key=None)).status == 405


async def test_a_request_that_the_edge_could_not_read_is_answered_and_recorded(house, kit) -> None:
    reply = await house.pipeline.protocol_refusal("framing-refused", "192.0.2.9", None)
    assert (reply.status, kit.problem(reply)["slug"], reply.close) == (400, "framing-refused", True)
    record = house.journal.records[-1]
    assert (record["stage"], record["refusal"], record["client"]) == (
        "refused",
        "framing-refused",
        "192.0.2.9",
    )
    house.journal.refuse_next()
    reply = await house.pipeline.protocol_refusal("framing-refused", "192.0.2.9", None)
    assert (reply.status, reply.close) == (503, True)
