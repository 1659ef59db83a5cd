"""The registry's deny list: written at once and first, signed, growing, whatever becomes of the bundle."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.bundle.deny import Denied, DenyList, open_list, registry_list
from kernel.errors import BundleError, Place
from kernel.sealing.keys import KeyFolder
from registry.errors import Conflict, NotAllowed, NotFound, PublicationFailed, RequestRefused
from registry.review import access, denials, publication, routing
from registry.review.environment import Route

EHR, ORDERS = Denied("consumer", "ehr"), Denied("route", "lab-orders/v1")


def standing(services: Any) -> DenyList:
    path = registry_list(services.settings.path / "bundle")
    trust = KeyFolder(services.settings.path / "keys").trust()
    return open_list(path.read_bytes(), "registry", trust, Place(str(path)))


def furnish(services: Any, doubles: Any) -> None:
    publication.publish_first(services)
    doubles.freeze(services, doubles.openapi())
    access.add_consumer(services, doubles.OPERATOR, consumer_id="ehr", name="EHR", audience="internal")
    routing.put_adapter(
        services,
        doubles.OPERATOR,
        name="laboratory",
        kind="http",
        settings={"base_url": "http://127.0.0.1:1"},
    )
    routing.put_route(services, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None))


def test_what_is_denied_stands_in_the_list_until_it_is_lifted(services: Any, doubles: Any) -> None:
    furnish(services, doubles)
    assert standing(services) == DenyList(0, "registry")
    denials.deny(services, doubles.OPERATOR, EHR, "sends what it should not")
    denials.deny(services, doubles.OPERATOR, ORDERS, "repair")
    found = standing(services)
    assert (found.serial, found.whats()) == (2, {EHR, ORDERS})
    assert (found.denials[0].by, found.denials[0].reason) == (
        doubles.OPERATOR.name,
        "sends what it should not",
    )
    with pytest.raises(Conflict):
        denials.deny(services, doubles.OPERATOR, EHR, "again")
    denials.allow(services, doubles.OPERATOR, EHR)
    assert (standing(services).serial, standing(services).whats()) == (3, {ORDERS})
    with pytest.raises(NotFound):
        denials.allow(services, doubles.OPERATOR, EHR)
    denials.deny(services, doubles.OPERATOR, EHR, "once more")
    assert (standing(services).serial, standing(services).whats()) == (4, {EHR, ORDERS})
    assert standing(services).denials == denials.denials(services)


def test_a_revoked_key_is_denied_though_the_bundle_cannot_be_written(
    desk: Any, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(desk, doubles)
    key = access.issue_key(desk, doubles.OPERATOR, "ehr").key.id

    def full(_part: Any) -> None:
        raise BundleError("the disk is full")

    monkeypatch.setattr(desk.press, "write", full)
    with pytest.raises(PublicationFailed, match="is recorded"):
        access.revoke_key(desk, doubles.OPERATOR, "ehr", key)
    assert standing(desk).whats() == {Denied("key", key)}
    assert standing(desk).serial == 1


def test_a_list_that_could_not_be_written_is_written_with_the_next_try(
    desk: Any, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(desk, doubles)
    with monkeypatch.context() as broken:
        broken.setattr("registry.store.press.write_list", _fail)
        with pytest.raises(PublicationFailed):
            denials.deny(desk, doubles.OPERATOR, EHR, "why")
    assert standing(desk).whats() == frozenset()
    publication.publish(desk)  # as the registry does every two seconds
    assert standing(desk).whats() == {EHR}
    registry_list(desk.settings.path / "bundle").unlink()
    publication.publish(desk)
    assert standing(desk).whats() == {EHR}


def _fail(*_: Any) -> None:
    raise BundleError("the disk is full")


def test_who_may_close_what(desk: Any, doubles: Any) -> None:
    furnish(desk, doubles)
    for who in (doubles.BO, doubles.AUTHOR):
        with pytest.raises(NotAllowed):
            denials.deny(desk, who, EHR, "why")
        with pytest.raises(NotAllowed):
            denials.allow(desk, who, EHR)
    with pytest.raises(RequestRefused, match="reason"):
        denials.deny(desk, doubles.OPERATOR, EHR, " ")
    for unknown in (Denied("consumer", "nobody"), Denied("route", "lab-orders/v7")):
        with pytest.raises(NotFound):
            denials.deny(desk, doubles.OPERATOR, unknown, "why")
