"""A segment as a file: what was written stands there, in order, with nothing but blank lines after it."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kernel.audit.segment_file import open_segment

if TYPE_CHECKING:
    from conftest import Log

HEADER = b'{"segment": 1}\n'


def _lines(seed: int, sizes: list[int]) -> list[bytes]:
    drawn = random.Random(seed)
    return [drawn.randbytes(size).hex().encode()[:size] + b"}\n" for size in sizes]


@pytest.mark.parametrize("sizes", [
    [1, 2, 3], [500] * 40, [4_080, 1, 4_094, 4_096, 4_097], [8_191 - len(HEADER) - 2, 1], [131_072], [400_000, 7, 300_000],
])  # fmt: skip
@pytest.mark.usefixtures("way")
def test_what_was_written_stands_there_and_blank_lines_after_it(tmp_path: Path, sizes: list[int]) -> None:
    path = tmp_path / "segment"
    path.write_bytes(HEADER)
    wanted = HEADER
    opened = open_segment(path, len(HEADER), fsync=True)
    for line in _lines(len(sizes), sizes):
        opened.write(line)
        opened.sync()
        wanted += line
        found = path.read_bytes()
        assert found[: len(wanted)] == wanted
        assert not found[len(wanted) :].strip(b"\n")
    opened.trim()
    assert path.read_bytes() == wanted
    opened.close()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("size", [0, 1, 4_095, 4_096, 4_097, 9_000])
def test_writing_goes_on_where_it_ended(tmp_path: Path, size: int) -> None:
    path = tmp_path / "segment"
    wanted = _lines(size, [size])[0]
    path.write_bytes(wanted)
    for round_ in range(3):
        opened = open_segment(path, len(wanted), fsync=True)
        for line in _lines(round_, [700, 5_000]):
            opened.write(line)
            wanted += line
        opened.sync()
        opened.trim()
        opened.close()
        assert path.read_bytes() == wanted


def test_many_writes_are_one_call_and_no_page_is_kept(
    log: Log, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "cached" or not log.goes_past():
        pytest.skip("written through the cache")
    path = log.data / "segment"
    path.write_bytes(HEADER)
    opened = open_segment(path, len(HEADER), fsync=True)
    calls = []
    write = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda *arguments: calls.append(arguments[2]) or write(*arguments))
    for line in _lines(1, [300] * 20):
        opened.write(line)
    opened.sync()
    assert calls == [0]
    opened.write(b"more}\n")
    opened.sync()
    assert calls == [0, 4096]  # the block that is not full is written again, those before it are not
    opened.close()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
@pytest.mark.parametrize("call", ["open", "preadv", "pwritev"])
def test_a_file_system_without_such_a_way_is_written_through_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    path = tmp_path / "segment"
    path.write_bytes(HEADER)
    real = getattr(os, call)

    def refusing(*arguments: object) -> object:
        if call == "open" and not int(str(arguments[1])) & os.O_DIRECT:
            return real(*arguments)
        raise OSError(number, os.strerror(number))

    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, call, refusing)
    opened = open_segment(path, len(HEADER), fsync=True)
    opened.write(b"line}\n")
    opened.sync()
    assert path.read_bytes().rstrip(b"\n") == HEADER + b"line}"
    opened.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("size", [4_095, 4_096, 8_192, 12_288])
def test_a_disk_with_larger_sectors_is_written_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Sectors of 8 KiB: reading at the end of the file and writing nothing are no trial of it, nor are two blocks."""
    path = tmp_path / "segment"
    wanted = _lines(size, [size - 2])[0]
    path.write_bytes(wanted)
    write = os.pwritev

    def refusing(file: int, buffers: list[memoryview], offset: int) -> int:
        if (size := sum(map(len, buffers))) and (offset | size) % 8_192:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return write(file, buffers, offset)

    monkeypatch.setattr(os, "pwritev", refusing)
    opened = open_segment(path, size, fsync=True)
    for line in _lines(1, [300, 9_000]):
        opened.write(line)
        opened.sync()
        wanted += line
    assert path.read_bytes().rstrip(b"\n") + b"\n" == wanted
    opened.close()


def test_any_other_refusal_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "segment"
    path.write_bytes(HEADER)

    def failing(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "preadv", failing)
    with pytest.raises(OSError, match="Input/output error"):
        open_segment(path, len(HEADER), fsync=True)


def test_a_write_that_stops_halfway_is_a_failure(log: Log, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "cached" or not log.goes_past():
        pytest.skip("written through the cache, where the rest is tried")
    path = log.data / "segment"
    path.write_bytes(HEADER)
    opened = open_segment(path, len(HEADER), fsync=True)
    opened.write(b"line}\n")
    monkeypatch.setattr(os, "pwritev", lambda *_: 512)
    with pytest.raises(OSError, match="No space left"):
        opened.sync()
    opened.close()
