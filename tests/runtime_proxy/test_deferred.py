"""What cannot be judged at once is judged before anything else happens, and what is held is given back."""

from runtime_proxy.refusals_head import OverLimit

ORDER = {"code": "2823-3", "priority": "urgent"}


class Slot:
    def __init__(self) -> None:
        self.released = 0

    def release(self) -> None:
        self.released += 1


async def test_a_late_refusal_reaches_no_provider(house, kit) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    assert house.pipeline.admit(exchange)
    slot = exchange.held = Slot()

    async def refuse(_):
        return OverLimit()

    exchange.deferred = refuse
    reply = await house.pipeline.serve(exchange)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "over-limit")
    assert (house.provider.calls, slot.released) == ([], 1)
    assert house.journal.stages() == ["refused"]


async def test_what_is_deferred_twice_is_asked_twice_and_then_carried_out(house) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    assert house.pipeline.admit(exchange)
    asked = []

    async def first(one):
        asked.append("first")
        one.deferred = second
        one.held = slot

    async def second(_):
        asked.append("second")
        assert slot.released == 0

    slot = Slot()
    exchange.deferred = first
    assert (await house.pipeline.serve(exchange)).status == 201
    assert (asked, slot.released, len(house.provider.calls)) == (["first", "second"], 1, 1)


async def test_a_fault_while_waiting_lets_nothing_pass(house, kit) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    assert house.pipeline.admit(exchange)

    async def broken(_):
        raise RuntimeError("no")

    exchange.deferred = broken
    reply = await house.pipeline.serve(exchange)
    assert (reply.status, kit.problem(reply)["slug"], house.provider.calls) == (500, "internal-error", [])
