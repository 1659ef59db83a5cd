"""Deny lists: signed, of one origin, never older; what was accepted counts on, over restarts too."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.bundle.deny import Denial, Denied, DenyList, Origin, parse_denied, write_list
from kernel.bundle.deny_source import DenySource
from kernel.errors import BundleError
from kernel.sealing.keys import SigningKey, Trust

SIGNER = SigningKey.generate("deny")
TRUST = Trust.of(SIGNER, "deny-list")
KEY, OTHER = Denied("key", "k1"), Denied("consumer", "ehr")


def given(serial: int, *whats: Denied, origin: Origin = "registry") -> DenyList:
    return DenyList(serial, origin, tuple(Denial(what, "2026-11-26T12:00:00Z", "olga") for what in whats))


class Room:
    def __init__(self, folder: Path) -> None:
        self.path, self.kept = folder / "denied.dsse.json", folder / "run" / "kept.dsse.json"
        self.trust = TRUST

    def write(self, wanted: DenyList, signer: SigningKey = SIGNER) -> bytes:
        write_list(self.path, wanted, signer)
        return self.path.read_bytes()

    def source(self, **more: bool) -> DenySource:
        return DenySource(self.path, "registry", lambda: self.trust, self.kept, **more)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_the_newest_good_list_counts(room: Room) -> None:
    source = room.source()
    assert source.read() is None
    assert not source.changed()
    room.write(given(1, KEY))
    assert source.changed()
    assert source.read() == given(1, KEY)
    room.write(given(2, KEY, OTHER))
    assert source.read() == given(2, KEY, OTHER)
    room.write(given(3))
    assert source.read() == given(3)


@pytest.mark.parametrize(
    "fault", ["older", "twin", "unsigned", "foreign", "altered", "origin", "removed", "link", "kind"]
)
def test_what_must_not_count_lifts_nothing(room: Room, tmp_path: Path, fault: str) -> None:
    source = room.source()
    room.write(given(5, KEY))
    assert source.read() == given(5, KEY)
    if fault == "older":
        room.write(given(4))
    elif fault == "twin":
        room.write(given(5, OTHER))
    elif fault == "unsigned":
        room.path.write_bytes(b'{"serial": 6}')
    elif fault == "foreign":
        room.write(given(6), SigningKey.generate("other"))
    elif fault == "altered":
        data = bytearray(room.write(given(6)))
        data[30] ^= 1
        room.path.write_bytes(data)
    elif fault == "origin":
        room.write(given(6, origin="local"))
    elif fault == "removed":
        room.path.unlink()
    elif fault == "link":
        room.path.rename(tmp_path / "aside")
        room.path.symlink_to(tmp_path / "aside")
    else:
        room.trust = Trust.of(SIGNER, "access")
    for one in (source, room.source()):  # as it runs on, and after a restart
        with pytest.raises(BundleError):
            one.read()
        assert one.last == (given(5, KEY) if fault != "kind" or one is source else None)
    room.trust = TRUST
    room.path.unlink(missing_ok=True)
    room.write(given(6, OTHER))
    assert source.changed()
    assert source.read() == given(6, OTHER)


def test_a_reader_that_only_looks_keeps_nothing(room: Room) -> None:
    room.write(given(1, KEY))
    assert room.source(keeps=False).read() == given(1, KEY)
    assert not room.kept.exists()


def test_a_list_that_cannot_be_kept_counts_all_the_same(room: Room) -> None:
    room.kept.parent.write_bytes(b"in the way")
    room.write(given(1, KEY))
    assert room.source().read() == given(1, KEY)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("key/0a1b", Denied("key", "0a1b")),
        ("consumer/ehr-2", Denied("consumer", "ehr-2")),
        ("route/lab-orders/v12", Denied("route", "lab-orders/v12")),
    ],
)
def test_what_can_be_denied_has_a_name(text: str, what: Denied) -> None:
    assert parse_denied(text) == what
    assert str(what) == text


@pytest.mark.parametrize(
    "text", ["", "key", "key/", "key/a b", "route/lab-orders", "route/lab/v01", "adapter/x", "consumer/A"]
)
def test_a_name_that_nothing_can_have_is_refused(text: str) -> None:
    with pytest.raises(BundleError):
        parse_denied(text)
