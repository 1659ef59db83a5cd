"""How upstreams stand and what is sent again, as metrics and in the plan."""

from adapters.resilience.guarded import Guarded
from adapters.wire.http_balance import Standing
from kernel.bundle.policy import RoutePolicy
from kernel.bundle.repeats import Retries
from runtime_proxy.conditions import sent_again, upstreams_of
from runtime_proxy.console import table
from runtime_proxy.console.gauges import PlaneGauges
from runtime_proxy.limit_counters import LimitCounters

FAST = Retries(pause_seconds=0.001, longest_pause_seconds=0.001)
STANDING = [
    Standing("a:80", True, False, 3),
    Standing("b:80", True, True, 0),
    Standing("c:80", False, False, 0),
]


class Meters:
    """Keeps what was set and counted."""

    def __init__(self) -> None:
        self.now: dict[tuple[str, ...], float] = {}

    def set(self, metric, value, *labels) -> None:
        self.now[metric.name, *labels] = value

    def count(self, metric, *labels, by=1) -> None:
        self.now[metric.name, *labels] = self.now.get((metric.name, *labels), 0) + by


async def test_without_any_of_it_there_is_nothing_to_tell(house) -> None:
    assert list(upstreams_of(house.pipeline.plan)) == list(sent_again(house.pipeline.plan)) == []


async def test_upstreams_are_seen_through_guards_and_are_gone_with_their_adapter(house) -> None:
    (slot,) = house.pipeline.plan.slots
    house.provider.standing = lambda: STANDING
    slot.adapter = Guarded(house.provider, {"bulkhead": {}})
    assert [one for _, one in upstreams_of(house.pipeline.plan)] == STANDING
    gauges = PlaneGauges(house.pipeline, house.plane.health, house.journal, LimitCounters())
    meters = Meters()
    gauges(meters)
    name = table.UPSTREAM_USABLE.name
    told = {upstream: meters.now[name, "laboratory", upstream] for upstream in ("a:80", "b:80", "c:80")}
    assert told == {"a:80": 1, "b:80": 0, "c:80": 0}
    house.provider.standing = list
    gauges(meters)
    assert meters.now[name, "laboratory", "a:80"] == 0


async def test_what_is_sent_again_is_counted_by_route(make_house, kit) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(retries=FAST))
    house.provider.answer = lambda _: kit.answer(503)
    await house.ask("GET", "/orders/v1/status")
    assert list(sent_again(house.pipeline.plan)) == [("orders v1", "retry", 2), ("orders v1", "hedge", 0)]
    gauges, meters = PlaneGauges(house.pipeline, house.plane.health, house.journal, LimitCounters()), Meters()
    gauges(meters)
    gauges(meters)
    assert meters.now[table.SENT_AGAIN.name, "orders v1", "retry"] == 2


def test_the_plan_says_what_is_sent_again_and_what_keys_are_for(make_house, kit) -> None:
    from kernel.bundle.repeats import Hedging
    from runtime_proxy.inspection import explain_call, trial_of

    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["x-interlock-idempotency"] = {"key": "optional", "ttl": 60}
    asked = RoutePolicy(retries=FAST, hedging=Hedging(after_seconds=0.2))
    for policy, told in (
        (RoutePolicy(), "never"),
        (asked, "3 tries where that is safe; a second time after 0.2 s where that is idempotent"),
    ):
        trial = trial_of(make_house().bundle_of(document, policy=policy), 1_000_000)
        found = explain_call(trial, "POST", "/orders/v1/orders")
        assert found["sent_again"] == told
        assert found["idempotency"] == "key optional, kept for 60 s, unique in the operation"
