"""A call whose answer comes in pieces occupies its place until the last one, however it ends."""

import pytest

from runtime_proxy.exchange import StreamCut
from runtime_proxy.held_stream import held_until_end


class Slot:
    def __init__(self) -> None:
        self.released = 0

    def release(self) -> None:
        self.released += 1


class Pieces:
    length = None
    takes_over = False

    def __init__(self, *pieces: bytes, cut: bool = False) -> None:
        self.pieces, self.cut, self.reasons = list(pieces), cut, []

    async def read(self) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.cut:
            raise StreamCut
        return b""

    def abandon(self, reason: str) -> None:
        self.reasons.append(reason)


class Socket:
    takes_over = True

    def __init__(self) -> None:
        self.done: list[str] = []

    async def run(self) -> None:
        self.done.append("run")

    def abandon(self, reason: str) -> None:
        self.done.append(reason)


async def test_it_is_given_back_with_the_last_piece() -> None:
    slot = Slot()
    stream = held_until_end(Pieces(b"a", b"b"), slot)
    assert [await stream.read(), await stream.read(), slot.released] == [b"a", b"b", 0]
    assert (await stream.read(), slot.released) == (b"", 1)
    stream.abandon("late")
    assert slot.released == 1


async def test_it_is_given_back_when_the_answer_is_cut_or_given_up() -> None:
    slots = Slot(), Slot()
    cut, left = held_until_end(Pieces(cut=True), slots[0]), Pieces(b"a")
    with pytest.raises(StreamCut):
        await cut.read()
    held_until_end(left, slots[1]).abandon("gone")
    assert [slot.released for slot in slots] == [1, 1]
    assert left.reasons == ["gone"]


async def test_a_connection_that_was_taken_over_holds_it_until_it_ends() -> None:
    slot, socket = Slot(), Socket()
    held = held_until_end(socket, slot)
    assert (held.takes_over, slot.released) == (True, 0)
    await held.run()
    held.abandon("edge")
    assert (slot.released, socket.done) == (1, ["run", "edge"])
