"""nginx as the upstream of everybody (fixed answers), and as the plain pass-through to be measured against.

Under `/limited/` the pass-through lets one request a minute through: its 429 beside ours.
"""

from __future__ import annotations

from pathlib import Path

from tests.bench.order import RECEIPT, RESULTS

_FRAME = """
worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
  {body}
}}
"""
_UPSTREAM = """
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 201 '{receipt}'; }}
    location ~ /results$ {{ default_type application/json; return 200 '{results}'; }}
  }}
"""
_PASS_THROUGH = """
  limit_req_zone $server_port zone=storm:32k rate=1r/m;
  limit_req_log_level info;
  upstream provider {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
    location /limited/ {{
      limit_req zone=storm;
      limit_req_status 429;
      proxy_pass http://provider;
    }}
  }}
"""


def upstream(folder: Path, port: int) -> list[str | Path]:
    """Write the configuration of the provider; returns the command."""
    return _command(
        folder, "upstream", _UPSTREAM.format(port=port, receipt=RECEIPT.decode(), results=RESULTS.decode())
    )


def pass_through(folder: Path, port: int, upstream_port: int) -> list[str | Path]:
    """Write the configuration of the plain proxy; returns the command."""
    return _command(folder, "nginx", _PASS_THROUGH.format(port=port, upstream=upstream_port))


def _command(folder: Path, name: str, body: str) -> list[str | Path]:
    file = folder / f"{name}.conf"
    file.write_text(_FRAME.format(folder=folder, name=name, body=body))
    return ["nginx", "-c", file, "-p", folder]
