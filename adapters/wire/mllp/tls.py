"""TLS contexts of MLLP connections: server side with optional client certificates, and the client side."""

from __future__ import annotations

import ssl
from pathlib import Path

from adapters.errors import AdapterSettingsError
from kernel.errors import Place


def server_context(certificate: str, key: str, client_ca: str = "") -> ssl.SSLContext:
    """Make a listening context (TLS 1.2 or newer); with `client_ca` every client must show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(lambda: context.load_cert_chain(certificate, key), certificate)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        _load(lambda: context.load_verify_locations(client_ca), client_ca)
    return context


def client_context(server_ca: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Make a connecting context that trusts `server_ca` and shows a certificate where one is given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(lambda: context.load_verify_locations(server_ca), server_ca)
    if certificate:
        _load(lambda: context.load_cert_chain(certificate, key), certificate)
    return context


def _load(step: object, path: str) -> None:
    assert callable(step)
    try:
        step()
    except (OSError, ssl.SSLError) as error:
        raise AdapterSettingsError(
            f"a TLS file cannot be used: {error.strerror or type(error).__name__}",
            hint="PEM files, readable by this user; the key must fit the certificate",
            place=Place(str(Path(path))),
        ) from error
