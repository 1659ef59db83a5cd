"""A device listener that cannot listen is alone out: everything else of the new bundle is served."""

import asyncio
import json
import socket

import msgspec
import pytest

from adapters.errors import ListenFailed
from kernel.bundle.model import AdapterInstance

ORDER = {"code": "2823-3", "priority": "urgent"}


class Device:
    """A listener on a real socket."""

    kind = "device"

    def __init__(self, instance) -> None:
        self.name = instance.name
        self.port = instance.settings["port"]
        self.server = None

    async def start(self):
        if instance_fault.get(self.name):
            raise instance_fault[self.name]
        try:
            self.server = await asyncio.start_server(lambda *_: None, "127.0.0.1", self.port)
        except OSError as error:
            raise ListenFailed(f"port {self.port} is taken: {error.errno}") from None

    async def stop(self):
        self.server.close()
        await self.server.wait_closed()

    def address(self):
        return self.server.sockets[0].getsockname()[:2]


instance_fault = {}


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder


@pytest.fixture
async def house(make_house):
    instance_fault.clear()
    house = make_house()
    house.plane.adapters._build = lambda one: Device(one) if one.kind == "device" else house.provider
    yield house
    await house.plane.adapters.stop()


def with_devices(house, **ports):
    bundle = house.bundle_of()
    devices = tuple(AdapterInstance(name, "device", {"port": port}) for name, port in ports.items())
    routes = msgspec.structs.replace(bundle.routes, adapters=(*bundle.routes.adapters, *devices))
    return msgspec.structs.replace(bundle, routes=routes)


async def told(house):
    return json.loads((await house.ask("GET", "/-/readyz")).body)["troubles"]


async def figures(house):
    lines = (await house.ask("GET", "/-/metrics")).body.decode().splitlines()
    return {
        line.split()[0]: float(line.split()[1]) for line in lines if "listener" in line and line[0] != "#"
    }


async def test_a_taken_port_keeps_no_key_alive(house, taken) -> None:
    await house.plane.activation.take_up(with_devices(house, lab=0))
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201
    later = with_devices(house, lab=0, ward=taken.getsockname()[1])
    consumers = tuple(msgspec.structs.replace(one, keys=()) for one in later.access.consumers)
    revoked = msgspec.structs.replace(
        later, access=msgspec.structs.replace(later.access, consumers=consumers)
    )
    plan = await house.plane.activation.take_up(revoked)
    assert plan.serials.routes == 2
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 401
    assert list(house.plane.adapters.addresses()) == ["lab"]
    assert "port" in (await told(house))["listener ward"]
    assert (await figures(house))["interlock_listeners_out"] == 1
    taken.close()
    while len(house.plane.adapters.addresses()) < 2:
        await asyncio.sleep(0.01)
    assert await told(house) == {}
    found = await figures(house)
    assert (found["interlock_listeners_out"], found["interlock_listener_faults_total"] >= 1) == (0, True)


async def test_a_listener_that_is_not_wanted_any_more_is_not_tried_again(house, taken) -> None:
    port = taken.getsockname()[1]
    await house.plane.activation.take_up(with_devices(house, ward=port))
    assert set(await told(house)) == {"listener ward"}
    await house.plane.activation.take_up(with_devices(house, ward=0))
    assert await told(house) == {}
    taken.close()
    assert house.plane.adapters.addresses()["ward"][1] != port


async def test_a_fault_of_the_listener_itself_is_its_own_too(house) -> None:
    instance_fault["ward"] = AttributeError("a secret of the message")
    await house.plane.activation.take_up(with_devices(house, ward=0, lab=0))
    assert await told(house) == {"listener ward": "AttributeError in the listener itself"}
    assert list(house.plane.adapters.addresses()) == ["lab"]
    instance_fault.clear()
    while len(house.plane.adapters.addresses()) < 2:
        await asyncio.sleep(0.01)
