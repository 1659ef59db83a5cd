"""Simulated providers: the laboratory information system behind `lab-orders`, and the store behind `vitals`.

It keeps orders in memory and answers in the form of the contract. One placer number makes it answer
outside its contract on purpose, so that the demonstration can show what the consumer then sees.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MISBEHAVING_ORDER = "ORD-OUTSIDE"
SECRET_OF_THE_LABORATORY = "internal host lis-db-07, worklist table corrupted"  # noqa: S105 - must not leak
_MOST_BYTES = 1_000_000


class Laboratory(ThreadingHTTPServer):
    """The server and its orders."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.orders: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()

    def place(self, order: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Keep an order; the same placer number again is a conflict."""
        number = order["numbers"]["placer"]["value"]
        with self.lock:
            if number in self.orders:
                return 409, {"type": "about:blank", "title": "This order is known already", "status": 409}
            receipt = {
                "orderId": f"LAB-{1000 + len(self.orders)}",
                "status": "accepted",
                "receivedAt": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            self.orders[number] = receipt
        return 201, receipt

    def find(self, order_id: str) -> dict[str, Any] | None:
        """Find an order by the laboratory's number."""
        with self.lock:
            return next((order for order in self.orders.values() if order["orderId"] == order_id), None)

    def cancel(self, order_id: str) -> dict[str, Any] | None:
        """Cancel an order."""
        order = self.find(order_id)
        if order is not None:
            order["status"] = "cancelled"
        return order


class _Conversation(BaseHTTPRequestHandler):
    server: Laboratory
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._read()
        if self.path.startswith("/devices/") and body is not None:
            self._answer(202, {"sequence": body["sequence"], "kept": len(body["readings"])})
            return
        if self.path != "/orders" or body is None:
            self._answer(404, {"type": "about:blank", "title": "Unknown", "status": 404})
            return
        if body["numbers"].get("placer", {}).get("value") == MISBEHAVING_ORDER:
            self._answer(201, {"orderNo": 17, "debug": SECRET_OF_THE_LABORATORY})
            return
        status, answer = self.server.place(body)
        location = f"/orders/{answer['orderId']}" if status == 201 else None
        self._answer(status, answer, location)

    def do_PUT(self) -> None:
        self._read()
        parts = self.path.strip("/").split("/")
        order = self.server.cancel(parts[1]) if len(parts) == 3 else None
        self._answer(
            *((200, order) if order else (404, {"type": "about:blank", "title": "Unknown", "status": 404}))
        )

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        if path == "/orders":
            with self.server.lock:
                self._answer(200, {"orders": list(self.server.orders.values())})
            return
        order = self.server.find(path.rsplit("/", 1)[-1])
        self._answer(
            *((200, order) if order else (404, {"type": "about:blank", "title": "Unknown", "status": 404}))
        )

    def _read(self) -> Any:
        length = min(int(self.headers.get("Content-Length", "0")), _MOST_BYTES)
        try:
            return json.loads(self.rfile.read(length))
        except ValueError:
            return None

    def _answer(self, status: int, body: Any, location: str | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Stay silent: the demonstration tells the story."""


def serve(port_file: Path) -> None:
    """Serve on a free port and write it to `port_file`, until the process is ended."""
    laboratory = Laboratory(0)
    temporary = port_file.with_suffix(".tmp")
    temporary.write_text(str(laboratory.server_address[1]), encoding="ascii")
    temporary.rename(port_file)
    laboratory.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
