"""The adapter kind `http`: its settings, and what it adds to a call."""

import asyncio
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.errors import AdapterSettingsError
from adapters.partners.http import KIND, HttpAdapter
from adapters.port import Adapter, Call


async def exchange(settings: dict[str, Any], call: Call) -> tuple[bytes, bytes]:
    """Send one call through an adapter; returns the raw request and the body of the answer."""
    seen = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readuntil(b"\r\n\r\n"))
        if call.body:
            seen.extend(await reader.readexactly(len(call.body)))
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    base_url = settings.pop("base_url").replace("PORT", str(port))
    adapter: Adapter = HttpAdapter("hospital-lab", {"base_url": base_url, **settings})
    assert isinstance(adapter, Adapter)
    await adapter.start()
    try:
        got = await adapter.call(call)
    finally:
        await adapter.stop()
        server.close()
    return bytes(seen).replace(b"%d" % port, b"PORT"), got.body


def order(**changes: Any) -> Call:
    row = {
        "method": b"POST",
        "target": b"/orders?x=1",
        "headers": [(b"x-lab", b"caller")],
        "body": b'{"a":1}',
        "timeout_seconds": 5.0,
    }
    return Call(**(row | changes))


async def test_the_path_of_the_base_url_goes_first() -> None:
    sent, body = await exchange({"base_url": "http://127.0.0.1:PORT/lab/v2/"}, order())
    assert (
        sent
        == b'POST /lab/v2/orders?x=1 HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nx-lab: caller\r\ncontent-length: 7\r\n\r\n{"a":1}'
    )
    assert body == b"{}"


async def test_without_a_path_the_target_stays_as_it_is() -> None:
    sent, _ = await exchange(
        {"base_url": "http://127.0.0.1:PORT"}, order(method=b"GET", body=b"", target=b"/a%2Fb/")
    )
    assert sent == b"GET /a%2Fb/ HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\nx-lab: caller\r\n\r\n"


async def test_fixed_headers_replace_the_callers() -> None:
    settings = {
        "base_url": "http://127.0.0.1:PORT",
        "headers": {"X-Lab": "north wing", "Authorization": "Bearer t"},
    }
    sent, _ = await exchange(
        settings, order(headers=[(b"x-lab", b"a"), (b"authorization", b"b"), (b"accept", b"*/*")])
    )
    assert (
        b"\r\naccept: */*\r\nx-lab: north wing\r\nauthorization: Bearer t\r\ncontent-length: 7\r\n\r\n"
        in sent
    )


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://lab/", "http://", "http:///x", "http://lab:0/", "http://lab:99999/", "http://user:pw@lab/", "http://lab/?x=1", "http://lab/#x",
        "http://lab/a b", "http://lab/../x", "http://lab/./x", "http://läb/", "http://lab\r\nx/", "http://la b/", "http://[::1", "http://lab?",
    ],
)  # fmt: skip
def test_a_base_url_that_would_not_be_what_is_called_is_refused(base_url: str) -> None:
    with pytest.raises(AdapterSettingsError, match="hospital-lab") as caught:
        HttpAdapter("hospital-lab", {"base_url": base_url})
    assert caught.value.hint


@pytest.mark.parametrize(
    "base_url", ["http://lab.example", "https://10.0.0.7:8443/api/", "http://[::1]:80", "http://lab_1:8080"]
)
def test_other_base_urls_are_taken(base_url: str) -> None:
    assert HttpAdapter("hospital-lab", {"base_url": base_url}).name == "hospital-lab"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_unusable_ca_file_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(AdapterSettingsError, match="tls_ca_file"):
        HttpAdapter("hospital-lab", {"base_url": "https://lab", "tls_ca_file": str(file)})


@pytest.mark.parametrize(
    ("settings", "fits"),
    [
        ({"base_url": "http://lab"}, True),
        ({"base_url": "https://lab", "connect_timeout_seconds": 0.5, "write_timeout_seconds": 1, "read_timeout_seconds": 2, "idle_seconds": 0, "max_connections": 1, "tls_ca_file": "ca.pem", "headers": {"X-A": "b c"}}, True),
        ({}, False),
        ({"base_url": "lab"}, False),
        ({"base_url": "http://lab", "timeout": 1}, False),
        ({"base_url": "http://lab", "connect_timeout_seconds": 0}, False),
        ({"base_url": "http://lab", "max_connections": 0}, False),
        ({"base_url": "http://lab", "headers": {"X A": "b"}}, False),
        ({"base_url": "http://lab", "headers": {"X-A": "b\r\nx: y"}}, False),
        ({"base_url": "http://lab", "headers": {"X-A": " b"}}, False),
    ],
)  # fmt: skip
def test_the_schema_of_the_settings(settings: dict[str, Any], fits: bool) -> None:
    jsonschema_rs.meta.validate(KIND.settings_schema)
    assert jsonschema_rs.is_valid(KIND.settings_schema, settings) is fits
