"""The TLS context of our own clients: certificate and host name are verified, HTTP/1.1 is asked for."""

from __future__ import annotations

import ssl


def client_context(ca_file: str | None) -> ssl.SSLContext:
    """Make a context; the PEM `ca_file` replaces the system's authorities. Raises OSError (so does ssl.SSLError)."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
