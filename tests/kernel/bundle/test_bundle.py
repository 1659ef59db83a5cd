"""A bundle that was published comes back; every damaged, swapped, older or incomplete one is refused."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from kernel.bundle.layout import LARGEST_PART, blob_path, digest_of, part_path
from kernel.bundle.model import AccessPart, AdapterInstance, ContractEntry, RoutesPart
from kernel.bundle.read import BundleSource, read_bundle, read_marked
from kernel.bundle.write import write_blob, write_part
from kernel.errors import BundleError, BundleMissing
from kernel.sealing.keys import SigningKey, Trust

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Hospital

PARTS = ("contracts", "access", "routes")


def test_what_is_published_is_read(hospital: Hospital) -> None:
    hospital.publish()
    bundle = read_bundle(hospital.folder, hospital.trust)
    assert bundle.contracts == hospital.contracts()
    assert bundle.access == hospital.access()
    assert bundle.routes == hospital.routes()
    assert set(bundle.blobs) == {entry.digest for entry in bundle.contracts.contracts}
    assert json.loads(bundle.blobs[bundle.entry("lab-orders", "1.1.0").digest])["info"]["version"] == "1.1.0"
    assert sorted(path.name for path in hospital.folder.iterdir()) == [
        "access.dsse.json", "blobs", "contracts.dsse.json", "routes.dsse.json",
    ]  # fmt: skip


def test_no_bundle_is_not_a_bad_bundle(hospital: Hospital) -> None:
    with pytest.raises(BundleMissing):
        read_bundle(hospital.folder, hospital.trust)


@pytest.mark.parametrize("kind", PARTS)
def test_no_flipped_byte_of_a_part_is_served(hospital: Hospital, kind: str) -> None:
    hospital.publish()
    path = part_path(hospital.folder, kind)
    good = path.read_bytes()
    wanted = read_bundle(hospital.folder, hospital.trust)
    for index in range(len(good)):
        for bit in (0x01, 0x20):
            altered = bytearray(good)
            altered[index] ^= bit
            path.write_bytes(altered)
            try:
                assert read_bundle(hospital.folder, hospital.trust) == wanted  # a byte that means nothing
            except BundleError:
                continue
    path.write_bytes(good)
    assert read_bundle(hospital.folder, hospital.trust) == wanted


@pytest.mark.parametrize("kind", PARTS)
def test_no_shortened_part_is_served(hospital: Hospital, kind: str) -> None:
    hospital.publish()
    path = part_path(hospital.folder, kind)
    good = path.read_bytes()
    for length in range(0, len(good), 37):
        path.write_bytes(good[:length])
        with pytest.raises(BundleError):
            read_bundle(hospital.folder, hospital.trust)


@pytest.mark.parametrize("kind", PARTS)
def test_a_missing_part_makes_the_bundle_incomplete(hospital: Hospital, kind: str) -> None:
    hospital.publish()
    part_path(hospital.folder, kind).unlink()
    with pytest.raises(BundleError, match=f"the {kind} part is missing") as caught:
        read_bundle(hospital.folder, hospital.trust)
    assert not isinstance(caught.value, BundleMissing)


def test_parts_cannot_be_swapped(hospital: Hospital) -> None:
    hospital.publish()
    contracts, access = (part_path(hospital.folder, kind) for kind in ("contracts", "access"))
    first, second = contracts.read_bytes(), access.read_bytes()  # one key may sign both of them
    contracts.write_bytes(second)
    access.write_bytes(first)
    with pytest.raises(BundleError, match="statement about something else"):
        read_bundle(hospital.folder, hospital.trust)


def test_a_key_signs_only_its_own_parts(hospital: Hospital) -> None:
    hospital.publish()
    for part, key in ((hospital.routes(2), hospital.board), (hospital.contracts(2), hospital.house)):
        write_part(hospital.folder, part, key)
        with pytest.raises(BundleError, match="may not sign"):
            read_bundle(hospital.folder, hospital.trust)
        hospital.publish(3)
    write_part(hospital.folder, hospital.access(9), SigningKey.generate("mallory"))
    with pytest.raises(BundleError, match="may not sign"):
        read_bundle(hospital.folder, hospital.trust)
    with pytest.raises(BundleError, match="may not sign"):
        read_bundle(hospital.folder, Trust({}))


@pytest.mark.parametrize("what", ["flip", "empty", "longer", "other", "gone", "link", "folder", "pipe"])
def test_a_damaged_blob_is_refused(hospital: Hospital, what: str, tmp_path: Path) -> None:
    hospital.publish()
    path = blob_path(hospital.folder, hospital.contracts().contracts[0].digest)
    data = path.read_bytes()
    path.unlink()
    if what == "flip":
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    elif what in {"empty", "longer", "other"}:
        path.write_bytes({"empty": b"", "longer": data + b"\n", "other": b'{"openapi":"3.1.0"}'}[what])
    elif what == "link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(BundleError, match="blob"):
        read_bundle(hospital.folder, hospital.trust)


@pytest.mark.parametrize("kind", PARTS)
def test_a_linked_part_is_refused(hospital: Hospital, kind: str, tmp_path: Path) -> None:
    hospital.publish()
    path = part_path(hospital.folder, kind)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="cannot be read"):
        read_bundle(hospital.folder, hospital.trust)


def test_an_oversize_part_is_not_even_read(hospital: Hospital) -> None:
    hospital.publish()
    with part_path(hospital.folder, "access").open("r+b") as file:
        file.truncate(LARGEST_PART + 1)
    with pytest.raises(BundleError, match="more than"):
        read_bundle(hospital.folder, hospital.trust)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adapter": "pharmacy"}, "goes to adapter 'pharmacy'"),
        ({"versions": ("1.0.0", "1.1.0", "1.2.0")}, "serves 1.2.0, which the bundle does not hold"),
        ({"current": "1.0.1"}, "current version 1.0.1, which is not active"),
        ({"major": 2}, "another major"),
    ],
)
def test_a_route_into_nothing_is_refused(hospital: Hospital, changes: dict[str, Any], reason: str) -> None:
    hospital.publish()
    write_part(hospital.folder, hospital.routes(2, **changes), hospital.house)
    with pytest.raises(BundleError, match=reason):
        read_bundle(hospital.folder, hospital.trust)


def test_nothing_stands_twice(hospital: Hospital) -> None:
    hospital.publish()
    access, routes, contracts = hospital.access(2), hospital.routes(2), hospital.contracts(2)
    (ward,) = access.consumers
    other = msgspec.structs.replace(ward, id="ward-8")
    cases = [
        (AccessPart(2, (ward, ward)), hospital.board, "consumer ward-7 stands twice"),
        (AccessPart(2, (ward, other)), hospital.board, "one API key stands twice"),
        (RoutesPart(2, "dev", routes.adapters * 2, routes.routes), hospital.house, "adapter laboratory"),
        (RoutesPart(2, "dev", routes.adapters, routes.routes * 2), hospital.house, "route lab-orders v1"),
        (hospital.contracts(2, contracts=contracts.contracts * 2), hospital.board, "lab-orders 1.0.0 stands"),
    ]
    for part, key, reason in cases:
        write_part(hospital.folder, part, key)
        with pytest.raises(BundleError, match=reason):
            read_bundle(hospital.folder, hospital.trust)
        hospital.publish(3)


def test_the_writer_refuses_a_part_without_its_blobs(hospital: Hospital) -> None:
    lost = ContractEntry("vitals", "1.0.0", "openapi", "frozen", "internal", digest_of(b"never written"))
    escaping = msgspec.structs.replace(lost, digest="sha256:../../etc/passwd")
    for entry, reason in ((lost, "not among the blobs"), (escaping, "not a digest")):
        with pytest.raises(BundleError, match=reason):
            write_part(hospital.folder, hospital.contracts(contracts=(entry,)), hospital.board)
    assert not part_path(hospital.folder, "contracts").exists()


def test_a_damaged_blob_is_repaired_by_writing_it_again(hospital: Hospital) -> None:
    digest = write_blob(hospital.folder, b"{}")
    blob_path(hospital.folder, digest).write_bytes(b"[]")
    assert write_blob(hospital.folder, b"{}") == digest
    assert blob_path(hospital.folder, digest).read_bytes() == b"{}"


class TestSource:
    """What a polling consumer sees over time."""

    def source(self, hospital: Hospital) -> BundleSource:
        return BundleSource(
            hospital.folder, lambda: hospital.trust, hospital.folder.parent / "run" / "seen.json"
        )

    def test_changes_are_noticed_once(self, hospital: Hospital) -> None:
        source = self.source(hospital)
        assert source.changed()
        with pytest.raises(BundleMissing):
            source.read()
        assert not source.changed()
        hospital.publish()
        assert source.changed()
        source.accept(source.read())
        assert not source.changed()
        write_part(hospital.folder, hospital.access(2), hospital.board)
        assert source.changed()
        assert source.read().marks["access"].serial == 2

    def test_an_incomplete_bundle_is_read_again_when_its_blob_arrives(self, hospital: Hospital) -> None:
        hospital.publish()
        path = blob_path(hospital.folder, hospital.contracts().contracts[0].digest)
        data = path.read_bytes()
        path.unlink()
        source = self.source(hospital)
        with pytest.raises(BundleError, match="a blob is missing"):
            source.read()
        assert not source.changed()
        write_blob(hospital.folder, data)
        assert source.changed()
        source.read()

    @pytest.mark.parametrize("kind", PARTS)
    def test_an_older_part_is_refused_also_after_a_restart(self, hospital: Hospital, kind: str) -> None:
        hospital.publish(1)
        path = part_path(hospital.folder, kind)
        old = path.read_bytes()
        hospital.publish(2)
        source = self.source(hospital)
        source.accept(source.read())
        path.write_bytes(old)
        for reader in (source, self.source(hospital)):
            with pytest.raises(BundleError, match=f"the {kind} part has serial 1, older than 2"):
                reader.read()
        assert read_marked(hospital.folder, hospital.trust).marks[kind].serial == 1  # no memory, no complaint

    def test_what_was_read_and_not_accepted_may_be_taken_back(self, hospital: Hospital) -> None:
        hospital.publish(1)
        source = self.source(hospital)
        source.accept(source.read())
        old = part_path(hospital.folder, "routes").read_bytes()
        write_part(hospital.folder, hospital.routes(2), hospital.house)
        source.read()  # compiled beside the old one, and it failed its probe
        part_path(hospital.folder, "routes").write_bytes(old)
        assert source.read().marks["routes"].serial == 1

    def test_two_contents_under_one_serial_are_refused(self, hospital: Hospital) -> None:
        hospital.publish()
        source = self.source(hospital)
        source.accept(source.read())
        hospital.publish()
        source.accept(source.read())  # the same content published again is no change
        other = RoutesPart(1, "dev", (AdapterInstance("laboratory", "http", {}),), hospital.routes().routes)
        write_part(hospital.folder, other, hospital.house)
        with pytest.raises(BundleError, match="another content"):
            source.read()

    def test_a_damaged_memory_is_not_forgotten(self, hospital: Hospital) -> None:
        hospital.publish()
        source = self.source(hospital)
        source.accept(source.read())
        (hospital.folder.parent / "run" / "seen.json").write_bytes(b"{")
        with pytest.raises(BundleError, match="newest serials cannot be read"):
            self.source(hospital).read()

    def test_blobs_are_kept_by_digest(self, hospital: Hospital) -> None:
        hospital.publish(1)
        source = self.source(hospital)
        first = source.read().bundle.blobs
        blob_path(hospital.folder, next(iter(first))).unlink()
        write_part(hospital.folder, hospital.access(2), hospital.board)
        second = source.read().bundle.blobs
        assert all(second[digest] is first[digest] for digest in first)
