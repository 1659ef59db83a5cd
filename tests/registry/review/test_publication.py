from __future__ import annotations

from typing import Any

import pytest

from kernel.bundle.layout import blob_path, part_path
from kernel.bundle.read import read_bundle
from kernel.errors import BundleError
from kernel.sealing.keys import KeyFolder
from registry.errors import PublicationFailed
from registry.review import access, acts, catalogue, publication


def bundle(services: Any) -> Any:
    return read_bundle(services.settings.path / "bundle", KeyFolder(services.settings.path / "keys").trust())


def serials(services: Any) -> dict[str, tuple[int, int]]:
    with services.store.reading() as ledger:
        return {row.part: (row.serial, row.published) for row in ledger.serials.all()}


def test_an_empty_registry_publishes_an_empty_bundle_once(services: Any) -> None:
    assert serials(services) == {"contracts": (0, 0), "access": (0, 0), "routes": (0, 0)}
    publication.publish_first(services)
    assert serials(services) == {"contracts": (1, 1), "access": (1, 1), "routes": (1, 1)}
    assert bundle(services).contracts.contracts == ()
    assert bundle(services).routes.environment == "dev"
    publication.publish_first(services)
    assert serials(services)["contracts"] == (1, 1)
    assert publication.publish(services) == ()


def test_a_lost_bundle_folder_is_written_again_with_newer_serials(services: Any, doubles: Any) -> None:
    publication.publish_first(services)
    doubles.freeze(services, doubles.openapi())
    folder = services.settings.path / "bundle"
    found = bundle(services)
    for part in ("contracts", "access", "routes"):
        part_path(folder, part).unlink()
    blob_path(folder, found.contracts.contracts[0].digest).unlink()
    publication.publish_first(services)
    assert bundle(services).contracts.serial == found.contracts.serial + 1
    assert len(bundle(services).blobs) == 1


def test_an_act_whose_bundle_cannot_be_written_stays_recorded_and_is_published_later(
    services: Any, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.publish_first(services)

    def full(_self: Any, _part: Any) -> None:
        raise BundleError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(type(services.press), "write", full)
        with pytest.raises(PublicationFailed, match="recorded"):
            access.add_consumer(
                services, doubles.OPERATOR, consumer_id="ehr", name="EHR", audience="internal"
            )
    assert access.consumer(services, "ehr").name == "EHR"
    assert serials(services)["access"] == (2, 1)
    assert bundle(services).access.consumers == ()
    assert publication.publish(services) == ("access",)
    assert bundle(services).access.consumers[0].id == "ehr"
    assert serials(services)["access"] == (2, 2)


def test_metadata_and_dates_travel_in_the_contracts_part(services: Any, doubles: Any) -> None:
    from datetime import timedelta

    from registry.review import lifecycle

    publication.publish_first(services)
    doubles.freeze(services, doubles.openapi())
    sunset = services.now().replace(microsecond=0) + timedelta(days=30)
    lifecycle.deprecate(services, doubles.BO, "lab-orders", "1.0.0", sunset=sunset, reason="replaced")
    (entry,) = bundle(services).contracts.contracts
    assert entry.metadata["sensitivity"] == "health"
    assert (entry.state, entry.sunset_at) == ("deprecated", "2026-12-20T08:00:00Z")
    assert entry.deprecated_at is not None
    canonical, _ = catalogue.document(services, "lab-orders", "1.0.0", "canonical")
    assert bundle(services).blobs[entry.digest] == canonical


def test_republish_writes_all_parts_anew(desk: Any, doubles: Any) -> None:
    publication.publish_first(desk)
    acts.republish(desk, doubles.OPERATOR)
    assert serials(desk) == {"contracts": (2, 2), "access": (2, 2), "routes": (2, 2)}
    assert bundle(desk).access.serial == 2
