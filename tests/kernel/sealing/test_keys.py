"""Signing keys: made once, kept private, named by their own bytes, trusted for what trust.json says."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kernel.errors import SealingError
from kernel.sealing.keys import KeyFolder, SigningKey, Trust, key_id_of, parse_trust

if TYPE_CHECKING:
    from pathlib import Path


def test_ensure_makes_a_private_key_once(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    key = folder.ensure("board", "contracts", "access")
    again = KeyFolder(tmp_path / "keys").ensure("board", "contracts")
    assert key.key_id == again.key_id == key_id_of(key.verifying.public)
    assert stat.S_IMODE((tmp_path / "keys" / "board.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "keys").glob(".*") if path.name != ".lock"] == []


def test_two_makers_at_once_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: KeyFolder(tmp_path).ensure("audit", "audit-heads").key_id, range(16)))
    assert len(ids) == 1
    assert list(KeyFolder(tmp_path).trust().keys) == list(ids)


def test_trust_separates_purposes(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    board = folder.ensure("board", "contracts")
    house = folder.ensure("environment", "routes")
    folder.ensure("board", "access")
    trust = folder.trust()
    assert set(trust.may_sign("contracts")) == set(trust.may_sign("access")) == {board.key_id}
    assert set(trust.may_sign("routes")) == {house.key_id}
    assert trust.may_sign("audit-heads") == {}
    signature = board.sign(b"lab-order")
    assert trust.may_sign("contracts")[board.key_id].verify(signature, b"lab-order")
    assert not trust.may_sign("contracts")[board.key_id].verify(signature, b"lab-result")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    KeyFolder(tmp_path).ensure("board", "contracts")
    (tmp_path / "board.pem").chmod(mode)
    with pytest.raises(SealingError, match=f"mode 0{mode:o}") as caught:
        KeyFolder(tmp_path).signing_key("board")
    assert "chmod 600" in caught.value.hint


def test_a_linked_key_is_refused(tmp_path: Path) -> None:
    KeyFolder(tmp_path).ensure("board", "contracts")
    (tmp_path / "other.pem").symlink_to(tmp_path / "board.pem")
    with pytest.raises(SealingError, match="cannot be opened"):
        KeyFolder(tmp_path).signing_key("other")


@pytest.mark.parametrize("name", ["../board", "", "Board", "a/b", "x" * 65, "\n"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SealingError, match="no name for a key"):
        KeyFolder(tmp_path).ensure(name)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "board.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SealingError, match="holds no private key"):
        KeyFolder(tmp_path).signing_key("board")


def test_a_missing_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(SealingError, match="missing"):
        KeyFolder(tmp_path).signing_key("board")
    with pytest.raises(SealingError, match="missing"):
        KeyFolder(tmp_path).trust()


def test_trust_that_others_may_write_is_refused(tmp_path: Path) -> None:
    KeyFolder(tmp_path).ensure("board", "contracts")
    (tmp_path / "trust.json").chmod(0o664)
    with pytest.raises(SealingError, match="mode 0664"):
        KeyFolder(tmp_path).trust()


def test_trust_rows_must_fit_their_keys() -> None:
    key, other = SigningKey.generate("board"), SigningKey.generate("other")
    good = Trust.of(key, "contracts").as_json()
    assert parse_trust(good) == Trust.of(key, "contracts")
    for bad in (
        good.replace(key.key_id.encode(), other.key_id.encode()),
        good.replace(b'"contracts"', b'"everything"'),
        good.replace(b'"may_sign"', b'"may_sing"'),
        good[:-10],
        b"[]",
    ):
        with pytest.raises(SealingError):
            parse_trust(bad)


def test_a_private_key_does_not_show_itself() -> None:
    assert "Private" not in repr(SigningKey.generate("board"))
