"""Taking bundles up: beside the old one, probed, swapped; and whatever fails, the old one keeps serving."""

import asyncio

import msgspec
import pytest

from adapters.errors import AdapterSettingsError
from kernel.errors import BundleError, BundleMissing
from runtime_proxy.errors import ActivationFailed

ORDER = {"code": "2823-3", "priority": "urgent"}


class Source:
    """A bundle folder that gives what the test says."""

    def __init__(self, house) -> None:
        self.house = house
        self.waiting = []
        self.accepted = 0

    def changed(self) -> bool:
        return bool(self.waiting)

    def read(self):
        given = self.waiting.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    def accept(self, read) -> None:
        self.accepted += 1


class Read:
    def __init__(self, bundle) -> None:
        self.bundle = bundle


async def serves(house) -> bool:
    return (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201


def unusable(kit):
    document = kit.orders_document("1.1.0")
    document["security"] = [{"nobody": []}]
    return document


async def test_a_contract_that_cannot_be_compiled_changes_nothing(house, kit) -> None:
    before = house.pipeline.plan
    with pytest.raises(ActivationFailed, match=r"orders 1\.1\.0 cannot be served: .*nobody"):
        await house.publish(unusable(kit), current="1.1.0")
    assert house.pipeline.plan is before
    assert await serves(house)


async def test_a_contract_without_operations_is_not_served(house, kit) -> None:
    empty = kit.orders_document("1.1.0")
    empty["paths"] = {}
    with pytest.raises(ActivationFailed, match="declares no operation"):
        await house.publish(empty, current="1.1.0")
    assert await serves(house)


async def test_an_adapter_that_cannot_be_built_changes_nothing(house) -> None:
    def refuse(_instance):
        raise AdapterSettingsError("no such kind")

    house.plane.adapters._build = refuse
    with pytest.raises(ActivationFailed, match="no such kind"):
        await house.publish(adapter_settings={"base_url": "http://other"})
    assert await serves(house)
    assert not house.provider.stopped


async def test_an_adapter_that_does_not_start_changes_nothing(house) -> None:
    class Broken:
        kind = name = "broken"

        async def start(self):
            raise OSError("no")

        async def stop(self):
            """Nothing to do."""

        async def call(self, call):
            raise AssertionError

    house.plane.adapters._build = lambda _: Broken()
    with pytest.raises(ActivationFailed, match="cannot be started"):
        await house.publish(adapter_settings={"base_url": "http://other"})
    assert await serves(house)


async def test_unchanged_documents_and_adapters_are_taken_over(house, kit) -> None:
    before = house.pipeline.plan
    document = kit.orders_document()
    await house.publish(document, kit.orders_document("1.1.0"), current="1.1.0")
    after = house.pipeline.plan
    assert after is not before
    old, new = before.routes[0], after.routes[0]
    assert new.versions["1.0.0"].trie is old.versions["1.0.0"].trie
    assert next(iter(new.versions["1.0.0"].operations)) is next(iter(old.versions["1.0.0"].operations))
    assert new.adapter is old.adapter


async def test_an_old_adapter_stops_when_the_last_call_on_it_has_ended(make_house) -> None:
    house = make_house(proxy_body_timeout=0.05)
    await house.publish()
    old, gate, begun = house.provider, asyncio.Event(), asyncio.Event()
    answer = old.answer

    async def slow(call):
        begun.set()
        await gate.wait()
        assert not old.stopped
        return answer(call)

    old.call = slow
    running = asyncio.create_task(house.ask("POST", "/orders/v1/orders", ORDER))
    await begun.wait()
    house.provider = type(old)()
    await house.publish(adapter_settings={"base_url": "http://new"})
    assert await serves(house)
    assert len(house.provider.calls) == 1
    await asyncio.sleep(0.2)
    assert not old.stopped
    gate.set()
    assert (await running).status == 201
    async with asyncio.timeout(5):
        while not old.stopped:
            await asyncio.sleep(0.01)


async def test_calls_under_way_end_on_the_version_that_they_began_with(house, kit) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()
    answer = house.provider.answer

    async def slow(call):
        begun.set()
        await gate.wait()
        return answer(call)

    house.provider.call = slow
    running = asyncio.create_task(house.ask("POST", "/orders/v1/orders", ORDER))
    await begun.wait()
    strict = kit.orders_document("1.1.0")
    strict["paths"]["/orders"]["post"]["responses"] = {"204": {"description": "done"}}
    await house.publish(strict, current="1.1.0")
    gate.set()
    reply = await running
    assert (reply.status, kit.header(reply, "x-interlock-contract")) == (201, "orders@1.0.0")


async def test_looking_takes_up_keeps_and_records(make_house, kit) -> None:
    house = make_house()
    source = Source(house)
    look = house.plane.activation.look
    assert await look(source)
    source.waiting = [BundleMissing("there is no bundle yet")]
    assert not await look(source)
    assert house.journal.records == [], "that nothing was published yet is no event"
    source.waiting = [Read(house.bundle_of())]
    assert await look(source)
    assert await serves(house)
    source.waiting = [BundleError("the access part is refused: signature")]
    assert not await look(source)
    assert await serves(house)
    source.waiting = [Read(house.bundle_of(unusable(kit), current="1.1.0"))]
    assert not await look(source)
    assert await serves(house)
    source.waiting = [Read(None)]
    assert not await look(source), "a fault of ours keeps the old one too"
    assert await serves(house)
    acts = [(one["act"], one.get("reason")) for one in house.journal.records if one["stage"] == "act"]
    assert acts == [
        ("bundle-activated", None),
        ("bundle-refused", "bundle-refused"),
        ("bundle-refused", "activation-failed"),
        ("bundle-refused", "activation-failed"),
    ]
    assert source.accepted == 1
    ready = await house.ask("GET", "/-/readyz")
    assert ready.status == 200
    assert b"AttributeError in the proxy itself" in ready.body


async def test_a_route_to_a_listener_is_refused(make_house, kit) -> None:
    class Ear:
        kind = name = "laboratory"
        stopped = 0

        async def start(self):
            """Nothing to do."""

        async def stop(self):
            self.stopped += 1

        def address(self):
            return "127.0.0.1", 2575

    house = make_house()
    house.provider = Ear()
    with pytest.raises(ActivationFailed, match="takes no calls"):
        await house.publish()
    assert house.plane.adapters.addresses() == {}


async def test_events_and_schemas_need_no_router(make_house, kit) -> None:
    house = make_house()
    await house.publish(kind="asyncapi")
    assert house.pipeline.plan.routes == ()
    assert (await house.ask("GET", "/orders/v1/orders")).status == 404


async def test_an_adapter_that_was_started_for_nothing_is_stopped(house, kit) -> None:
    old = house.provider
    new = house.provider = type(old)()
    empty = kit.orders_document("1.1.0")
    empty["paths"] = {}
    with pytest.raises(ActivationFailed):
        await house.publish(empty, current="1.1.0", adapter_settings={"base_url": "http://new"})
    assert (new.stopped, old.stopped) == (True, False)
    house.provider = old
    assert await serves(house)


async def test_a_large_bundle_is_put_together_while_others_are_served(make_house, monkeypatch) -> None:
    monkeypatch.setattr("runtime_proxy.activate._AT_ONCE", 0.0)
    house = make_house()
    await house.publish()
    served = []
    bundle = house.bundle_of()
    routes = tuple(
        msgspec.structs.replace(bundle.routes.routes[0], base_path=f"/o{one}") for one in range(20)
    )
    parts = msgspec.structs.replace(bundle.routes, routes=routes)
    taking = asyncio.create_task(
        house.plane.activation.take_up(msgspec.structs.replace(bundle, routes=parts))
    )
    while not taking.done():
        reply = await house.ask("POST", "/orders/v1/orders", {"code": "2823-3", "priority": "urgent"})
        served.append(reply.status)
        await asyncio.sleep(0)
    assert (await taking).routes[-1].base == b"/o19"
    assert served.count(201) >= 20, "by the former plan, between the routes"
