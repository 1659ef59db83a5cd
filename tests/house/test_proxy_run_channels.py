"""`interlock proxy run` with an AsyncAPI file, from outside: a WebSocket client, the process, a provider."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from tests.house.running import proxy_run

pytestmark = pytest.mark.house

MONITORS = """
asyncapi: 3.0.0
info: { title: Monitors, version: 1.2.0 }
servers:
  house: { host: monitors.example, protocol: ws, security: [ { $ref: "#/components/securitySchemes/key" } ] }
channels:
  bed:
    address: /beds/{bed}
    parameters: { bed: { enum: [b1] } }
    messages:
      pulse: { payload: { type: object, required: [bpm], properties: { bpm: { type: integer } } } }
      limit: { payload: { type: object, required: [high], properties: { high: { type: integer } } } }
operations:
  sendPulse: { action: send, channel: { $ref: "#/channels/bed" }, messages: [ { $ref: "#/channels/bed/messages/pulse" } ] }
  setLimit: { action: receive, channel: { $ref: "#/channels/bed" }, messages: [ { $ref: "#/channels/bed/messages/limit" } ] }
components:
  securitySchemes:
    key: { type: httpApiKey, in: header, name: X-API-Key }
"""


def pulses(socket: ServerConnection) -> None:
    for message in socket:
        socket.send(json.dumps({"bpm": json.loads(message).get("high", "none")}))


@pytest.fixture
def provider() -> Iterator[str]:
    with serve(pulses, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
    thread.join()


def test_channels_of_a_file_are_served_and_judged(provider: str, tmp_path: Path) -> None:
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    with proxy_run(tmp_path / "monitors.yaml", provider, cwd=tmp_path) as (port, said):
        key = re.search(r"ilk_\w+", said)
        assert key is not None, said
        url, headers = f"ws://127.0.0.1:{port}/beds/b1", {"X-API-Key": key[0]}
        with connect(url, additional_headers=headers, origin="https://any.example", proxy=None) as socket:  # type: ignore[arg-type]
            socket.send('{"high": 120}')
            assert socket.recv(timeout=10) == '{"bpm": 120}'
            socket.send('{"low": 120}')
            with pytest.raises(ConnectionClosed) as caught:
                socket.recv(timeout=10)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1008
        with pytest.raises(InvalidStatus) as refused:
            connect(url, proxy=None)
        assert refused.value.response.status_code == 401


def test_where_only_reports_are_asked_for_everything_passes_and_is_told(
    provider: str, tmp_path: Path
) -> None:
    (tmp_path / "monitors.yaml").write_text(MONITORS)
    with (
        proxy_run(tmp_path / "monitors.yaml", provider, "--report-only", cwd=tmp_path) as (port, _),
        connect(f"ws://127.0.0.1:{port}/beds/b1", proxy=None) as socket,
    ):
        socket.send('{"low": 120}')
        assert socket.recv(timeout=10) == '{"bpm": "none"}'
