"""Contracts are compiled when they are called, let go of when they are not, and judge the same before and after."""

import pytest

from runtime_proxy.coldness import Coldness
from runtime_proxy.compiled import compile_routed
from runtime_proxy.errors import ActivationFailed

ORDER = {"code": "2823-3", "priority": "urgent"}


@pytest.fixture
async def site(make_house):
    house = make_house()
    await house.publish()
    house.meters = house.plane._meters
    house.coldness = Coldness(house.plane.activation, house.meters.calls, 1.0)

    async def call(*given) -> int:
        reply = await house.ask(*given)
        house.meters.answered(house.last, reply, "")
        return reply.status

    house.call = call
    (house.contract,) = house.plane.activation.contracts()
    return house


def awake(house) -> set[str]:
    return {one.id for one in house.contract.contract.operations if one.awake}


async def test_nothing_is_held_of_a_document_until_it_is_called(site) -> None:
    assert awake(site) == set()
    assert not site.contract.contract.declared.at_hand
    assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
    assert awake(site) == {"placeOrder"}


async def test_what_is_not_called_any_more_is_let_go_of_and_judges_the_same_when_it_is(site) -> None:
    assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
    assert await site.call("GET", "/orders/v1/orders") == 502  # 201 is not what a list answers
    assert site.coldness.sweep() == 0, "both were called since"
    assert await site.call("POST", "/orders/v1/orders", {}) == 422
    assert site.coldness.sweep() == 1
    assert awake(site) == {"placeOrder"}
    assert site.contract.contract.declared.at_hand
    assert site.coldness.sweep() == 1
    assert awake(site) == set()
    assert not site.contract.contract.declared.at_hand
    for body, status in ((ORDER, 201), ({}, 422), (ORDER, 201)):
        assert await site.call("POST", "/orders/v1/orders", body) == status
    assert await site.call("GET", "/orders/v1/orders?limit=1000") == 400
    assert site.coldness.sweep() == 0


async def test_an_operation_that_is_let_go_of_while_its_call_is_out_still_judges_the_answer(
    site, kit
) -> None:
    def answer_later(_):
        for operation in site.contract.contract.operations:
            operation.sleep()
        site.contract.let_go()
        return kit.answer(201, {})

    site.provider.answer = answer_later
    assert await site.call("POST", "/orders/v1/orders", ORDER) == 502


async def test_a_new_bundle_takes_compiled_contracts_over_without_reading_them(site) -> None:
    assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
    site.coldness.sweep()
    site.coldness.sweep()
    await site.publish()
    (now,) = site.plane.activation.contracts()
    assert now is site.contract
    assert not now.contract.declared.at_hand
    assert await site.call("POST", "/orders/v1/orders", ORDER) == 201


async def test_a_large_document_is_kept_since_reading_it_again_holds_others_up(site, monkeypatch) -> None:
    monkeypatch.setattr("runtime_proxy.compiled.LARGEST_ASLEEP", 100)
    (compiled,) = compile_routed(site.bundle_of(), {}).values()
    assert compiled.contract.declared.at_hand


async def test_a_document_that_cannot_be_compiled_is_refused_at_once_although_nothing_is_held(
    site, kit
) -> None:
    document = kit.orders_document()
    document["security"] = [{"nobody": []}]
    with pytest.raises(ActivationFailed):
        await site.publish(document)
