"""Sealed payloads: open only whole, only in their place, and after rotation too."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from kernel.errors import SealingError
from kernel.sealing.payload import OVERHEAD, Sealer

if TYPE_CHECKING:
    from pathlib import Path

RAW = b"MSH|^~\\&|ANALYZER|LAB|...|ORU^R01|000451|P|2.5.1\rPID|1||MRN-77120\r"


def test_what_is_sealed_opens_and_shows_nothing(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)
    sealed = sealer.seal(RAW, "inbox|raw|1")
    assert sealer.open(sealed, "inbox|raw|1") == RAW
    assert Sealer(tmp_path).open(sealed, "inbox|raw|1") == RAW
    assert len(sealed) == len(RAW) + OVERHEAD
    assert b"MRN-77120" not in sealed
    assert sealer.seal(RAW, "inbox|raw|1") != sealed


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)
    sealed = sealer.seal(RAW, "inbox|raw|1")
    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 0x40
        with pytest.raises(SealingError):
            sealer.open(bytes(altered), "inbox|raw|1")
    for length in (0, 3, OVERHEAD - 1, OVERHEAD, len(sealed) - 1):
        with pytest.raises(SealingError):
            sealer.open(sealed[:length], "inbox|raw|1")


def test_a_payload_opens_only_in_its_place(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)
    with pytest.raises(SealingError, match="another place"):
        sealer.open(sealer.seal(RAW, "inbox|raw|1"), "inbox|raw|2")


def test_rotation_keeps_older_payloads_readable_also_across_processes(tmp_path: Path) -> None:
    first, second = Sealer(tmp_path), Sealer(tmp_path)
    old = first.seal(RAW, "events|1")
    key_id = first.rotate()
    new = first.seal(RAW, "events|1")
    assert new[4:20].hex() == key_id != old[4:20].hex()
    assert second.open(new, "events|1") == second.open(old, "events|1") == RAW


def test_another_folder_opens_nothing(tmp_path: Path) -> None:
    sealed = Sealer(tmp_path / "a").seal(RAW, "x")
    with pytest.raises(SealingError, match="is not here"):
        Sealer(tmp_path / "b").open(sealed, "x")


def test_a_foreign_wrapping_key_is_noticed(tmp_path: Path) -> None:
    Sealer(tmp_path / "a")
    Sealer(tmp_path / "b")
    (tmp_path / "a" / "payload.kek").write_bytes((tmp_path / "b" / "payload.kek").read_bytes())
    with pytest.raises(SealingError, match="cannot be unwrapped"):
        Sealer(tmp_path / "a")


def test_key_files_are_private(tmp_path: Path) -> None:
    Sealer(tmp_path)
    for name in ("payload.kek", "payload-keys.json"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        (tmp_path / name).chmod(0o644)
        with pytest.raises(SealingError, match="mode 0644"):
            Sealer(tmp_path)
        (tmp_path / name).chmod(0o600)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"active":"zz","keys":[]}', b'{"active":"","keys":[]}'])
def test_a_damaged_key_file_is_told(tmp_path: Path, content: bytes) -> None:
    Sealer(tmp_path)
    (tmp_path / "payload-keys.json").write_bytes(content)
    with pytest.raises(SealingError):
        Sealer(tmp_path)


def test_unwrapped_data_keys_are_nowhere_on_disk(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path)
    kek = (tmp_path / "payload.kek").read_bytes()
    assert kek.hex().encode() not in (tmp_path / "payload-keys.json").read_bytes()
    assert len(kek) == 32
    del sealer
