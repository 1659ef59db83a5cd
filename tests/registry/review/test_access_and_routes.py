from __future__ import annotations

import hashlib
import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from kernel.bundle.model import Grant, Limit
from kernel.bundle.policy import Address, ConsumerPolicy, RoutePolicy
from kernel.bundle.read import read_bundle
from kernel.errors import PolicyInvalid
from kernel.sealing.keys import KeyFolder
from registry.errors import Conflict, NotAllowed, NotFound, RequestRefused, StoreFailed
from registry.review import access, impact, lifecycle, policies, publication, routing
from registry.review.environment import Route


def bundle(services: Any) -> Any:
    return read_bundle(services.settings.path / "bundle", KeyFolder(services.settings.path / "keys").trust())


def furnish(services: Any, doubles: Any) -> None:
    publication.publish_first(services)
    doubles.freeze(services, doubles.openapi())
    doubles.freeze(services, doubles.openapi(version="1.1.0"))
    access.add_consumer(services, doubles.OPERATOR, consumer_id="ehr", name="EHR", audience="internal")
    routing.put_adapter(
        services,
        doubles.OPERATOR,
        name="laboratory",
        kind="http",
        settings={"base_url": "http://127.0.0.1:1"},
    )
    routing.put_route(services, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None))


def test_the_bundle_follows_every_act(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    assert [entry.version for entry in bundle(services).contracts.contracts] == ["1.0.0", "1.1.0"]
    assert bundle(services).routes.routes == ()  # no version is active yet
    routing.activate(services, doubles.OPERATOR, "lab-orders", "1.0.0")
    routing.activate(services, doubles.OPERATOR, "lab-orders", "1.1.0")
    (route,) = bundle(services).routes.routes
    assert (route.current, route.versions, route.adapter) == ("1.1.0", ("1.0.0", "1.1.0"), "laboratory")
    issued = access.issue_key(services, doubles.OPERATOR, "ehr")
    access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, "1.0.0", ("orders",)))
    access.set_limit(services, doubles.OPERATOR, "ehr", Limit("calls", 600, 60, 20))
    (consumer,) = bundle(services).access.consumers
    assert consumer.grants == (Grant("lab-orders", 1, "1.0.0", ("orders",)),)
    assert consumer.limits == (Limit("calls", 600, 60, 20),)
    assert consumer.keys[0].sha256 == hashlib.sha256(issued.presented.encode()).hexdigest()
    assert issued.presented.split("_")[1] == consumer.keys[0].id
    access.revoke_key(services, doubles.OPERATOR, "ehr", issued.key.id)
    assert bundle(services).access.consumers[0].keys == ()
    serials = {row.part: (row.serial, row.published) for row in _serials(services)}
    assert all(serial == published for serial, published in serials.values())
    assert serials["contracts"][0] == bundle(services).contracts.serial == 3


def _serials(services: Any) -> Any:
    with services.store.reading() as ledger:
        return ledger.serials.all()


def test_the_secret_of_a_key_is_kept_nowhere(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    secret = access.issue_key(services, doubles.OPERATOR, "ehr").presented.split("_")[2].encode()
    with services.store.reading() as ledger:
        assert secret.decode() not in str(ledger.outbox.waiting(1000))
    folder = services.settings.path
    assert [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()] == []


def test_two_keys_are_live_at_most(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    first = access.issue_key(services, doubles.OPERATOR, "ehr")
    access.issue_key(services, doubles.OPERATOR, "ehr", expires_at=services.now() + timedelta(days=30))
    with pytest.raises(Conflict, match="2 live keys"):
        access.issue_key(services, doubles.OPERATOR, "ehr")
    access.revoke_key(services, doubles.OPERATOR, "ehr", first.key.id)
    with pytest.raises(Conflict, match="already"):
        access.revoke_key(services, doubles.OPERATOR, "ehr", first.key.id)
    assert access.issue_key(services, doubles.OPERATOR, "ehr").key.id != first.key.id


def test_grants_are_held_to_what_is_frozen_and_to_the_audience(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    with pytest.raises(NotFound):
        access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 2))
    with pytest.raises(NotFound):
        access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, "1.9.0"))
    access.add_consumer(services, doubles.OPERATOR, consumer_id="outside", name="Partner", audience="partner")
    with pytest.raises(Conflict, match="audience"):
        access.grant(services, doubles.OPERATOR, "outside", Grant("lab-orders", 1))
    access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1))
    access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, "1.0.0"))
    (hit,) = impact.who_is_hit(services, "lab-orders", 1)
    assert (hit.consumer_id, hit.pin) == ("ehr", "1.0.0")
    access.withdraw_grant(services, doubles.OPERATOR, "ehr", "lab-orders", 1)
    assert impact.who_is_hit(services, "lab-orders", 1) == ()
    with pytest.raises(NotFound):
        access.withdraw_grant(services, doubles.OPERATOR, "ehr", "lab-orders", 1)


def test_consumer_ids_are_checked_and_never_reused(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    for wrong in ("EHR", "a_b", "", "x" * 65, "a/b"):
        with pytest.raises(RequestRefused):
            access.add_consumer(desk, doubles.OPERATOR, consumer_id=wrong, name="x", audience="internal")
    with pytest.raises(Conflict):
        access.add_consumer(desk, doubles.OPERATOR, consumer_id="ehr", name="Other", audience="public")


def test_limits_are_replaced_and_dropped(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    access.set_limit(services, doubles.OPERATOR, "ehr", Limit("calls", 10, 60, 5))
    found = access.set_limit(services, doubles.OPERATOR, "ehr", Limit("calls", 20, 60, 5))
    assert found.limits == (Limit("calls", 20, 60, 5),)
    assert access.drop_limit(services, doubles.OPERATOR, "ehr", "calls").limits == ()
    with pytest.raises(NotFound):
        access.drop_limit(services, doubles.OPERATOR, "ehr", "calls")


def test_only_frozen_versions_are_activated(services: Any, doubles: Any) -> None:
    from registry.review import submission

    furnish(services, doubles)
    submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.2.0"))
    with pytest.raises(Conflict, match="in-review"):
        routing.activate(services, doubles.OPERATOR, "lab-orders", "1.2.0")
    with pytest.raises(NotFound):
        routing.activate(services, doubles.OPERATOR, "lab-orders", "7.0.0")


def test_what_is_in_use_cannot_be_taken_away(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    for version in ("1.0.0", "1.1.0"):
        routing.activate(services, doubles.OPERATOR, "lab-orders", version)
    access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, "1.0.0"))
    lifecycle.deprecate(services, doubles.BO, "lab-orders", "1.0.0", sunset=None, reason="replaced")
    with pytest.raises(Conflict, match="active"):
        lifecycle.retire(services, doubles.BO, "lab-orders", "1.0.0", reason="unused")
    with pytest.raises(Conflict, match="pinned"):
        routing.deactivate(services, doubles.OPERATOR, "lab-orders", "1.0.0")
    with pytest.raises(Conflict, match="current"):
        routing.deactivate(services, doubles.OPERATOR, "lab-orders", "1.1.0")
    with pytest.raises(Conflict, match="goes through"):
        routing.remove_adapter(services, doubles.OPERATOR, "laboratory")
    access.grant(services, doubles.OPERATOR, "ehr", Grant("lab-orders", 1))
    route = routing.deactivate(services, doubles.OPERATOR, "lab-orders", "1.0.0")
    assert route.versions == ("1.1.0",)
    lifecycle.retire(services, doubles.BO, "lab-orders", "1.0.0", reason="unused")
    assert {entry.version: entry.state for entry in bundle(services).contracts.contracts} == {
        "1.0.0": "retired",
        "1.1.0": "frozen",
    }
    routing.remove_route(services, doubles.OPERATOR, "lab-orders", 1)
    routing.remove_adapter(services, doubles.OPERATOR, "laboratory")
    assert routing.adapters(services) == ()
    assert bundle(services).routes.adapters == ()


def test_the_last_version_of_a_route_can_be_deactivated(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    routing.activate(desk, doubles.OPERATOR, "lab-orders", "1.0.0")
    route = routing.deactivate(desk, doubles.OPERATOR, "lab-orders", "1.0.0")
    assert (route.current, route.versions) == (None, ())
    assert bundle(desk).routes.routes == ()


def test_changing_a_route_leaves_its_active_versions(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    routing.activate(services, doubles.OPERATOR, "lab-orders", "1.0.0")
    changed = Route(
        "lab-orders",
        1,
        "laboratory",
        None,
        (),
        (Limit("all", 5, 1, 5),),
        report_only=True,
        timeout_seconds=2.5,
    )
    found = routing.put_route(services, doubles.OPERATOR, changed)
    assert (found.current, found.versions, found.report_only, found.timeout_seconds) == (
        "1.0.0",
        ("1.0.0",),
        True,
        2.5,
    )
    assert bundle(services).routes.routes[0].limits == (Limit("all", 5, 1, 5),)


def test_policies_are_kept_published_and_left_alone_by_other_changes(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    routing.activate(services, doubles.OPERATOR, "lab-orders", "1.0.0")
    assert policies.route_policy(services, "lab-orders", 1) == RoutePolicy()
    document = {"address": {"hosts": ["orders.example"]}}
    made = policies.set_route_policy(services, doubles.OPERATOR, "lab-orders", 1, document)
    routing.put_route(services, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None))
    routing.activate(services, doubles.OPERATOR, "lab-orders", "1.1.0")
    assert made.address == Address(hosts=("orders.example",))
    assert policies.route_policy(services, "lab-orders", 1) == made
    assert bundle(services).routes.routes[0].policy == made
    assert policies.set_consumer_policy(services, doubles.OPERATOR, "ehr", {}) == ConsumerPolicy()
    assert policies.consumer_policy(services, "ehr") == bundle(services).access.consumers[0].policy
    policies.set_route_policy(services, doubles.OPERATOR, "lab-orders", 1, {})
    assert bundle(services).routes.routes[0].policy == RoutePolicy()
    for who in (doubles.BO, doubles.AUTHOR):
        with pytest.raises(NotAllowed):
            policies.set_route_policy(services, who, "lab-orders", 1, {})
        with pytest.raises(NotAllowed):
            policies.set_consumer_policy(services, who, "ehr", {})


def test_policies_that_exclude_each_other_are_refused_before_they_stand(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    doubles.freeze(desk, doubles.openapi(version="2.0.0"))
    routing.put_route(desk, doubles.OPERATOR, Route("lab-orders", 2, "laboratory", None))
    document = {"address": {"hosts": ["orders.example"]}}
    policies.set_route_policy(desk, doubles.OPERATOR, "lab-orders", 1, document)
    policies.set_route_policy(desk, doubles.OPERATOR, "lab-orders", 1, document)
    with pytest.raises(Conflict, match=r"orders\.example stands twice"):
        policies.set_route_policy(desk, doubles.OPERATOR, "lab-orders", 2, document)
    assert policies.route_policy(desk, "lab-orders", 2) == RoutePolicy()


def test_a_limit_has_one_name_among_the_plain_ones_and_those_of_the_policy(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    plain = Limit("calls", 600, 60, 20)
    document = {"limits": {"quotas": [{"name": "calls", "requests": 9, "every": "day"}]}}
    access.set_limit(desk, doubles.OPERATOR, "ehr", plain)
    with pytest.raises(Conflict, match="calls stands twice"):
        policies.set_consumer_policy(desk, doubles.OPERATOR, "ehr", document)
    access.drop_limit(desk, doubles.OPERATOR, "ehr", "calls")
    policies.set_consumer_policy(desk, doubles.OPERATOR, "ehr", document)
    with pytest.raises(Conflict, match="calls stands twice"):
        access.set_limit(desk, doubles.OPERATOR, "ehr", plain)
    policies.set_route_policy(desk, doubles.OPERATOR, "lab-orders", 1, document)
    with pytest.raises(Conflict, match="calls stands twice"):
        routing.put_route(desk, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None, limits=(plain,)))
    twice = {"limits": {"rates": [{"name": "x", "requests": 1, "seconds": 1, "burst": 1}] * 2}}
    with pytest.raises(PolicyInvalid, match="name of their own"):
        policies.set_consumer_policy(desk, doubles.OPERATOR, "ehr", twice)
    bundle(desk)


def test_a_policy_of_a_later_release_is_told_and_never_dropped(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    with sqlite3.connect(desk.settings.path.parent / "registry.db") as later:
        later.execute("""UPDATE routes SET policy = '{"teleport": {}}'""")
    with pytest.raises(StoreFailed, match=r"lab-orders v1 .*teleport"):
        routing.routes(desk)


def test_routes_and_adapters_are_checked(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    doubles.freeze(desk, doubles.schema())
    with pytest.raises(RequestRefused, match="canonical schema"):
        routing.put_route(desk, doubles.OPERATOR, Route("patient-identity", 1, "laboratory", None))
    with pytest.raises(NotFound):
        routing.put_route(desk, doubles.OPERATOR, Route("lab-orders", 1, "nothing", None))
    with pytest.raises(NotFound):
        routing.put_route(desk, doubles.OPERATOR, Route("lab-orders", 4, "laboratory", None))
    for prefix in ("lab", "/a/../b", "/a//b", "/a?x", "//evil.example"):
        with pytest.raises(RequestRefused, match="prefix"):
            routing.put_route(
                desk, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None, upstream_prefix=prefix)
            )
    kept = routing.put_route(
        desk, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None, upstream_prefix="/lab/api")
    )
    assert kept.upstream_prefix == "/lab/api"
    with pytest.raises(RequestRefused, match="no adapter kind"):
        routing.put_adapter(desk, doubles.OPERATOR, name="x", kind="carrier-pigeon", settings={})
    with pytest.raises(NotAllowed):
        routing.put_adapter(desk, doubles.BO, name="x", kind="http", settings={})
