"""Providers of a small contract, one that keeps it and some that do not; run as a program: bed_board.py PORT [FAULT …]."""

from __future__ import annotations

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

FAULTS = frozenset(
    {
        "status",
        "body",
        "header",
        "accepts",
        "crash",
        "forgets",
        "undeletes",
        "open",
        "refuses",
        "silent",
        "flaky",
    }
)
BEDS: dict[str, dict[str, Any]] = {}
WARD = re.compile(r"[A-Z][0-9]{1,3}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: frozenset[str] = frozenset()
    log: ClassVar[list[str]] = []

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header(
                "Content-Type", "application/problem+json" if status >= 400 else "application/json"
            )
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            return json.loads(data)
        except ValueError:
            return None

    def problem(self, status: int) -> None:
        self.answer(status, {"title": "no", "status": status})

    def let_in(self) -> bool:
        if "open" in self.faults or self.headers.get("Authorization") == "Bearer let-me-in":
            return True
        self.body()
        self.problem(401)
        return False

    def do_GET(self) -> None:
        if not self.let_in():
            return
        if self.path.partition("?")[0] == "/seen":
            self.answer(200, self.log)
            return
        found = BEDS.get(self.bed())
        if "flaky" in self.faults:
            self.close_connection = True
            return
        if self.path.partition("?")[0] == "/beds":
            beds = [{**bed, "ward": 7} if "body" in self.faults else bed for bed in list(BEDS.values())[:5]]
            self.answer(
                206 if "status" in self.faults else 200,
                beds or [{"id": "x", "ward": 7}] if "body" in self.faults else beds,
            )
        elif found is None:
            self.problem(404)
        elif "header" in self.faults:
            self.answer(200, found)
        else:
            self.answer(200, found, ETag='"1"')

    def do_POST(self) -> None:
        type(self).log.append("POST")
        if not self.let_in():
            return
        body = self.body()
        if "crash" in self.faults and isinstance(body, dict) and len(str(body.get("ward"))) > 2:
            self.answer(500, {"title": "oops", "status": 500})
            return
        if "refuses" in self.faults:
            self.problem(400)
            return
        valid = isinstance(body, dict) and isinstance(body.get("ward"), str) and WARD.fullmatch(body["ward"])
        valid = valid and set(body) == {"ward"}
        if not valid and "accepts" not in self.faults:
            self.problem(400)
            return
        made = {"id": f"b{len(BEDS)}", "ward": body["ward"] if valid else "A1"}
        if "forgets" not in self.faults:
            BEDS[made["id"]] = made
        self.answer(201, made)

    def do_DELETE(self) -> None:
        if not self.let_in():
            return
        if "undeletes" in self.faults:
            self.answer(204 if self.bed() in BEDS else 404)
            return
        found = BEDS.pop(self.bed(), None)
        if found is None:
            self.problem(404)
        else:
            self.answer(204)

    def bed(self) -> str:
        return self.path.partition("?")[0].removeprefix("/beds/")


if __name__ == "__main__":
    Handler.faults = frozenset(sys.argv[2:])
    assert Handler.faults <= FAULTS
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
