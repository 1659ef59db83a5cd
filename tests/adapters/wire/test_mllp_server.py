"""The MLLP listener on real sockets: order, caps, time limits, TLS with and without client certificates, stop."""

import asyncio
import datetime as dt
import ipaddress
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.errors import (
    AdapterSettingsError,
    ListenFailed,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from adapters.wire.mllp.client import MllpClient
from adapters.wire.mllp.framing import frame
from adapters.wire.mllp.server import MllpLimits, MllpServer
from adapters.wire.mllp.tls import client_context, server_context


class Echo:
    """Answers each block by its kind and data, and remembers the order."""

    def __init__(self):
        self.seen = []
        self.gate = None
        self.entered = asyncio.Event()

    async def take(self, block, peer, send):
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        self.seen.append((block.kind, block.data, peer))
        await send(block.kind.encode() + b":" + block.data)


@pytest.fixture
async def served():
    servers = []

    async def start(tls=None, **limits):
        echo = Echo()
        server = MllpServer(echo.take, limits=MllpLimits(**{"end_seconds": 0.05, **limits}), tls=tls)
        await server.start("127.0.0.1", 0)
        servers.append(server)
        return server, echo

    yield start
    for server in servers:
        await server.stop()


async def test_pipelined_messages_are_taken_and_answered_in_order(served):
    server, echo = await served()
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.write(b"".join(frame(b"%d" % number) for number in range(50)))
        answers = [await line.receive() for _ in range(50)]
    assert answers == [b"whole:%d" % number for number in range(50)]
    assert {peer for _, _, peer in echo.seen} == {"127.0.0.1"}


async def test_a_message_without_its_last_byte_is_answered_after_a_moment(served):
    server, _ = await served()
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.write(b"\x0bhello\x1c")
        assert await line.receive() == b"whole:hello"
        await line.write(b"\r" + frame(b"next"))
        assert await line.receive() == b"whole:next"
    assert server.counts.junk_bytes == 1


async def test_a_message_that_takes_too_long_ends_the_line(served):
    server, echo = await served(message_seconds=0.05)
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.write(b"\x0bslow")
        assert await line.receive() == b"incomplete:slow"
        with pytest.raises(UpstreamBroken):
            await line.receive()
    assert [kind for kind, _, _ in echo.seen] == ["incomplete"]


async def test_a_silent_line_is_ended_only_where_the_settings_say_so(served):
    server, _ = await served(idle_seconds=0.05)
    async with MllpClient(*server.address(), seconds=5) as line:
        with pytest.raises(UpstreamBroken):
            await line.receive()
    patient, _ = await served(message_seconds=0.05)
    async with MllpClient(*patient.address(), seconds=0.3) as line:
        with pytest.raises(UpstreamTimeout):
            await line.receive()
        await line.send(b"still here")
        assert await line.receive() == b"whole:still here"


async def test_connections_over_the_cap_are_closed_at_once(served):
    server, _ = await served(connections=2)
    async with (
        MllpClient(*server.address(), seconds=5) as one,
        MllpClient(*server.address(), seconds=5) as two,
    ):
        for line in (one, two):
            await line.send(b"x")
            assert await line.receive() == b"whole:x"
        async with MllpClient(*server.address(), seconds=5) as third:
            with pytest.raises(UpstreamBroken):
                await third.receive()
        assert server.counts.refused_connections == 1
    assert server.counts.connections == 2


async def test_a_message_over_the_cap_is_given_as_such_and_the_line_goes_on(served):
    server, _ = await served(message_bytes=1000)
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.send(b"y" * 300_000)
        assert await line.receive() == b"too-large:" + b"y" * 1000
        await line.send(b"small")
        assert await line.receive() == b"whole:small"


async def test_stopping_lets_the_message_under_way_finish_and_ends_silent_lines(served):
    server, echo = await served()
    echo.gate = asyncio.Event()
    async with (
        MllpClient(*server.address(), seconds=5) as busy,
        MllpClient(*server.address(), seconds=5) as idle,
    ):
        await busy.send(b"last")
        await asyncio.wait_for(echo.entered.wait(), 5)
        stopping = asyncio.create_task(server.stop())
        with pytest.raises(UpstreamBroken):
            await idle.receive()
        echo.gate.set()
        assert await busy.receive() == b"whole:last"
        await asyncio.wait_for(stopping, 5)
        with pytest.raises(UpstreamBroken):
            await busy.receive()


async def test_stopping_does_not_wait_for_ever_and_the_listener_can_start_again(served):
    server, echo = await served(stop_seconds=0.05)
    echo.gate = asyncio.Event()
    address = server.address()
    async with MllpClient(*address, seconds=5) as line:
        await line.send(b"stuck")
        await asyncio.wait_for(echo.entered.wait(), 5)
        await asyncio.wait_for(server.stop(), 5)
    with pytest.raises(UpstreamUnreachable):
        await MllpClient(*address, seconds=5).__aenter__()
    echo.gate.set()
    await server.start(*address)
    async with MllpClient(*address, seconds=5) as line:
        assert await line.exchange(b"again", lambda answer: answer.endswith(b"again")) == b"whole:again"


async def test_a_sender_that_went_away_does_not_disturb_the_others(served):
    server, echo = await served()
    echo.gate = asyncio.Event()
    gone = MllpClient(*server.address(), seconds=5)
    await gone.__aenter__()
    await gone.send(b"1")
    await asyncio.wait_for(echo.entered.wait(), 5)
    await gone.__aexit__(None, None, None)
    echo.gate.set()
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.send(b"2")
        assert await line.receive() == b"whole:2"
    assert {data for _, data, _ in echo.seen} == {b"1", b"2"}


async def test_an_address_in_use_is_named(served):
    server, _ = await served()
    _, port = server.address()
    other = MllpServer(Echo().take, limits=MllpLimits())
    with pytest.raises(ListenFailed, match=str(port)):
        await other.start("127.0.0.1", port)
    with pytest.raises(ListenFailed):
        other.address()


async def test_a_client_that_waits_for_its_own_answer_passes_over_others(served):
    server, _ = await served()
    async with MllpClient(*server.address(), seconds=5) as line:
        await line.send(b"other")
        assert await line.exchange(b"mine", lambda answer: answer.endswith(b"mine")) == b"whole:mine"
        line._seconds = 0.05
        with pytest.raises(UpstreamTimeout):
            await line.exchange(b"x", lambda _: False)


async def say(server, message, tls=None):
    async with MllpClient(*server.address(), tls=tls, seconds=5) as line:
        await line.send(message)
        return await line.receive()


def key_pair(folder, name, issuer=None):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer, signed_by = (key, subject) if issuer is None else issuer
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return (key, subject), tuple(map(str, files))


async def test_tls_with_client_certificates(served, tmp_path):
    authority, (ca, _) = key_pair(tmp_path, "authority")
    _, (server_pem, server_key) = key_pair(tmp_path, "server", authority)
    _, (client_pem, client_key) = key_pair(tmp_path, "client", authority)
    _, (stranger_pem, stranger_key) = key_pair(tmp_path, "stranger")
    server, echo = await served(tls=server_context(server_pem, server_key, ca))
    known = client_context(ca, client_pem, client_key)
    async with MllpClient(*server.address(), tls=known, seconds=5) as line:
        await line.send(b"sealed line")
        assert await line.receive() == b"whole:sealed line"
    for context in (client_context(ca), client_context(ca, stranger_pem, stranger_key)):
        with pytest.raises((UpstreamUnreachable, UpstreamBroken, ssl.SSLError, OSError)):
            await say(server, b"let me in", tls=context)
    assert [data for _, data, _ in echo.seen] == [b"sealed line"]


async def test_a_plain_client_gets_nothing_from_a_tls_listener(served, tmp_path):
    _, (pem, key) = key_pair(tmp_path, "line")
    server, echo = await served(tls=server_context(pem, key))
    with pytest.raises((UpstreamBroken, OSError)):
        await say(server, b"in the clear")
    assert echo.seen == []


def test_tls_files_that_cannot_be_used_are_named(tmp_path):
    _, (pem, _) = key_pair(tmp_path, "one")
    _, (_, key) = key_pair(tmp_path, "two")
    for arguments in ((pem, key), (str(tmp_path / "none.pem"), key)):
        with pytest.raises(AdapterSettingsError):
            server_context(*arguments)
